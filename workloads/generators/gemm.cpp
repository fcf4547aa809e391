// Product of two matrices by tiles: C = A B. The first update of a tile of C only writes it.
#include "workloads/generator_parameters.h"
#include "workloads/tile_matrix.h"

namespace parley::workloads {
namespace {

GeneratorSize gemm_size(const GeneratorValues& values) {
  const double tiles = real_of(values, "tiles");
  const double tasks = tiles * tiles * real_of(values, "depth");
  return {tasks, 3 * tasks};
}

core::Result<core::Program> make_gemm(const GeneratorValues& values) {
  const std::int64_t tiles = values.at("tiles");
  const std::int64_t depth = values.at("depth");
  ProgramBuilder builder("gemm", "tiled matrix product");
  const TileMatrix a(builder, values, "A", {tiles, depth}, 1);
  const TileMatrix b(builder, values, "B", {depth, tiles}, std::uint64_t{1} << 48U);
  const TileMatrix c(builder, values, "C", {tiles, tiles}, TileMatrix::kUndefined);

  const double flops = 2 * cube_of_tile(values);
  const TaskFamily first =
      tile_family(values, "gemm", {kernel_call("gemm", {0, 1, 2}, {{"beta", 0.0}})}, flops, 3);
  const TaskFamily next = tile_family(values, "gemm", {kernel_call("gemm", {0, 1, 2})}, flops, 4);
  const PlacementRule place(values);
  for (std::int64_t k = 0; k < depth; ++k) {
    for (std::int64_t i = 0; i < tiles; ++i) {
      for (std::int64_t j = 0; j < tiles; ++j) {
        const core::Access target = k == 0 ? out(c(i, j)) : inout(c(i, j));
        builder.spawn(k == 0 ? first : next, {i, j, k}, {in(a(i, k)), in(b(k, j)), target},
                      place(i), depth - k);
      }
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_gemm(GeneratorRegistry& registry);
void register_generator_gemm(GeneratorRegistry& registry) {
  registry.add({"gemm", "tiled matrix product: tiles x tiles x depth tasks",
                joined({number_parameter("depth", 1, 1024, 8, "tiles along the inner dimension")},
                       tile_parameters(8)),
                gemm_size, make_gemm});
}

}  // namespace parley::workloads
