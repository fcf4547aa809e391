// The inverse of a triangular tile by products: blocks of 32 on the diagonal by substitution, then
// ever larger ones by W12 = -W11 T12 W22 (Higham, Accuracy and Stability of Numerical Algorithms,
// 14.2). A dozen large steps, where solving against the identity is a long chain of small ones.
#pragma once

#include <cublas_v2.h>

#include <cstddef>
#include <cstdint>

#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {

/// Whether the tile's edge is one that halves down to the blocks.
bool has_inverse_by_products(std::int64_t n);
/// Elements of workspace.
std::int64_t inverse_workspace(std::int64_t n);

/// W = T^-1, both column-major, `is_upper` as they are stored. The other triangle of W is not
/// written outside the blocks on the diagonal. Requires: has_inverse_by_products(n).
void invert_by_products(const double* t, std::int64_t t_leading, double* w, std::int64_t w_leading,
                        std::int64_t n, bool is_upper, bool is_unit, double* workspace,
                        const LaunchContext& context);
void invert_by_products(const float* t, std::int64_t t_leading, float* w, std::int64_t w_leading,
                        std::int64_t n, bool is_upper, bool is_unit, float* workspace,
                        const LaunchContext& context);

}  // namespace parley::exec::cuda
