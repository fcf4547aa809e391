// A grid of processes, here devices, that the blocks of a matrix are dealt out to: block (i, j) to
// the process in row i modulo `rows` and column j modulo `columns` (block-cyclic distribution:
// Blackford et al., ScaLAPACK Users' Guide, 1997, chapter 4).
#pragma once

#include <cstdint>

namespace parley::core {

struct ProcessGrid {
  std::int64_t rows = 1, columns = 1;

  /// Number of the process, row-major. Requires: i, j >= 0.
  [[nodiscard]] constexpr std::int64_t owner(std::int64_t i, std::int64_t j) const {
    return i % rows * columns + j % columns;
  }
  [[nodiscard]] constexpr std::int64_t size() const { return rows * columns; }

  /// All of `count` processes in a grid that is as square as can be, no more rows than columns. In
  /// that orientation the columns of a lower triangle, whose work differs less than that of its
  /// rows, are dealt out more finely. Requires: count > 0.
  static constexpr ProcessGrid of(std::int64_t count) {
    ProcessGrid grid{1, count};
    for (std::int64_t rows = 1; rows * rows <= count; ++rows) {
      if (count % rows == 0) grid = {rows, count / rows};
    }
    return grid;
  }
};

}  // namespace parley::core
