// A distributed transposition: every GPU writes a row of blocks, then every GPU reads a column.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

GeneratorSize all_to_all_size(const GeneratorValues& values) {
  const double tasks = 2 * real_of(values, "rounds") * real_of(values, "gpus");
  return {tasks, tasks};
}

core::Result<core::Program> make_all_to_all(const GeneratorValues& values) {
  const std::int64_t gpus = values.at("gpus"), rounds = values.at("rounds");
  ProgramBuilder builder("all_to_all", "every GPU writes a row of blocks, then reads a column");
  const core::RegionView whole = builder.add_array("A", {gpus, gpus, values.at("block")},
                                                   core::DType::kUint8, core::Initial{});
  const TaskFamily write{"write", kernel_of(values), stated_cost(duration_of(values))};
  const TaskFamily read{"read", kernel_of(values), stated_cost(duration_of(values))};
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (std::int64_t gpu = 0; gpu < gpus; ++gpu) {
      builder.spawn(write, {round, gpu}, {out(builder.slice(whole, {gpu}))}, on_gpu(gpu));
    }
    for (std::int64_t gpu = 0; gpu < gpus; ++gpu) {
      builder.spawn(read, {round, gpu}, {in(builder.slice(whole, {core::Slice{}, gpu}))},
                    on_gpu(gpu));
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_all_to_all(GeneratorRegistry& registry);
void register_generator_all_to_all(GeneratorRegistry& registry) {
  registry.add({"all_to_all",
                "a distributed transposition of gpus x gpus blocks: 2 x rounds x gpus tasks",
                {gpu_count_parameter(), number_parameter("rounds", 1, 1'000'000, 4, "rounds"),
                 block_parameter(16 << 20, 1), duration_parameter(100'000), kernel_parameter()},
                all_to_all_size,
                make_all_to_all});
}

}  // namespace parley::workloads
