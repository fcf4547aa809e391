#include "exec/tile_library.h"

#ifdef PARLEY_OPENBLAS

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

extern "C" {
// LAPACK's own interface; OpenBLAS has optimised versions of both.
void spotrf_(const char* uplo, const int* n, float* a, const int* lda, int* info, std::size_t);
void dpotrf_(const char* uplo, const int* n, double* a, const int* lda, int* info, std::size_t);
}

namespace parley::exec::library {
namespace {

using core::DType;
using core::KernelCall;

// Multiplications from which a call is worth it; below, results stay those of the plain loops.
constexpr double kLeastWork = 64.0 * 64.0 * 64.0;

template <class T>
struct Cblas;
template <>
struct Cblas<float> {
  static constexpr auto kGemm = cblas_sgemm;
  static constexpr auto kSyrk = cblas_ssyrk;
  static constexpr auto kTrsm = cblas_strsm;
  static constexpr auto kTrmm = cblas_strmm;
  static constexpr auto kPotrf = spotrf_;
};
template <>
struct Cblas<double> {
  static constexpr auto kGemm = cblas_dgemm;
  static constexpr auto kSyrk = cblas_dsyrk;
  static constexpr auto kTrsm = cblas_dtrsm;
  static constexpr auto kTrmm = cblas_dtrmm;
  static constexpr auto kPotrf = dpotrf_;
};

bool flag(const KernelCall& call, std::string_view name) { return parameter(call, name) > 0.5; }
CBLAS_TRANSPOSE operation(bool is_transposed) { return is_transposed ? CblasTrans : CblasNoTrans; }

// Row-major with a leading dimension.
template <class T>
struct Rows {
  T* data;
  int rows, columns, leading;
};

template <class T>
Rows<T> rows(const HostOperand& operand) {
  const auto bytes = static_cast<std::int64_t>(sizeof(T));
  const std::int64_t columns = operand.shape[1];
  const std::int64_t leading = operand.shape[0] > 1 ? operand.strides[0] / bytes : columns;
  return {reinterpret_cast<T*>(operand.data), static_cast<int>(operand.shape[0]),
          static_cast<int>(columns), static_cast<int>(std::max<std::int64_t>(leading, 1))};
}

bool is_in_rows(const HostOperand& operand) {
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  const std::int64_t bytes = core::element_bytes(operand.dtype);
  const std::int64_t m = operand.shape[0], n = operand.shape[1];
  if (n > 1 && operand.strides[1] != bytes) return false;
  const std::int64_t stride = operand.strides[0];
  if (m > 1 && (stride % bytes != 0 || stride < n * bytes || stride / bytes > kMost)) return false;
  return m <= kMost && n <= kMost;
}

// The library computes in place, so the target (the last) must not be a source too.
bool suits(Operands operands, double work) {
  if (work < kLeastWork) return false;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const HostOperand& one = operands[i];
    if (one.dtype != operands[0].dtype || !is_in_rows(one)) return false;
    if (i + 1 < operands.size() && one.data == operands.back().data) return false;
  }
  return operands[0].dtype == DType::kFloat32 || operands[0].dtype == DType::kFloat64;
}

double extent(const HostOperand& operand, std::size_t dim) {
  return static_cast<double>(operand.shape[dim]);
}

// Calls work(T{}) for float or double, after the library has been told to use one thread.
template <class Work>
bool compute(DType dtype, Work&& work) {
  static const bool is_single_threaded = [] {
    openblas_set_num_threads(1);
    return true;
  }();
  if (dtype == DType::kFloat32) {
    work(float{});
  } else {
    work(double{});
  }
  return is_single_threaded;
}

// What a triangular call says of T.
struct Triangle {
  CBLAS_SIDE side;
  CBLAS_UPLO uplo;
  CBLAS_TRANSPOSE operation;
  CBLAS_DIAG diagonal;

  Triangle(const KernelCall& call, bool is_left, bool is_transposed)
      : side(is_left ? CblasLeft : CblasRight),
        uplo(flag(call, "upper") ? CblasUpper : CblasLower),
        operation(library::operation(is_transposed)),
        diagonal(flag(call, "unit") ? CblasUnit : CblasNonUnit) {}
};

template <class T>
void copy_rows(const Rows<T>& from, const Rows<T>& to) {
  for (int i = 0; i < from.rows; ++i) {
    const T* source = from.data + static_cast<std::ptrdiff_t>(i) * from.leading;
    std::copy(source, source + from.columns, to.data + static_cast<std::ptrdiff_t>(i) * to.leading);
  }
}

// LU without pivoting of the square block that starts at element `first` of the diagonal.
template <class T>
void factor_block(const Rows<T>& a, int first, int size) {
  const auto at = [&](int i, int j) -> T& {
    return a.data[static_cast<std::ptrdiff_t>(first + i) * a.leading + first + j];
  };
  for (int k = 0; k < size; ++k) {
    for (int i = k + 1; i < size; ++i) {
      at(i, k) /= at(k, k);
      for (int j = k + 1; j < size; ++j) at(i, j) -= at(i, k) * at(k, j);
    }
  }
}

// Block by block: the diagonal block, the panels right of and below it, the rest (Golub, Van Loan,
// Matrix Computations, 3.2.10).
template <class T>
void factor_lu(const Rows<T>& a) {
  constexpr int kBlock = 48;
  for (int first = 0; first < a.rows; first += kBlock) {
    const int size = std::min(kBlock, a.rows - first);
    const int rest = a.rows - first - size;
    factor_block(a, first, size);
    if (rest == 0) return;
    T* corner = a.data + static_cast<std::ptrdiff_t>(first) * a.leading + first;
    T* right = corner + size;
    T* below = corner + static_cast<std::ptrdiff_t>(size) * a.leading;
    Cblas<T>::kTrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasUnit, size, rest, T{1},
                    corner, a.leading, right, a.leading);
    Cblas<T>::kTrsm(CblasRowMajor, CblasRight, CblasUpper, CblasNoTrans, CblasNonUnit, rest, size,
                    T{1}, corner, a.leading, below, a.leading);
    Cblas<T>::kGemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rest, rest, size, T{-1}, below,
                    a.leading, right, a.leading, T{1}, below + size, a.leading);
  }
}

}  // namespace

bool is_built() { return true; }

bool gemm(const KernelCall& call, Operands operands) {
  const bool is_a_transposed = flag(call, "transpose_a");
  const double inner = extent(operands[0], is_a_transposed ? 0 : 1);
  if (!suits(operands, extent(operands[2], 0) * extent(operands[2], 1) * inner)) return false;
  return compute(operands[0].dtype, [&]<class T>(T) {
    const Rows<T> a = rows<T>(operands[0]), b = rows<T>(operands[1]), c = rows<T>(operands[2]);
    Cblas<T>::kGemm(CblasRowMajor, operation(is_a_transposed), operation(flag(call, "transpose_b")),
                    c.rows, c.columns, is_a_transposed ? a.rows : a.columns,
                    static_cast<T>(parameter(call, "alpha")), a.data, a.leading, b.data, b.leading,
                    static_cast<T>(parameter(call, "beta")), c.data, c.leading);
  });
}

bool syrk(const KernelCall& call, Operands operands) {
  const bool is_transposed = flag(call, "transpose");
  const double inner = extent(operands[0], is_transposed ? 0 : 1);
  if (!suits(operands, extent(operands[1], 0) * extent(operands[1], 1) * inner)) return false;
  return compute(operands[0].dtype, [&]<class T>(T) {
    const Rows<T> a = rows<T>(operands[0]), c = rows<T>(operands[1]);
    Cblas<T>::kSyrk(CblasRowMajor, CblasLower, operation(is_transposed), c.rows,
                    is_transposed ? a.rows : a.columns, static_cast<T>(parameter(call, "alpha")),
                    a.data, a.leading, static_cast<T>(parameter(call, "beta")), c.data, c.leading);
  });
}

bool trsm(const KernelCall& call, Operands operands) {
  const double work = extent(operands[0], 0) * extent(operands[1], 0) * extent(operands[1], 1);
  if (!suits(operands, work)) return false;
  const Triangle how(call, flag(call, "left"), flag(call, "transpose"));
  return compute(operands[0].dtype, [&]<class T>(T) {
    const Rows<T> t = rows<T>(operands[0]), x = rows<T>(operands[1]);
    Cblas<T>::kTrsm(CblasRowMajor, how.side, how.uplo, how.operation, how.diagonal, x.rows,
                    x.columns, static_cast<T>(parameter(call, "alpha")), t.data, t.leading, x.data,
                    x.leading);
  });
}

bool trmm(const KernelCall& call, Operands operands) {
  const double work = extent(operands[0], 0) * extent(operands[1], 0) * extent(operands[1], 1);
  if (!suits(operands, work)) return false;
  const Triangle how(call, flag(call, "left"), flag(call, "transpose"));
  return compute(operands[0].dtype, [&]<class T>(T) {
    const Rows<T> t = rows<T>(operands[0]), y = rows<T>(operands.back());
    if (operands.size() > 2) copy_rows(rows<T>(operands[1]), y);
    Cblas<T>::kTrmm(CblasRowMajor, how.side, how.uplo, how.operation, how.diagonal, y.rows,
                    y.columns, static_cast<T>(parameter(call, "alpha")), t.data, t.leading, y.data,
                    y.leading);
  });
}

// Solving with the identity leaves the zeros of the other triangle.
bool trtri(const KernelCall& call, Operands operands) {
  const double n = extent(operands[0], 0);
  if (!suits(operands, n * n * n)) return false;
  const Triangle how(call, true, false);
  return compute(operands[0].dtype, [&]<class T>(T) {
    const Rows<T> t = rows<T>(operands[0]), w = rows<T>(operands[1]);
    for (int i = 0; i < w.rows; ++i) {
      T* row = w.data + static_cast<std::ptrdiff_t>(i) * w.leading;
      std::fill(row, row + w.columns, T{});
      row[i] = T{1};
    }
    Cblas<T>::kTrsm(CblasRowMajor, how.side, how.uplo, how.operation, how.diagonal, w.rows,
                    w.columns, T{1}, t.data, t.leading, w.data, w.leading);
  });
}

// The lower triangle of rows is the upper one of columns. A matrix that is not positive definite
// gets NaN on the diagonal from the element on where that shows.
bool potrf(Operands operands) {
  const double n = extent(operands[0], 0);
  if (!suits(operands, n * n * n)) return false;
  return compute(operands[0].dtype, [&]<class T>(T) {
    const Rows<T> a = rows<T>(operands[0]);
    int info = 0;
    Cblas<T>::kPotrf("U", &a.rows, a.data, &a.leading, &info, 1);
    for (int i = info - 1; i >= 0 && i < a.rows; ++i) {
      a.data[static_cast<std::ptrdiff_t>(i) * a.leading + i] = std::numeric_limits<T>::quiet_NaN();
    }
  });
}

bool getrf(Operands operands) {
  const double n = extent(operands[0], 0);
  if (!suits(operands, n * n * n)) return false;
  return compute(operands[0].dtype, [&]<class T>(T) { factor_lu(rows<T>(operands[0])); });
}

}  // namespace parley::exec::library

#else

namespace parley::exec::library {

bool is_built() { return false; }
bool gemm(const core::KernelCall&, Operands) { return false; }
bool syrk(const core::KernelCall&, Operands) { return false; }
bool trsm(const core::KernelCall&, Operands) { return false; }
bool trmm(const core::KernelCall&, Operands) { return false; }
bool trtri(const core::KernelCall&, Operands) { return false; }
bool potrf(Operands) { return false; }
bool getrf(Operands) { return false; }

}  // namespace parley::exec::library

#endif
