// One GPU writes an array, then every GPU reads its part: copies that leave through one port.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

GeneratorSize scatter_size(const GeneratorValues& values) {
  const double gpus = real_of(values, "gpus"), rounds = real_of(values, "rounds");
  return {rounds * (gpus + 1), rounds * (gpus + 1)};
}

core::Result<core::Program> make_scatter(const GeneratorValues& values) {
  const std::int64_t gpus = values.at("gpus"), rounds = values.at("rounds");
  ProgramBuilder builder("scatter", "one GPU writes an array, every GPU reads its part");
  const core::RegionView whole =
      builder.add_array("A", {gpus, values.at("block")}, core::DType::kUint8, core::Initial{});
  const TaskFamily write{"write", {}, stated_cost(duration_of(values))};
  const TaskFamily read{"read", {}, stated_cost(duration_of(values))};
  for (std::int64_t round = 0; round < rounds; ++round) {
    builder.spawn(write, {round}, {out(whole)}, on_gpu(0));
    for (std::int64_t gpu = 0; gpu < gpus; ++gpu) {
      builder.spawn(read, {round, gpu}, {in(builder.slice(whole, {gpu}))}, on_gpu(gpu));
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_scatter(GeneratorRegistry& registry);
void register_generator_scatter(GeneratorRegistry& registry) {
  registry.add({"scatter",
                "GPU 0 writes an array, every GPU reads its part: rounds x (gpus + 1) tasks",
                {gpu_count_parameter(), number_parameter("rounds", 1, 1'000'000, 8, "rounds"),
                 block_parameter(64 << 20, 1), duration_parameter(100'000)},
                scatter_size,
                make_scatter});
}

}  // namespace parley::workloads
