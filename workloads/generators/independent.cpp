// Tasks that do not wait for each other, after Parla's synthetic suite: each updates a block of its
// own, or all read some shared ones, or they have no data.
#include <algorithm>

#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

enum class IndependentOverlap : std::int64_t { kOwn, kShared, kNone };

GeneratorSize independent_size(const GeneratorValues& values) {
  const double width = real_of(values, "width");
  return {width, width};
}

core::Result<core::Program> make_independent(const GeneratorValues& values) {
  const std::int64_t width = values.at("width");
  const auto overlap = static_cast<IndependentOverlap>(values.at("overlap"));
  const bool is_shared = overlap == IndependentOverlap::kShared;
  const std::int64_t count = is_shared ? std::min(width, values.at("blocks")) : width;
  ProgramBuilder builder("independent", "tasks that do not wait for each other");
  const std::vector<core::RegionView> blocks =
      builder.add_blocks("B", overlap == IndependentOverlap::kNone ? 0 : count, values.at("block"));
  const TaskFamily family{"T", kernel_of(values), stated_cost(duration_of(values))};
  const PlacementRule place(values);
  const core::AccessMode first = first_use_of(values);
  for (std::int64_t i = 0; i < width; ++i) {
    std::vector<core::Access> accesses;
    if (!blocks.empty()) {
      const core::RegionView block = blocks[static_cast<std::size_t>(i % count)];
      accesses.push_back(is_shared ? in(block) : access(block, first));
    }
    builder.spawn(family, {i}, std::move(accesses), place(i));
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_independent(GeneratorRegistry& registry);
void register_generator_independent(GeneratorRegistry& registry) {
  registry.add(
      {"independent", "tasks that do not wait for each other",
       joined({number_parameter("width", 1, 10'000'000, 300, "tasks"),
               word_parameter("overlap", {"own", "shared", "none"},
                              "a block for each task, or `blocks` that all read, or no data"),
               number_parameter("blocks", 1, 1'000'000, 64, "blocks when shared"),
               block_parameter(25'000'000), duration_parameter(16'000'000), kernel_parameter(),
               first_use_parameter()},
              placement_parameters()),
       independent_size, make_independent});
}

}  // namespace parley::workloads
