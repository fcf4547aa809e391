// The data flow of a fast Fourier transform: in stage s, task i reads blocks i and i xor 2^s of the
// stage before. Two sets of blocks take turns.
#include <cmath>

#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

GeneratorSize butterfly_size(const GeneratorValues& values) {
  const double stages = real_of(values, "stages");
  const double tasks = real_of(values, "rounds") * stages * std::exp2(stages);
  return {tasks, 3 * tasks};
}

core::Result<core::Program> make_butterfly(const GeneratorValues& values) {
  const std::int64_t stages = values.at("stages"), rounds = values.at("rounds");
  const std::int64_t width = std::int64_t{1} << stages;
  ProgramBuilder builder("butterfly", "the data flow of a fast Fourier transform");
  const std::vector<core::RegionView> blocks[] = {
      builder.add_blocks("U", width, values.at("block")),
      builder.add_blocks("V", width, values.at("block"))};
  const TaskFamily family{"T", {}, stated_cost(duration_of(values))};
  const PlacementRule place(values);
  for (std::int64_t stage = 0; stage < rounds * stages; ++stage) {
    const auto& now = blocks[stage % 2];
    const auto& next = blocks[(stage + 1) % 2];
    for (std::int64_t i = 0; i < width; ++i) {
      const std::int64_t partner = i ^ (std::int64_t{1} << (stage % stages));
      builder.spawn(
          family, {stage, i},
          {in(now[static_cast<std::size_t>(i)]), in(now[static_cast<std::size_t>(partner)]),
           out(next[static_cast<std::size_t>(i)])},
          place(i), rounds * stages - stage);
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_butterfly(GeneratorRegistry& registry);
void register_generator_butterfly(GeneratorRegistry& registry) {
  registry.add({"butterfly",
                "the data flow of a fast Fourier transform: rounds x stages x 2^stages tasks",
                joined({number_parameter("stages", 1, 18, 5, "log2 of the number of blocks"),
                        number_parameter("rounds", 1, 10'000, 1, "transforms one after the other"),
                        block_parameter(16 << 20), duration_parameter(1'000'000)},
                       placement_parameters()),
                butterfly_size, make_butterfly});
}

}  // namespace parley::workloads
