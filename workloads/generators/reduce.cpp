// From the leaves to the root, after Parla's synthetic suite: leaves update blocks of their own; an
// inner task adds its other children's blocks to its first child's.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"
#include "workloads/tree_levels.h"

namespace parley::workloads {
namespace {

GeneratorSize reduce_size(const GeneratorValues& values) {
  const double nodes = TreeLevels(values).node_count();
  return {nodes, nodes * real_of(values, "branch")};
}

core::Result<core::Program> make_reduce(const GeneratorValues& values) {
  const TreeLevels levels(values);
  ProgramBuilder builder("reduce", "from the leaves to the root of a tree");
  const TaskFamily node{"T", {}, stated_cost(duration_of(values))};
  const PlacementRule place(values);
  std::vector<core::RegionView> children;
  for (std::int64_t depth = levels.depth() - 1; depth >= 0; --depth) {
    const bool is_leaf = depth == levels.depth() - 1;
    std::vector<core::RegionView> blocks =
        is_leaf ? builder.add_blocks("B", levels.width(depth), values.at("block"))
                : std::vector<core::RegionView>{};
    for (std::int64_t i = 0; i < levels.width(depth); ++i) {
      std::vector<core::Access> accesses;
      if (!is_leaf) {
        const std::int64_t first = i * levels.branch();
        blocks.push_back(children[static_cast<std::size_t>(first)]);
        for (std::int64_t child = first + 1; child < first + levels.branch(); ++child) {
          accesses.push_back(in(children[static_cast<std::size_t>(child)]));
        }
      }
      accesses.push_back(inout(blocks[static_cast<std::size_t>(i)]));
      builder.spawn(node, {depth, i}, std::move(accesses), place(i), depth);
    }
    children = std::move(blocks);
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_reduce(GeneratorRegistry& registry);
void register_generator_reduce(GeneratorRegistry& registry) {
  registry.add({"reduce", "from the leaves to the root: each task adds up its children's blocks",
                joined(joined(TreeLevels::parameters(),
                              {block_parameter(25'000'000), duration_parameter(16'000'000)}),
                       placement_parameters()),
                reduce_size, make_reduce});
}

}  // namespace parley::workloads
