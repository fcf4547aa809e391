// Tile linear algebra by plain loops, in the wider of double and complex double, rounded once when
// stored. Right for any strides and type; large tiles go to a library where the build found one.
#include <cmath>
#include <complex>
#include <utility>
#include <vector>

#include "core/graph/element.h"
#include "exec/element.h"
#include "exec/kernel_registry.h"
#include "exec/tile_library.h"

namespace parley::exec {
namespace {

using core::DType;
using core::KernelCall;
using Operands = std::span<const HostOperand>;

// A matrix held in the type that is computed in. `is_transposed` swaps the indices of at().
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

constexpr auto kKeepNothing = [](std::int64_t, std::int64_t) { return false; };
constexpr auto kKeepUpper = [](std::int64_t i, std::int64_t j) { return j > i; };

// Calls work(C{}) with double, or complex double when the result is complex.
template <class Work>
void in_wide_type(const HostOperand& result, Work&& work) {
  if (core::is_complex(result.dtype)) {
    work(std::complex<double>{});
  } else {
    work(double{});
  }
}

bool flag(const KernelCall& call, std::string_view name) { return parameter(call, name) > 0.5; }

// alpha * product + beta * old; beta 0 ignores the old value, NaN included, as BLAS does.
template <class C>
C updated(double alpha, C product, double beta, C old) {
  return std::fpclassify(beta) == FP_ZERO ? alpha * product : alpha * product + beta * old;
}

void gemm(const KernelCall& call, Operands operands) {
  if (library::gemm(call, operands)) return;
  const double alpha = parameter(call, "alpha");
  const double beta = parameter(call, "beta");
  in_wide_type(operands[2], [&](auto zero) {
    using C = decltype(zero);
    const Matrix<C> a(operands[0], flag(call, "transpose_a"));
    const Matrix<C> b(operands[1], flag(call, "transpose_b"));
    Matrix<C> c(operands[2]);
    for (std::int64_t i = 0; i < c.rows(); ++i) {
      for (std::int64_t j = 0; j < c.columns(); ++j) {
        C product{};
        for (std::int64_t k = 0; k < a.columns(); ++k) product += a.at(i, k) * b.at(k, j);
        c.at(i, j) = updated(alpha, product, beta, c.at(i, j));
      }
    }
    c.store(operands[2], kKeepNothing);
  });
}

void syrk(const KernelCall& call, Operands operands) {
  if (library::syrk(call, operands)) return;
  const double alpha = parameter(call, "alpha");
  const double beta = parameter(call, "beta");
  in_wide_type(operands[1], [&](auto zero) {
    using C = decltype(zero);
    const Matrix<C> a(operands[0], flag(call, "transpose"));
    Matrix<C> c(operands[1]);
    for (std::int64_t i = 0; i < c.rows(); ++i) {
      for (std::int64_t j = 0; j <= i; ++j) {
        C product{};
        for (std::int64_t k = 0; k < a.columns(); ++k) product += a.at(i, k) * a.at(j, k);
        c.at(i, j) = updated(alpha, product, beta, c.at(i, j));
      }
    }
    c.store(operands[1], kKeepUpper);
  });
}

// Solves op(T) X = B in place by substitution, where op(T) is lower or upper triangular.
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

// op(T) as it stands left of X, and X: X op(T) is seen as op(T)^T X^T.
struct Seen {
  bool is_transposed;  // of T
  bool is_lower;       // after that
  bool is_left;

  Seen(const KernelCall& call, bool is_left_of_x, bool is_op_transposed)
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

void trsm(const KernelCall& call, Operands operands) {
  if (library::trsm(call, operands)) return;
  const double alpha = parameter(call, "alpha");
  const Seen seen(call, flag(call, "left"), flag(call, "transpose"));
  in_wide_type(operands[1], [&](auto zero) {
    using C = decltype(zero);
    const Matrix<C> t(operands[0], seen.is_transposed);
    const HostOperand target = seen.side(operands[1]);
    Matrix<C> x(target);
    for (std::int64_t i = 0; i < x.rows(); ++i) {
      for (std::int64_t j = 0; j < x.columns(); ++j) x.at(i, j) *= alpha;
    }
    solve_left(t, seen.is_lower, flag(call, "unit"), x);
    x.store(target, kKeepNothing);
  });
}

// alpha op(T) X. The elements of the other triangle are not looked at.
template <class C>
Matrix<C> triangular_product(const Matrix<C>& t, bool is_lower, bool is_unit, double alpha,
                             const Matrix<C>& x) {
  Matrix<C> y = x;
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    for (std::int64_t j = 0; j < x.columns(); ++j) {
      C total{};
      const std::int64_t to = is_lower ? i + 1 : t.rows();
      for (std::int64_t k = is_lower ? 0 : i; k < to; ++k) {
        total += is_unit && k == i ? x.at(k, j) : t.at(i, k) * x.at(k, j);
      }
      y.at(i, j) = alpha * total;
    }
  }
  return y;
}

void trmm(const KernelCall& call, Operands operands) {
  if (library::trmm(call, operands)) return;
  const Seen seen(call, flag(call, "left"), flag(call, "transpose"));
  in_wide_type(operands.back(), [&](auto zero) {
    using C = decltype(zero);
    const Matrix<C> t(operands[0], seen.is_transposed);
    const Matrix<C> x(seen.side(operands[1]));
    triangular_product(t, seen.is_lower, flag(call, "unit"), parameter(call, "alpha"), x)
        .store(seen.side(operands.back()), kKeepNothing);
  });
}

void trtri(const KernelCall& call, Operands operands) {
  if (library::trtri(call, operands)) return;
  const Seen seen(call, true, false);
  in_wide_type(operands[1], [&](auto zero) {
    using C = decltype(zero);
    const Matrix<C> t(operands[0]);
    Matrix<C> w(operands[1]);
    for (std::int64_t i = 0; i < w.rows(); ++i) {
      for (std::int64_t j = 0; j < w.columns(); ++j) w.at(i, j) = i == j ? 1.0 : 0.0;
    }
    solve_left(t, seen.is_lower, flag(call, "unit"), w);
    for (std::int64_t i = 0; i < w.rows(); ++i) {
      for (std::int64_t j = 0; j < w.columns(); ++j) {
        if (seen.is_lower ? j > i : j < i) w.at(i, j) = C{};
      }
    }
    w.store(operands[1], kKeepNothing);
  });
}

// Column by column. A matrix that is not positive definite gives NaN.
void potrf(const KernelCall&, Operands operands) {
  if (library::potrf(operands)) return;
  in_wide_type(operands[0], [&](auto zero) {
    using C = decltype(zero);
    Matrix<C> a(operands[0]);
    for (std::int64_t j = 0; j < a.rows(); ++j) {
      for (std::int64_t k = 0; k < j; ++k) a.at(j, j) -= a.at(j, k) * a.at(j, k);
      a.at(j, j) = std::sqrt(a.at(j, j));
      for (std::int64_t i = j + 1; i < a.rows(); ++i) {
        for (std::int64_t k = 0; k < j; ++k) a.at(i, j) -= a.at(i, k) * a.at(j, k);
        a.at(i, j) /= a.at(j, j);
      }
    }
    a.store(operands[0], kKeepUpper);
  });
}

void getrf(const KernelCall&, Operands operands) {
  if (library::getrf(operands)) return;
  in_wide_type(operands[0], [&](auto zero) {
    using C = decltype(zero);
    Matrix<C> a(operands[0]);
    for (std::int64_t k = 0; k < a.rows(); ++k) {
      for (std::int64_t i = k + 1; i < a.rows(); ++i) {
        a.at(i, k) /= a.at(k, k);
        for (std::int64_t j = k + 1; j < a.columns(); ++j) a.at(i, j) -= a.at(i, k) * a.at(k, j);
      }
    }
    a.store(operands[0], kKeepNothing);
  });
}

}  // namespace

void register_kernel_tiles(KernelRegistry& registry);

void register_kernel_tiles(KernelRegistry& registry) {
  registry.add("gemm", gemm);
  registry.add("syrk", syrk);
  registry.add("trsm", trsm);
  registry.add("trmm", trmm);
  registry.add("trtri", trtri);
  registry.add("potrf", potrf);
  registry.add("getrf", getrf);
}

}  // namespace parley::exec
