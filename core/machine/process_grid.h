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

  /// All of `count` processes in a grid that is as square as can be, no more columns than rows: a
  /// column of tiles, which a factorisation solves for in one go, is then spread over as many
  /// processes as possible. Requires: count > 0.
  static constexpr ProcessGrid of(std::int64_t count) {
    ProcessGrid grid{count, 1};
    for (std::int64_t columns = 1; columns * columns <= count; ++columns) {
      if (count % columns == 0) grid = {count / columns, columns};
    }
    return grid;
  }
};

}  // namespace parley::core
