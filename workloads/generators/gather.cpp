// Every GPU writes a part of one array, then one GPU reads the whole: copies that meet at one port.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

GeneratorSize gather_size(const GeneratorValues& values) {
  const double gpus = real_of(values, "gpus"), rounds = real_of(values, "rounds");
  return {rounds * (gpus + 1), rounds * (gpus + 1)};
}

core::Result<core::Program> make_gather(const GeneratorValues& values) {
  const std::int64_t gpus = values.at("gpus"), rounds = values.at("rounds");
  ProgramBuilder builder("gather", "every GPU writes a part, one reads the whole");
  const core::RegionView whole =
      builder.add_array("A", {gpus, values.at("block")}, core::DType::kUint8, core::Initial{});
  const TaskFamily write{"write", {}, stated_cost(duration_of(values))};
  const TaskFamily read{"read", {}, stated_cost(duration_of(values))};
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (std::int64_t gpu = 0; gpu < gpus; ++gpu) {
      builder.spawn(write, {round, gpu}, {out(builder.slice(whole, {gpu}))}, on_gpu(gpu));
    }
    builder.spawn(read, {round}, {in(whole)}, on_gpu(0));
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_gather(GeneratorRegistry& registry);
void register_generator_gather(GeneratorRegistry& registry) {
  registry.add({"gather",
                "every GPU writes a part of an array, GPU 0 reads it: rounds x (gpus + 1) tasks",
                {gpu_count_parameter(), number_parameter("rounds", 1, 1'000'000, 8, "rounds"),
                 block_parameter(64 << 20, 1), duration_parameter(100'000)},
                gather_size,
                make_gather});
}

}  // namespace parley::workloads
