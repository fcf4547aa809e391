// What a program factorises, if it says so: a square matrix in tiles, each a region of some array.
// After the run the tiles hold the factors in place of the matrix. With this a result too large to
// be computed twice can be verified by its residual; nothing else looks at it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"

namespace parley::core {

class Program;

struct Factorization {
  enum class Kind : std::uint8_t {
    kCholesky,  // A = L L^T: the lower triangle of A, then of L; tiles above the diagonal are none
    kLu,        // A = L U without pivoting: L below the diagonal, its own of ones; U from there on
  };
  Kind kind = Kind::kCholesky;
  std::size_t rows = 0;         // tiles along each edge
  std::vector<RegionId> tiles;  // row-major, rows x rows

  [[nodiscard]] RegionId tile(std::size_t i, std::size_t j) const { return tiles[i * rows + j]; }
  bool operator==(const Factorization&) const = default;
};

std::string_view name_of(Factorization::Kind kind);  // "cholesky", "lu"

/// What is wrong with it, with `where` such as "tiles[2][1]", or nothing: a tile is missing, or
/// above the diagonal (kCholesky), or no matrix; is named twice; its edges are not those of the
/// diagonal tiles of its row and column; its type is not that of the first one, float32 or float64;
/// its array has no initial contents.
Faults factorization_faults(const Program& program, const Factorization& factorization);

}  // namespace parley::core
