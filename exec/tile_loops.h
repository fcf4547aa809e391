// What the plain loops of tile linear algebra share: they compute in the wider of double and
// complex double, rounded once when stored. Right for any strides and type; large tiles go to a
// library where the build found one (tile_library.h).
#pragma once

#include <cmath>
#include <complex>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/graph/element.h"
#include "exec/element.h"
#include "exec/kernel_registry.h"
#include "exec/tile_library.h"

namespace parley::exec::loops {

/// A matrix held in the type that is computed in. `is_transposed` swaps the indices of at().
template <class C>
class Matrix {
 public:
  explicit Matrix(const HostOperand& operand, bool is_transposed = false)
      : rows_(operand.shape[0]), columns_(operand.shape[1]), is_transposed_(is_transposed) {
    values_.resize(static_cast<std::size_t>(rows_ * columns_));
    for (std::int64_t i = 0; i < rows_; ++i) {
      for (std::int64_t j = 0; j < columns_; ++j) {
        values_[index(i, j)] = load_element<C>(operand.dtype, address(operand, i, j));
      }
    }
  }

  [[nodiscard]] std::int64_t rows() const { return is_transposed_ ? columns_ : rows_; }
  [[nodiscard]] std::int64_t columns() const { return is_transposed_ ? rows_ : columns_; }
  [[nodiscard]] bool is_transposed() const { return is_transposed_; }
  C& at(std::int64_t i, std::int64_t j) {
    return values_[is_transposed_ ? index(j, i) : index(i, j)];
  }
  const C& at(std::int64_t i, std::int64_t j) const {
    return values_[is_transposed_ ? index(j, i) : index(i, j)];
  }

  /// Writes the elements (i, j) for which is_kept(i, j) is false. Requires: not transposed.
  template <class Predicate>
  void store(const HostOperand& operand, Predicate&& is_kept) const {
    for (std::int64_t i = 0; i < rows_; ++i) {
      for (std::int64_t j = 0; j < columns_; ++j) {
        if (!is_kept(i, j)) store_element(operand.dtype, address(operand, i, j), at(i, j));
      }
    }
  }

 private:
  [[nodiscard]] std::size_t index(std::int64_t i, std::int64_t j) const {
    return static_cast<std::size_t>(i * columns_ + j);
  }
  static std::byte* address(const HostOperand& operand, std::int64_t i, std::int64_t j) {
    return operand.data + i * operand.strides[0] + j * operand.strides[1];
  }

  std::int64_t rows_, columns_;
  bool is_transposed_;
  std::vector<C> values_;
};

inline constexpr auto kKeepNothing = [](std::int64_t, std::int64_t) { return false; };
inline constexpr auto kKeepUpper = [](std::int64_t i, std::int64_t j) { return j > i; };

/// Calls work(C{}) with double, or complex double when the result is complex.
template <class Work>
void in_wide_type(const HostOperand& result, Work&& work) {
  if (core::is_complex(result.dtype)) {
    work(std::complex<double>{});
  } else {
    work(double{});
  }
}

inline bool flag(const core::KernelCall& call, std::string_view name) {
  return parameter(call, name) > 0.5;
}

/// alpha * product + beta * old; beta 0 ignores the old value, NaN included, as BLAS does.
template <class C>
C updated(double alpha, C product, double beta, C old) {
  return std::fpclassify(beta) == FP_ZERO ? alpha * product : alpha * product + beta * old;
}

/// Solves op(T) X = B in place by substitution, where op(T) is lower or upper triangular.
template <class C>
void solve_left(const Matrix<C>& t, bool is_lower, bool is_unit, Matrix<C>& x) {
  const std::int64_t n = t.rows();
  for (std::int64_t column = 0; column < x.columns(); ++column) {
    for (std::int64_t step = 0; step < n; ++step) {
      const std::int64_t i = is_lower ? step : n - 1 - step;
      C value = x.at(i, column);
      const std::int64_t from = is_lower ? 0 : i + 1;
      const std::int64_t to = is_lower ? i : n;
      for (std::int64_t k = from; k < to; ++k) value -= t.at(i, k) * x.at(k, column);
      x.at(i, column) = is_unit ? value : value / t.at(i, i);
    }
  }
}

/// op(T) as it stands left of X, and X: X op(T) is seen as op(T)^T X^T.
struct Seen {
  bool is_transposed;  // of T
  bool is_lower;       // after that
  bool is_left;

  Seen(const core::KernelCall& call, bool is_left_of_x, bool is_op_transposed)
      : is_transposed(is_op_transposed != !is_left_of_x),
        is_lower(flag(call, "upper") == is_transposed),
        is_left(is_left_of_x) {}

  [[nodiscard]] HostOperand side(HostOperand operand) const {
    if (!is_left) {
      std::swap(operand.shape[0], operand.shape[1]);
      std::swap(operand.strides[0], operand.strides[1]);
    }
    return operand;
  }
};

}  // namespace parley::exec::loops
