// LU factorisation without pivoting, right-looking, by tiles: A = L U in place. Tasks as in
// Buttari, Langou, Kurzak and Dongarra 2009, with the incremental pivoting left out.
#include <algorithm>

#include "workloads/generator_parameters.h"
#include "workloads/tile_matrix.h"

namespace parley::workloads {
namespace {

GeneratorSize lu_size(const GeneratorValues& values) {
  const double n = real_of(values, "tiles");
  const double solves = n * (n - 1), updates = n * (n - 1) * (2 * n - 1) / 6;
  return {n + solves + updates, n + 2 * solves + 3 * updates};
}

core::Result<core::Program> make_lu(const GeneratorValues& values) {
  const std::int64_t tiles = values.at("tiles");
  ProgramBuilder builder("lu", "tiled LU factorisation without pivoting, right-looking");
  const TileMatrix a(builder, values, "A", {tiles, tiles}, 1, dominant_diagonal(values));
  builder.set_factorization(a.factorized(core::Factorization::Kind::kLu));

  const double cube = cube_of_tile(values);
  const TaskFamily getrf =
      tile_family(values, "getrf", {kernel_call("getrf", {0})}, cube * 2 / 3, 2);
  const TaskFamily row = tile_family(
      values, "trsm_row",
      {kernel_call("trsm", {0, 1}, {{"left", 1.0}, {"transpose", 0.0}, {"unit", 1.0}})}, cube, 3);
  const TaskFamily column =
      tile_family(values, "trsm_column",
                  {kernel_call("trsm", {0, 1}, {{"upper", 1.0}, {"transpose", 0.0}})}, cube, 3);
  const TaskFamily gemm =
      tile_family(values, "gemm", {kernel_call("gemm", {0, 1, 2}, {{"alpha", -1.0}})}, 2 * cube, 4);

  // Longest paths, in tasks: getrf, a solve and an update for each diagonal tile still to come;
  // updates of one tile follow each other.
  const auto factor_path = [&](std::int64_t k) { return 3 * (tiles - 1 - k) + 1; };
  const auto solve_path = [&](std::int64_t i, std::int64_t k) {
    return 2 * (i - k) + factor_path(i);
  };
  const PlacementRule place(values);
  for (std::int64_t k = 0; k < tiles; ++k) {
    builder.spawn(getrf, {k}, {inout(a(k, k))}, place(k), factor_path(k));
    for (std::int64_t i = k + 1; i < tiles; ++i) {
      builder.spawn(row, {k, i}, {in(a(k, k)), inout(a(k, i))}, place(k), solve_path(i, k));
      builder.spawn(column, {i, k}, {in(a(k, k)), inout(a(i, k))}, place(i), solve_path(i, k));
    }
    for (std::int64_t i = k + 1; i < tiles; ++i) {
      for (std::int64_t j = k + 1; j < tiles; ++j) {
        const std::int64_t near = std::min(i, j), far = std::max(i, j);
        builder.spawn(gemm, {i, j, k}, {in(a(i, k)), in(a(k, j)), inout(a(i, j))}, place(i),
                      near - k + (near == far ? factor_path(near) : solve_path(far, near)));
      }
    }
  }
  return std::move(builder).finish();
}

}  // namespace

void register_generator_lu(GeneratorRegistry& registry);
void register_generator_lu(GeneratorRegistry& registry) {
  registry.add({"lu", "tiled LU factorisation without pivoting: n(n+1)(2n+1)/6 tasks for n tiles",
                tile_parameters(16), lu_size, make_lu});
}

}  // namespace parley::workloads
