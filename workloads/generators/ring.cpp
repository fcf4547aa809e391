// In each step every GPU reads the block that its left neighbour wrote in the step before. Two sets
// of blocks take turns, so that all copies of a step may run at once.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

GeneratorSize ring_size(const GeneratorValues& values) {
  const double tasks = real_of(values, "steps") * real_of(values, "gpus");
  return {tasks, 2 * tasks};
}

core::Result<core::Program> make_ring(const GeneratorValues& values) {
  const std::int64_t gpus = values.at("gpus"), steps = values.at("steps");
  ProgramBuilder builder("ring", "every GPU reads its left neighbour's block");
  const std::vector<core::RegionView> blocks[] = {
      builder.add_blocks("U", gpus, values.at("block")),
      builder.add_blocks("V", gpus, values.at("block"))};
  const TaskFamily pass{"pass", {}, stated_cost(duration_of(values))};
  for (std::int64_t step = 0; step < steps; ++step) {
    const auto& now = blocks[step % 2];
    const auto& next = blocks[(step + 1) % 2];
    for (std::int64_t gpu = 0; gpu < gpus; ++gpu) {
      const std::int64_t left = (gpu + gpus - 1) % gpus;
      builder.spawn(
          pass, {step, gpu},
          {in(now[static_cast<std::size_t>(left)]), out(next[static_cast<std::size_t>(gpu)])},
          on_gpu(gpu), steps - step);
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_ring(GeneratorRegistry& registry);
void register_generator_ring(GeneratorRegistry& registry) {
  registry.add({"ring",
                "blocks go round a ring of GPUs: steps x gpus tasks",
                {gpu_count_parameter(), number_parameter("steps", 1, 1'000'000, 16, "steps"),
                 block_parameter(64 << 20), duration_parameter(100'000)},
                ring_size,
                make_ring});
}

}  // namespace parley::workloads
