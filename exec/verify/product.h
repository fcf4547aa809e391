// Matrix products judged with a random vector x: a tile C of sums of op(A) op(B) must satisfy
// C x = sum of op(A) (op(B) x), which takes products of matrices and vectors only (Freivalds,
// "Probabilistic machines can use less running time", 1977). For programs of nothing but gemm,
// whose factors keep their initial contents; these are made again row by row.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/graph/program.h"
#include "exec/executor.h"

namespace parley::exec {

struct ProductCheck {
  std::vector<core::ArrayId> arrays;  // with tiles that were judged, ascending
  double worst = 0.0;                 // greatest error over what rounding allows
  std::vector<std::string> failures;  // a line for each wrong tile: "C_1_2[5, :] x: found ..."
};

/// Nothing when the program is not of that kind: every task one gemm of two matrices that no task
/// writes into a third, all of one type, float32 or float64; written tiles equal or disjoint.
std::optional<ProductCheck> check_products(
    const core::Program& program, const core::IdVector<core::TaskId, std::uint16_t>& alternatives,
    const core::IdVector<core::ArrayId, ArrayContents>& arrays, unsigned threads);

}  // namespace parley::exec
