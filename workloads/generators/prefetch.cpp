// Parla's test of prefetching: a chain of tasks that takes turns between a short one on the common
// block and a long one on a block of its own, and changes GPU after every two. The common block can
// move under the long task.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

GeneratorSize prefetch_size(const GeneratorValues& values) {
  const double tasks = real_of(values, "tasks");
  return {tasks, 2 * tasks};
}

core::Result<core::Program> make_prefetch(const GeneratorValues& values) {
  const std::int64_t tasks = values.at("tasks"), gpus = values.at("gpus");
  ProgramBuilder builder("prefetch", "a common block goes from GPU to GPU under longer tasks");
  const core::RegionView common = builder.add_block("common", values.at("block"));
  const TaskFamily shorter{"T", {}, stated_cost(core::Duration(values.at("short_ns")))};
  const TaskFamily longer{"T", {}, stated_cost(core::Duration(values.at("long_ns")))};
  // The chain itself goes through an array without bytes, so that it moves nothing.
  const core::RegionView chain = builder.add_block("chain", 0);
  for (std::int64_t i = 0; i < tasks; ++i) {
    const bool is_short = i % 2 == 0;
    const core::RegionView block =
        is_short ? common : builder.add_block("own_" + std::to_string(i / 2), values.at("block"));
    builder.spawn(is_short ? shorter : longer, {i}, {inout(chain), inout(block)},
                  on_gpu(i / 2 % gpus), tasks - i);
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_prefetch(GeneratorRegistry& registry);
void register_generator_prefetch(GeneratorRegistry& registry) {
  registry.add({"prefetch",
                "Parla's test of prefetching: a block could move under a longer task",
                {number_parameter("tasks", 1, 1'000'000, 10, "tasks of the chain"),
                 gpu_count_parameter(), block_parameter(32'000'000),
                 number_parameter("short_ns", 0, 1'000'000'000'000, 20'000'000,
                                  "task on the common block", "ns"),
                 number_parameter("long_ns", 0, 1'000'000'000'000, 50'000'000,
                                  "task on a block of its own", "ns")},
                prefetch_size,
                make_prefetch});
}

}  // namespace parley::workloads
