// Every GPU writes its part of an array, then every GPU reads the whole.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

GeneratorSize allgather_size(const GeneratorValues& values) {
  const double tasks = 2 * real_of(values, "rounds") * real_of(values, "gpus");
  return {tasks, tasks};
}

core::Result<core::Program> make_allgather(const GeneratorValues& values) {
  const std::int64_t gpus = values.at("gpus"), rounds = values.at("rounds");
  ProgramBuilder builder("allgather", "every GPU writes a part, every GPU reads the whole");
  const core::RegionView whole =
      builder.add_array("A", {gpus, values.at("block")}, core::DType::kUint8, core::Initial{});
  const TaskFamily write{"write", {}, stated_cost(duration_of(values))};
  const TaskFamily read{"read", {}, stated_cost(duration_of(values))};
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (std::int64_t gpu = 0; gpu < gpus; ++gpu) {
      builder.spawn(write, {round, gpu}, {out(builder.slice(whole, {gpu}))}, on_gpu(gpu));
    }
    for (std::int64_t gpu = 0; gpu < gpus; ++gpu) {
      builder.spawn(read, {round, gpu}, {in(whole)}, on_gpu(gpu));
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_allgather(GeneratorRegistry& registry);
void register_generator_allgather(GeneratorRegistry& registry) {
  registry.add({"allgather",
                "every GPU writes a part of an array, then reads it all: 2 x rounds x gpus tasks",
                {gpu_count_parameter(), number_parameter("rounds", 1, 1'000'000, 4, "rounds"),
                 block_parameter(64 << 20, 1), duration_parameter(100'000)},
                allgather_size,
                make_allgather});
}

}  // namespace parley::workloads
