// A matrix of square tiles for the tiled algorithms, and the parameters and kernels they share.
// storage=tiles: one array a tile, A_2_1; storage=matrix: one array A, tiles are regions of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/graph/program.h"
#include "workloads/generator.h"
#include "workloads/program_builder.h"

namespace parley::workloads {

/// tiles, tile, dtype, storage, place, gpus, home, grid_rows.
std::vector<GeneratorParameter> tile_parameters(std::int64_t default_tiles);

class TileMatrix {
 public:
  enum class Part { kAll, kLower };
  struct Extent {
    std::int64_t rows = 0, columns = 0;  // in tiles
    Part part = Part::kAll;
  };

  /// In place of a seed: contents are undefined until written.
  static constexpr std::uint64_t kUndefined = 0;

  /// Random contents drawn with `seed`, each tile from a seed of its own; elements of [0, 1), and
  /// `diagonal` added to those on the matrix's diagonal.
  TileMatrix(ProgramBuilder& builder, const GeneratorValues& values, const std::string& name,
             Extent extent, std::uint64_t seed, double diagonal = 0.0);

  /// Tile (i, j). Requires: it is within the part.
  [[nodiscard]] core::RegionView operator()(std::int64_t i, std::int64_t j) const {
    return tiles_[static_cast<std::size_t>(i * extent_.columns + j)];
  }

  /// The matrix as what a program factorises. Requires: square.
  [[nodiscard]] core::Factorization factorized(core::Factorization::Kind kind) const;

 private:
  Extent extent_;
  std::vector<core::RegionView> tiles_;  // row-major; none above the part
};

/// "A_2_1", the array of tile (2, 1) of A.
std::string tile_name(const std::string& name, std::int64_t i, std::int64_t j);

/// A family of tasks that run `call` on tiles: `flops` and `touched` tiles read or written serve
/// the machines whose kernel table lacks the kernel.
TaskFamily tile_family(const GeneratorValues& values, std::string name, core::Kernel kernel,
                       double flops, double touched);

/// What to add to the diagonal of a square matrix of elements from [0, 1) so that its rows are
/// strictly dominated by their diagonal: its order, since the others of a row sum to less. The
/// lower triangle then is that of a symmetric positive definite matrix (Gershgorin), and LU needs
/// no pivots.
double dominant_diagonal(const GeneratorValues& values);

/// tile^3, the unit that tile kernels' flops are counted in.
double cube_of_tile(const GeneratorValues& values);

}  // namespace parley::workloads
