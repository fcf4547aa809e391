// Chains of tasks, after Parla's synthetic suite: a task reads what the `back` tasks before it in
// its chain wrote. overlap=shared: all tasks of a chain update one block instead.
#include <algorithm>

#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

enum class SerialOverlap : std::int64_t { kOwn, kShared };

GeneratorSize serial_size(const GeneratorValues& values) {
  const double tasks = real_of(values, "steps") * real_of(values, "chains");
  return {tasks, tasks * (real_of(values, "back") + 1)};
}

core::Result<core::Program> make_serial(const GeneratorValues& values) {
  const std::int64_t steps = values.at("steps"), chains = values.at("chains");
  const std::int64_t back = values.at("back");
  const bool is_shared = static_cast<SerialOverlap>(values.at("overlap")) == SerialOverlap::kShared;
  ProgramBuilder builder("serial", "chains of tasks");
  const std::vector<core::RegionView> blocks =
      builder.add_blocks("B", is_shared ? chains : chains * steps, values.at("block"));
  const TaskFamily link{"T", kernel_of(values), stated_cost(duration_of(values))};
  const PlacementRule place(values);
  const core::AccessMode first = first_use_of(values);
  for (std::int64_t step = 0; step < steps; ++step) {
    for (std::int64_t chain = 0; chain < chains; ++chain) {
      std::vector<core::Access> accesses;
      if (is_shared) {
        const core::AccessMode mode = step == 0 ? first : core::AccessMode::kInout;
        accesses.push_back(access(blocks[static_cast<std::size_t>(chain)], mode));
      } else {
        for (std::int64_t s = std::max<std::int64_t>(0, step - back); s < step; ++s) {
          accesses.push_back(in(blocks[static_cast<std::size_t>(s * chains + chain)]));
        }
        accesses.push_back(access(blocks[static_cast<std::size_t>(step * chains + chain)], first));
      }
      builder.spawn(link, {step, chain}, std::move(accesses), place(chain), steps - step);
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_serial(GeneratorRegistry& registry);
void register_generator_serial(GeneratorRegistry& registry) {
  registry.add({"serial", "chains of tasks that read what their predecessors wrote",
                joined({number_parameter("steps", 1, 10'000'000, 150, "tasks of a chain"),
                        number_parameter("chains", 1, 100'000, 1, "chains"),
                        number_parameter("back", 0, 64, 1, "predecessors that a task reads"),
                        word_parameter("overlap", {"own", "shared"},
                                       "a block for each task, or one for each chain"),
                        block_parameter(25'000'000), duration_parameter(16'000'000),
                        kernel_parameter(), first_use_parameter()},
                       placement_parameters()),
                serial_size, make_serial});
}

}  // namespace parley::workloads
