// Cholesky factorisation of a symmetric positive definite matrix, right-looking, by tiles of the
// lower triangle: L L^T = A in place. Tasks as in Buttari, Langou, Kurzak and Dongarra, "A class of
// parallel tiled linear algebra algorithms for multicore architectures", 2009.
#include "workloads/generator_parameters.h"
#include "workloads/tile_matrix.h"

namespace parley::workloads {
namespace {

/// Number of tasks on the longest path from a task to the end, its own included: updates of a tile
/// follow each other up to its factorisation, and potrf, trsm, syrk repeat down the diagonal.
struct LongestPath {
  std::int64_t tiles;

  [[nodiscard]] std::int64_t potrf(std::int64_t k) const { return 3 * (tiles - 1 - k) + 1; }
  [[nodiscard]] std::int64_t syrk(std::int64_t i, std::int64_t k) const { return i - k + potrf(i); }
  [[nodiscard]] std::int64_t trsm(std::int64_t i, std::int64_t k) const {
    return 2 * (i - k) + potrf(i);
  }
  [[nodiscard]] std::int64_t gemm(std::int64_t i, std::int64_t j, std::int64_t k) const {
    return j - k + trsm(i, j);
  }
};

GeneratorSize size(const GeneratorValues& values) {
  const double n = real_of(values, "tiles");
  const double pairs = n * (n - 1) / 2, triples = n * (n - 1) * (n - 2) / 6;
  return {n + 2 * pairs + triples, n + 4 * pairs + 3 * triples};
}

core::Result<core::Program> make(const GeneratorValues& values) {
  const std::int64_t tiles = values.at("tiles");
  ProgramBuilder builder("cholesky", "tiled Cholesky factorisation, right-looking, lower triangle");
  const TileMatrix a(builder, values, "A", {tiles, tiles, TileMatrix::Part::kLower}, 1);

  const double cube = cube_of_tile(values);
  const TaskFamily potrf = tile_family(values, "potrf", {kernel_call("potrf", {0})}, cube / 3, 2);
  const TaskFamily trsm = tile_family(values, "trsm", {kernel_call("trsm", {0, 1})}, cube, 3);
  const TaskFamily syrk =
      tile_family(values, "syrk", {kernel_call("syrk", {0, 1}, {{"alpha", -1.0}})}, cube, 3);
  const TaskFamily gemm = tile_family(
      values, "gemm", {kernel_call("gemm", {0, 1, 2}, {{"alpha", -1.0}, {"transpose_b", 1.0}})},
      2 * cube, 4);

  const PlacementRule place(values);
  const LongestPath path{tiles};
  for (std::int64_t k = 0; k < tiles; ++k) {
    builder.spawn(potrf, {k}, {inout(a(k, k))}, place(k), path.potrf(k));
    for (std::int64_t i = k + 1; i < tiles; ++i) {
      builder.spawn(trsm, {i, k}, {in(a(k, k)), inout(a(i, k))}, place(i), path.trsm(i, k));
    }
    for (std::int64_t i = k + 1; i < tiles; ++i) {
      for (std::int64_t j = k + 1; j < i; ++j) {
        builder.spawn(gemm, {i, j, k}, {in(a(i, k)), in(a(j, k)), inout(a(i, j))}, place(i),
                      path.gemm(i, j, k));
      }
      builder.spawn(syrk, {i, k}, {in(a(i, k)), inout(a(i, i))}, place(i), path.syrk(i, k));
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_cholesky(GeneratorRegistry& registry);
void register_generator_cholesky(GeneratorRegistry& registry) {
  registry.add({"cholesky",
                "tiled Cholesky factorisation, right-looking: n(n+1)(n+2)/6 tasks for n tiles",
                tile_parameters(32), size, make});
}

}  // namespace parley::workloads
