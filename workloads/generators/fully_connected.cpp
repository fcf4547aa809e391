// Layers in which every task reads all blocks of the layer before. Two sets of blocks take turns.
#include "workloads/generator_parameters.h"
#include "workloads/program_builder.h"

namespace parley::workloads {
namespace {

GeneratorSize fully_connected_size(const GeneratorValues& values) {
  const double layers = real_of(values, "layers"), width = real_of(values, "width");
  return {layers * width, layers * width * (width + 1)};
}

core::Result<core::Program> make_fully_connected(const GeneratorValues& values) {
  const std::int64_t layers = values.at("layers"), width = values.at("width");
  ProgramBuilder builder("fully_connected", "every task reads all blocks of the layer before");
  const std::vector<core::RegionView> blocks[] = {
      builder.add_blocks("U", width, values.at("block")),
      builder.add_blocks("V", width, values.at("block"))};
  const TaskFamily family{"T", {}, stated_cost(duration_of(values))};
  const PlacementRule place(values);
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    std::vector<core::Access> all;
    for (const core::RegionView block : blocks[layer % 2]) all.push_back(in(block));
    for (std::int64_t i = 0; i < width; ++i) {
      std::vector<core::Access> accesses = all;
      accesses.push_back(out(blocks[(layer + 1) % 2][static_cast<std::size_t>(i)]));
      builder.spawn(family, {layer, i}, std::move(accesses), place(i), layers - layer);
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_fully_connected(GeneratorRegistry& registry);
void register_generator_fully_connected(GeneratorRegistry& registry) {
  registry.add({"fully_connected", "layers in which every task reads all of the layer before",
                joined({number_parameter("layers", 1, 100'000, 8, "layers"),
                        number_parameter("width", 1, 1024, 16, "tasks of a layer"),
                        block_parameter(4 << 20), duration_parameter(1'000'000)},
                       placement_parameters()),
                fully_connected_size, make_fully_connected});
}

}  // namespace parley::workloads
