// From the root to the leaves, after Parla's synthetic suite: a task reads its parent's block and
// updates its own. overlap=shared: the first child goes on with its parent's block.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"
#include "workloads/tree_levels.h"

namespace parley::workloads {
namespace {

enum class TreeOverlap : std::int64_t { kOwn, kShared };

GeneratorSize tree_size(const GeneratorValues& values) {
  const double nodes = TreeLevels(values).node_count();
  return {nodes, 2 * nodes};
}

core::Result<core::Program> make_tree(const GeneratorValues& values) {
  const TreeLevels levels(values);
  const bool is_shared = static_cast<TreeOverlap>(values.at("overlap")) == TreeOverlap::kShared;
  ProgramBuilder builder("tree", "from the root to the leaves of a tree");
  const TaskFamily node{"T", {}, stated_cost(duration_of(values))};
  const PlacementRule place(values);
  std::vector<core::RegionView> parents;
  for (std::int64_t depth = 0; depth < levels.depth(); ++depth) {
    std::vector<core::RegionView> blocks(static_cast<std::size_t>(levels.width(depth)));
    // The last child first: those that read their parent's block come before the one that updates
    // it, and need not wait for it.
    for (std::int64_t i = levels.width(depth) - 1; i >= 0; --i) {
      core::RegionView& own = blocks[static_cast<std::size_t>(i)];
      std::vector<core::Access> accesses;
      const auto parent = static_cast<std::size_t>(i / levels.branch());
      if (is_shared && depth > 0 && i % levels.branch() == 0) {
        own = parents[parent];
      } else {
        own = builder.add_block("B_" + std::to_string(depth) + "_" + std::to_string(i),
                                values.at("block"));
        if (depth > 0) accesses.push_back(in(parents[parent]));
      }
      accesses.push_back(inout(own));
      builder.spawn(node, {depth, i}, std::move(accesses), place(i), levels.depth() - depth);
    }
    parents = std::move(blocks);
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_tree(GeneratorRegistry& registry);
void register_generator_tree(GeneratorRegistry& registry) {
  registry.add({"tree", "from the root to the leaves: each task reads its parent's block",
                joined(joined(TreeLevels::parameters(),
                              {word_parameter("overlap", {"own", "shared"},
                                              "a block for each task, or the first child updates "
                                              "its parent's"),
                               block_parameter(25'000'000), duration_parameter(16'000'000)}),
                       placement_parameters()),
                tree_size, make_tree});
}

}  // namespace parley::workloads
