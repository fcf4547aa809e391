// Steps over a row of blocks in which a task reads its own block and its neighbours' of the step
// before: Task Bench's "nearest" (Slaughter et al., "Task Bench: a parameterized benchmark for
// evaluating parallel runtime performance", 2020). Two sets of blocks take turns.
#include <algorithm>

#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

GeneratorSize nearest_size(const GeneratorValues& values) {
  const double tasks = real_of(values, "steps") * real_of(values, "width");
  return {tasks, tasks * (2 * real_of(values, "radius") + 2)};
}

core::Result<core::Program> make_nearest(const GeneratorValues& values) {
  const std::int64_t steps = values.at("steps"), width = values.at("width");
  const std::int64_t radius = values.at("radius");
  ProgramBuilder builder("nearest", "steps in which a task reads its neighbours' blocks");
  const std::vector<core::RegionView> blocks[] = {
      builder.add_blocks("U", width, values.at("block")),
      builder.add_blocks("V", width, values.at("block"))};
  const TaskFamily point{"T", kernel_of(values), stated_cost(duration_of(values))};
  const PlacementRule place(values);
  for (std::int64_t step = 0; step < steps; ++step) {
    const auto& now = blocks[step % 2];
    const auto& next = blocks[(step + 1) % 2];
    for (std::int64_t i = 0; i < width; ++i) {
      std::vector<core::Access> accesses;
      const std::int64_t last = std::min(width - 1, i + radius);
      for (std::int64_t j = std::max<std::int64_t>(0, i - radius); j <= last; ++j) {
        accesses.push_back(in(now[static_cast<std::size_t>(j)]));
      }
      accesses.push_back(out(next[static_cast<std::size_t>(i)]));
      builder.spawn(point, {step, i}, std::move(accesses), place(i), steps - step);
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_nearest(GeneratorRegistry& registry);
void register_generator_nearest(GeneratorRegistry& registry) {
  registry.add(
      {"nearest", "a row of blocks, each task reads its neighbours': steps x width tasks",
       joined({number_parameter("steps", 1, 10'000'000, 20, "steps"),
               number_parameter("width", 1, 100'000, 32, "blocks"),
               number_parameter("radius", 0, 64, 1, "neighbours on each side that a task reads"),
               block_parameter(4 << 20), duration_parameter(1'000'000), kernel_parameter()},
              placement_parameters()),
       nearest_size, make_nearest});
}

}  // namespace parley::workloads
