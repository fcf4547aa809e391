// Alternating phases, after Parla's synthetic suite: many tasks each update a block of their own,
// then one task updates all blocks, and so on.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

GeneratorSize reduction_scatter_size(const GeneratorValues& values) {
  const double width = real_of(values, "width"), rounds = real_of(values, "rounds");
  return {rounds * (width + 1), rounds * 2 * width};
}

core::Result<core::Program> make_reduction_scatter(const GeneratorValues& values) {
  const std::int64_t width = values.at("width"), rounds = values.at("rounds");
  ProgramBuilder builder("reduction_scatter", "many tasks, then one that joins them, and so on");
  const std::vector<core::RegionView> blocks = builder.add_blocks("B", width, values.at("block"));
  std::vector<core::Access> all;
  for (const core::RegionView block : blocks) all.push_back(inout(block));
  const TaskFamily bulk{"bulk", {}, stated_cost(duration_of(values))};
  const TaskFamily bridge{"bridge", {}, stated_cost(duration_of(values))};
  const PlacementRule place(values);
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (std::int64_t i = 0; i < width; ++i) {
      builder.spawn(bulk, {round, i}, {inout(blocks[static_cast<std::size_t>(i)])}, place(i),
                    2 * (rounds - round));
    }
    builder.spawn(bridge, {round}, all, place(round), 2 * (rounds - round) - 1);
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_reduction_scatter(GeneratorRegistry& registry);
void register_generator_reduction_scatter(GeneratorRegistry& registry) {
  registry.add({"reduction_scatter", "phases of many tasks, each joined by one that updates all",
                joined({number_parameter("width", 1, 4096, 32, "tasks of a phase"),
                        number_parameter("rounds", 1, 100'000, 10, "phases"),
                        block_parameter(25'000'000), duration_parameter(16'000'000)},
                       placement_parameters()),
                reduction_scatter_size, make_reduction_scatter});
}

}  // namespace parley::workloads
