// How well a factorisation reproduces its matrix, with a random vector x:
//     max |A x - L (L^T x)| / (n eps max-row-sum(|A|) max |x|)        Cholesky; L (U x) for LU
// A wrong tile would have to be orthogonal to x to go unnoticed. The matrix is made again from its
// initial contents, row by row, so that memory for a few vectors is all that is needed; the work is
// that of three products of a matrix and a vector, spread over threads.
#pragma once

#include <optional>
#include <string>

#include "core/base/ids.h"
#include "core/graph/program.h"
#include "exec/executor.h"

namespace parley::exec {

struct Residual {
  /// Rounding of a backward stable factorisation stays below about 1 (Higham, Accuracy and
  /// Stability of Numerical Algorithms, 2002, theorems 10.3 and 9.3), and far below in practice.
  static constexpr double kMost = 4.0;

  double value = 0.0;  // NaN when the factors are not finite
  std::optional<std::string>
      not_finite;  // the first such element of the factors, "A_1_0[2, 3]: nan"
  [[nodiscard]] bool holds() const { return !not_finite && value <= kMost; }
};

/// Requires: the program has a factorization; `arrays` holds the final contents of its arrays.
Residual factorization_residual(const core::Program& program,
                                const core::IdVector<core::ArrayId, ArrayContents>& arrays,
                                unsigned threads);

}  // namespace parley::exec
