#include <cmath>
#include <utility>

#include "core/graph/element.h"
#include "exec/cuda/arithmetic.cuh"
#include "exec/cuda/plain_tiles.h"
#include "exec/cuda/views.cuh"

namespace parley::exec::cuda {
namespace {

using core::KernelCall;

constexpr int kThreads = 256;

struct Matrix {
  std::byte* data;
  DType dtype;
  std::int64_t rows, columns, row_stride, column_stride;  // strides in bytes

  [[nodiscard]] __host__ __device__ std::byte* at(std::int64_t i, std::int64_t j) const {
    return data + i * row_stride + j * column_stride;
  }
};

Matrix matrix(const DeviceOperand& operand, bool is_transposed = false) {
  Matrix m{operand.data,     operand.dtype,      operand.shape[0],
           operand.shape[1], operand.strides[0], operand.strides[1]};
  if (is_transposed) {
    std::swap(m.rows, m.columns);
    std::swap(m.row_stride, m.column_stride);
  }
  return m;
}

bool flag(const KernelCall& call, std::string_view name) {
  return *core::parameter_of(call, name) > 0.5;
}

// Calls work(C{}) with double, or complex double when the result is complex.
template <class Work>
void in_wide_type(const DeviceOperand& result, Work&& work) {
  if (core::is_complex(result.dtype)) {
    work(Complex<double>{});
  } else {
    work(double{});
  }
  check_cuda(cudaGetLastError(), "plain tile kernel");
}

// ---- to and from the workspace ----

enum class Part : std::uint8_t { kAll, kLower, kUpper };

__device__ bool is_in(Part part, std::int64_t i, std::int64_t j) {
  return part == Part::kAll || (part == Part::kLower ? j <= i : j >= i);
}

// wide = factor * source.
template <class C>
__global__ void load_wide(Matrix source, double factor, C* wide) {
  const std::int64_t size = source.rows * source.columns;
  for (std::int64_t k = global_thread(); k < size; k += grid_threads()) {
    wide[k] =
        scaled(factor, load<C>(source.dtype, source.at(k / source.columns, k % source.columns)));
  }
}

template <class C>
__global__ void wide_identity(std::int64_t n, C* wide) {
  for (std::int64_t k = global_thread(); k < n * n; k += grid_threads()) {
    wide[k] = widen<C>(k / n == k % n ? 1.0 : 0.0);
  }
}

// Elements outside of `part` are kept, or made zero.
template <class C>
__global__ void store_wide(const C* wide, Matrix target, Part part, bool zeroes_rest) {
  const std::int64_t size = target.rows * target.columns;
  for (std::int64_t k = global_thread(); k < size; k += grid_threads()) {
    const std::int64_t i = k / target.columns, j = k % target.columns;
    const bool is_result = is_in(part, i, j);
    if (is_result || zeroes_rest) {
      store(target.dtype, target.at(i, j), is_result ? wide[k] : C{});
    }
  }
}

template <class C>
C* workspace(const LaunchContext& context) {
  return reinterpret_cast<C*>(context.workspace);
}

// ---- products ----

template <class C>
__global__ void multiply(Matrix a, Matrix b, Matrix c, double alpha, double beta, Part part,
                         C* wide) {
  const std::int64_t size = c.rows * c.columns;
  for (std::int64_t at = global_thread(); at < size; at += grid_threads()) {
    const std::int64_t i = at / c.columns, j = at % c.columns;
    if (!is_in(part, i, j)) continue;
    C product{};
    for (std::int64_t k = 0; k < a.columns; ++k) {
      product = plus(product, times(load<C>(a.dtype, a.at(i, k)), load<C>(b.dtype, b.at(k, j))));
    }
    C result = scaled(alpha, product);
    if (beta != 0.0) result = plus(result, scaled(beta, load<C>(c.dtype, c.at(i, j))));
    wide[at] = result;
  }
}

// By way of the workspace, since A or B may be C.
void launch_multiply(const Matrix& a, const Matrix& b, const DeviceOperand& target, double alpha,
                     double beta, Part part, const LaunchContext& context) {
  const Matrix c = matrix(target);
  const unsigned blocks = blocks_for(c.rows * c.columns, kThreads);
  if (c.rows * c.columns == 0) return;
  in_wide_type(target, [&](auto zero) {
    using C = decltype(zero);
    multiply<C><<<blocks, kThreads, 0, context.stream>>>(a, b, c, alpha, beta, part,
                                                         workspace<C>(context));
    store_wide<C><<<blocks, kThreads, 0, context.stream>>>(workspace<C>(context), c, part, false);
  });
}

// ---- triangles ----

// op(T) as it stands left of X: T X, or T^T X^T for X T, whose X is seen transposed.
struct Triangle {
  Matrix t;
  bool is_lower;
  bool is_unit;
};

Triangle triangle(const KernelCall& call, const DeviceOperand& operand, bool is_left,
                  bool is_transposed) {
  const bool is_seen_transposed = is_transposed != !is_left;
  return {matrix(operand, is_seen_transposed), flag(call, "upper") == is_seen_transposed,
          flag(call, "unit")};
}

// Substitution, a column a thread.
template <class C>
__global__ void solve(Triangle triangle, std::int64_t columns, C* x) {
  const Matrix t = triangle.t;
  const std::int64_t n = t.rows;
  for (std::int64_t column = global_thread(); column < columns; column += grid_threads()) {
    for (std::int64_t step = 0; step < n; ++step) {
      const std::int64_t i = triangle.is_lower ? step : n - 1 - step;
      C value = x[i * columns + column];
      const std::int64_t from = triangle.is_lower ? 0 : i + 1;
      const std::int64_t to = triangle.is_lower ? i : n;
      for (std::int64_t k = from; k < to; ++k) {
        value = minus(value, times(load<C>(t.dtype, t.at(i, k)), x[k * columns + column]));
      }
      x[i * columns + column] =
          triangle.is_unit ? value : quotient(value, load<C>(t.dtype, t.at(i, i)));
    }
  }
}

template <class C>
__global__ void multiply_triangle(Triangle triangle, Matrix x, double alpha, C* wide) {
  const Matrix t = triangle.t;
  for (std::int64_t at = global_thread(); at < x.rows * x.columns; at += grid_threads()) {
    const std::int64_t i = at / x.columns, j = at % x.columns;
    C total{};
    const std::int64_t from = triangle.is_lower ? 0 : i;
    const std::int64_t to = triangle.is_lower ? i + 1 : t.rows;
    for (std::int64_t k = from; k < to; ++k) {
      const C value = load<C>(x.dtype, x.at(k, j));
      const bool is_one = triangle.is_unit && k == i;
      total = plus(total, is_one ? value : times(load<C>(t.dtype, t.at(i, k)), value));
    }
    wide[at] = scaled(alpha, total);
  }
}

// ---- factorisations: one block, the trailing matrix updated after every column ----

template <class C>
__global__ void factor_cholesky(std::int64_t n, C* a) {
  for (std::int64_t k = 0; k < n; ++k) {
    if (threadIdx.x == 0) a[k * n + k] = root(a[k * n + k]);
    __syncthreads();
    const C pivot = a[k * n + k];
    for (std::int64_t i = k + 1 + threadIdx.x; i < n; i += blockDim.x) {
      a[i * n + k] = quotient(a[i * n + k], pivot);
    }
    __syncthreads();
    const std::int64_t rest = n - k - 1;
    for (std::int64_t at = threadIdx.x; at < rest * rest; at += blockDim.x) {
      const std::int64_t i = k + 1 + at / rest, j = k + 1 + at % rest;
      if (j <= i) a[i * n + j] = minus(a[i * n + j], times(a[i * n + k], a[j * n + k]));
    }
    __syncthreads();
  }
}

template <class C>
__global__ void factor_lu(std::int64_t n, C* a) {
  for (std::int64_t k = 0; k < n; ++k) {
    const C pivot = a[k * n + k];
    for (std::int64_t i = k + 1 + threadIdx.x; i < n; i += blockDim.x) {
      a[i * n + k] = quotient(a[i * n + k], pivot);
    }
    __syncthreads();
    const std::int64_t rest = n - k - 1;
    for (std::int64_t at = threadIdx.x; at < rest * rest; at += blockDim.x) {
      const std::int64_t i = k + 1 + at / rest, j = k + 1 + at % rest;
      a[i * n + j] = minus(a[i * n + j], times(a[i * n + k], a[k * n + j]));
    }
    __syncthreads();
  }
}

// ---- steps beside the libraries' calls ----

__global__ void identity(Matrix m) {
  for (std::int64_t k = global_thread(); k < m.rows * m.columns; k += grid_threads()) {
    const std::int64_t i = k / m.columns, j = k % m.columns;
    store(m.dtype, m.at(i, j), i == j ? 1.0 : 0.0);
  }
}

__global__ void poison(Matrix m, const int* info) {
  const std::int64_t from = *info - 1;
  if (from < 0) return;
  for (std::int64_t i = from + global_thread(); i < m.rows; i += grid_threads()) {
    store(m.dtype, m.at(i, i), static_cast<double>(NAN));
  }
}

template <class C>
__global__ void exchange(Matrix m) {
  for (std::int64_t k = global_thread(); k < m.rows * m.columns; k += grid_threads()) {
    const std::int64_t i = k / m.columns, j = k % m.columns;
    if (i == j) continue;
    const std::int64_t diagonal = i < j ? i : j;
    const C pivot = load<C>(m.dtype, m.at(diagonal, diagonal));
    const C value = load<C>(m.dtype, m.at(i, j));
    store(m.dtype, m.at(i, j), i > j ? quotient(value, pivot) : times(pivot, value));
  }
}

}  // namespace

namespace plain {

std::size_t workspace_bytes(const DeviceOperand& target) {
  return static_cast<std::size_t>(target.size()) *
         (core::is_complex(target.dtype) ? sizeof(Complex<double>) : sizeof(double));
}

void gemm(const KernelCall& call, Operands operands, const LaunchContext& context) {
  launch_multiply(matrix(operands[0], flag(call, "transpose_a")),
                  matrix(operands[1], flag(call, "transpose_b")), operands[2],
                  *core::parameter_of(call, "alpha"), *core::parameter_of(call, "beta"), Part::kAll,
                  context);
}

void syrk(const KernelCall& call, Operands operands, const LaunchContext& context) {
  const bool is_transposed = flag(call, "transpose");
  launch_multiply(matrix(operands[0], is_transposed), matrix(operands[0], !is_transposed),
                  operands[1], *core::parameter_of(call, "alpha"),
                  *core::parameter_of(call, "beta"), Part::kLower, context);
}

void trsm(const KernelCall& call, Operands operands, const LaunchContext& context) {
  const bool is_left = flag(call, "left");
  const Triangle t = triangle(call, operands[0], is_left, flag(call, "transpose"));
  const Matrix x = matrix(operands[1], !is_left);
  const std::int64_t size = x.rows * x.columns;
  if (size == 0) return;
  in_wide_type(operands[1], [&](auto zero) {
    using C = decltype(zero);
    const unsigned blocks = blocks_for(size, kThreads);
    C* wide = workspace<C>(context);
    load_wide<C>
        <<<blocks, kThreads, 0, context.stream>>>(x, *core::parameter_of(call, "alpha"), wide);
    solve<C><<<blocks_for(x.columns, 64), 64, 0, context.stream>>>(t, x.columns, wide);
    store_wide<C><<<blocks, kThreads, 0, context.stream>>>(wide, x, Part::kAll, false);
  });
}

void trmm(const KernelCall& call, Operands operands, const LaunchContext& context) {
  const bool is_left = flag(call, "left");
  const Triangle t = triangle(call, operands[0], is_left, flag(call, "transpose"));
  const Matrix x = matrix(operands[1], !is_left);
  const Matrix y = matrix(operands.back(), !is_left);
  const std::int64_t size = x.rows * x.columns;
  if (size == 0) return;
  in_wide_type(operands.back(), [&](auto zero) {
    using C = decltype(zero);
    const unsigned blocks = blocks_for(size, kThreads);
    C* wide = workspace<C>(context);
    multiply_triangle<C>
        <<<blocks, kThreads, 0, context.stream>>>(t, x, *core::parameter_of(call, "alpha"), wide);
    store_wide<C><<<blocks, kThreads, 0, context.stream>>>(wide, y, Part::kAll, false);
  });
}

void trtri(const KernelCall& call, Operands operands, const LaunchContext& context) {
  const Triangle t = triangle(call, operands[0], true, false);
  const std::int64_t n = t.t.rows;
  if (n == 0) return;
  in_wide_type(operands[1], [&](auto zero) {
    using C = decltype(zero);
    const unsigned blocks = blocks_for(n * n, kThreads);
    C* wide = workspace<C>(context);
    wide_identity<C><<<blocks, kThreads, 0, context.stream>>>(n, wide);
    solve<C><<<blocks_for(n, 64), 64, 0, context.stream>>>(t, n, wide);
    store_wide<C><<<blocks, kThreads, 0, context.stream>>>(
        wide, matrix(operands[1]), t.is_lower ? Part::kLower : Part::kUpper, true);
  });
}

void potrf(const KernelCall&, Operands operands, const LaunchContext& context) {
  const Matrix a = matrix(operands[0]);
  if (a.rows == 0) return;
  in_wide_type(operands[0], [&](auto zero) {
    using C = decltype(zero);
    const unsigned blocks = blocks_for(a.rows * a.rows, kThreads);
    C* wide = workspace<C>(context);
    load_wide<C><<<blocks, kThreads, 0, context.stream>>>(a, 1.0, wide);
    factor_cholesky<C><<<1, 1024, 0, context.stream>>>(a.rows, wide);
    store_wide<C><<<blocks, kThreads, 0, context.stream>>>(wide, a, Part::kLower, false);
  });
}

void getrf(const KernelCall&, Operands operands, const LaunchContext& context) {
  const Matrix a = matrix(operands[0]);
  if (a.rows == 0) return;
  in_wide_type(operands[0], [&](auto zero) {
    using C = decltype(zero);
    const unsigned blocks = blocks_for(a.rows * a.rows, kThreads);
    C* wide = workspace<C>(context);
    load_wide<C><<<blocks, kThreads, 0, context.stream>>>(a, 1.0, wide);
    factor_lu<C><<<1, 1024, 0, context.stream>>>(a.rows, wide);
    store_wide<C><<<blocks, kThreads, 0, context.stream>>>(wide, a, Part::kAll, false);
  });
}

}  // namespace plain

void set_identity(const DeviceOperand& operand, cudaStream_t stream) {
  const Matrix m = matrix(operand);
  identity<<<blocks_for(m.rows * m.columns, kThreads), kThreads, 0, stream>>>(m);
  check_cuda(cudaGetLastError(), "identity");
}

void poison_diagonal(const DeviceOperand& operand, const int* info, cudaStream_t stream) {
  const Matrix m = matrix(operand);
  poison<<<blocks_for(m.rows, kThreads), kThreads, 0, stream>>>(m, info);
  check_cuda(cudaGetLastError(), "poison_diagonal");
}

void exchange_unit_diagonal(const DeviceOperand& operand, cudaStream_t stream) {
  const Matrix m = matrix(operand);
  const unsigned blocks = blocks_for(m.rows * m.columns, kThreads);
  in_wide_type(operand,
               [&](auto zero) { exchange<decltype(zero)><<<blocks, kThreads, 0, stream>>>(m); });
}

}  // namespace parley::exec::cuda
