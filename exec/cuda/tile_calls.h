// What the kernels of tile linear algebra share. They go to cuBLAS and cuSOLVER; to plain kernels
// where these have no such type, stride or sharing of memory. The libraries see row-major matrices
// as transposes, so sides, triangles and transposes are turned round (the identities are at each
// call). Results differ from the host's by rounding only: products within k * eps of |op(A)|
// |op(B)|, solutions and factors with residuals of a few n * eps, where float32 is computed in
// float32 (the host computes in double and rounds once).
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "core/graph/element.h"
#include "exec/cuda/blas.h"
#include "exec/cuda/dense.h"
#include "exec/cuda/plain_tiles.h"

namespace parley::exec::cuda::tile {

inline constexpr std::size_t kInfoBytes = 256;  // the solver's status comes first in the workspace

inline bool flag(const core::KernelCall& call, std::string_view name) {
  return *core::parameter_of(call, name) > 0.5;
}

inline cublasOperation_t operation(bool is_transposed) {
  return is_transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
}
inline cublasFillMode_t triangle(bool is_upper) {
  return is_upper ? CUBLAS_FILL_MODE_UPPER : CUBLAS_FILL_MODE_LOWER;
}
inline cublasSideMode_t side(bool is_left) {
  return is_left ? CUBLAS_SIDE_LEFT : CUBLAS_SIDE_RIGHT;
}
inline cublasDiagType_t diagonal(bool is_unit) {
  return is_unit ? CUBLAS_DIAG_UNIT : CUBLAS_DIAG_NON_UNIT;
}

/// Arguments `a` and `b` of the call are the same memory.
inline bool are_one(const core::KernelCall& call, std::size_t a, std::size_t b) {
  if (call.arguments.size() <= std::max(a, b)) return false;
  const core::KernelArgument& first = call.arguments[a];
  const core::KernelArgument& second = call.arguments[b];
  return first.is_scratch == second.is_scratch && first.index == second.index;
}

/// All operands as the libraries see them, if they have one type there, and the target (the last)
/// shares no memory with those before it.
template <std::size_t N>
std::optional<std::array<Dense, N>> all_dense(const core::KernelCall& call, Operands operands) {
  std::array<Dense, N> all;
  for (std::size_t i = 0; i < N; ++i) {
    if (operands[i].dtype != operands[0].dtype) return std::nullopt;
    if (i + 1 < N && are_one(call, i, N - 1)) return std::nullopt;
    const std::optional<Dense> one = dense(operands[i]);
    if (!one) return std::nullopt;
    all[i] = *one;
  }
  return all;
}

inline bool is_empty(const DeviceOperand& operand) { return operand.size() == 0; }

// ---- triangular ----

/// How the libraries see op(T) beside X. With X stored transposed, op(T) X = B is
/// X^T op(T)^T = B^T.
struct Triangular {
  cublasSideMode_t on;
  cublasFillMode_t filled;
  cublasOperation_t turned;
  cublasDiagType_t ones;

  Triangular(const core::KernelCall& call, bool is_left, bool is_transposed, const Dense& t,
             const Dense& x)
      : on(side(is_left != x.is_transposed)),
        filled(triangle(flag(call, "upper") != t.is_transposed)),
        turned(operation((is_transposed != x.is_transposed) != t.is_transposed)),
        ones(diagonal(flag(call, "unit"))) {}
};

/// X = alpha op(T)^-1 X, or from the right.
inline void solve(const Triangular& how, core::DType dtype, double alpha, const Dense& t,
                  const Dense& x, const LaunchContext& context) {
  with_blas(dtype, [&]<class T>(Blas<T>) {
    using Scalar = typename Blas<T>::Scalar;
    const auto a = scalar<Scalar>(alpha);
    check_blas(
        Blas<T>::kTrsm(context.blas, how.on, how.filled, how.turned, how.ones, x.stored_rows(),
                       x.stored_columns(), &a, static_cast<const Scalar*>(t.data), t.leading,
                       static_cast<Scalar*>(x.data), x.leading),
        "trsm");
  });
}

// ---- factorisations ----

inline int* info_of(const LaunchContext& context) {
  return reinterpret_cast<int*>(context.workspace);
}

template <class Scalar>
Scalar* solver_buffer(const LaunchContext& context) {
  return reinterpret_cast<Scalar*>(context.workspace + kInfoBytes);
}

}  // namespace parley::exec::cuda::tile
