#include <cuda_runtime_api.h>

#include "exec/cuda/triangular_inverse.h"

namespace parley::exec::cuda {
namespace {

constexpr int kBlock = 32;

// One block of threads a diagonal block, one thread a column of its inverse.
template <class T>
__global__ void invert_diagonal_blocks(const T* t, std::int64_t t_leading, T* w,
                                       std::int64_t w_leading, bool is_upper, bool is_unit) {
  __shared__ T tile[kBlock][kBlock + 1];
  __shared__ T inverse[kBlock][kBlock + 1];
  const int column = static_cast<int>(threadIdx.x);
  const std::int64_t first = std::int64_t{blockIdx.x} * kBlock;
  for (int row = 0; row < kBlock; ++row) {
    tile[row][column] = t[(first + column) * t_leading + first + row];
    inverse[row][column] = T{0};
  }
  __syncthreads();
  const int step = is_upper ? -1 : 1;
  for (int row = column; row >= 0 && row < kBlock; row += step) {
    T value = row == column ? T{1} : T{0};
    for (int k = column; k != row; k += step) value -= tile[row][k] * inverse[k][column];
    inverse[row][column] = is_unit ? value : value / tile[row][row];
  }
  __syncthreads();
  for (int row = 0; row < kBlock; ++row) {
    w[(first + column) * w_leading + first + row] = inverse[row][column];
  }
}

cublasStatus_t multiply(cublasHandle_t blas, int n, const double* alpha, const double* a, int lda,
                        long long stride_a, const double* b, int ldb, long long stride_b,
                        const double* beta, double* c, int ldc, long long stride_c, int count) {
  return cublasDgemmStridedBatched(blas, CUBLAS_OP_N, CUBLAS_OP_N, n, n, n, alpha, a, lda, stride_a,
                                   b, ldb, stride_b, beta, c, ldc, stride_c, count);
}

cublasStatus_t multiply(cublasHandle_t blas, int n, const float* alpha, const float* a, int lda,
                        long long stride_a, const float* b, int ldb, long long stride_b,
                        const float* beta, float* c, int ldc, long long stride_c, int count) {
  return cublasSgemmStridedBatched(blas, CUBLAS_OP_N, CUBLAS_OP_N, n, n, n, alpha, a, lda, stride_a,
                                   b, ldb, stride_b, beta, c, ldc, stride_c, count);
}

template <class T>
void invert(const T* t, std::int64_t t_leading, T* w, std::int64_t w_leading, std::int64_t n,
            bool is_upper, bool is_unit, T* workspace, const LaunchContext& context) {
  invert_diagonal_blocks<<<static_cast<unsigned>(n / kBlock), kBlock, 0, context.stream>>>(
      t, t_leading, w, w_leading, is_upper, is_unit);
  check_cuda(cudaGetLastError(), "inverting the blocks of a diagonal");
  const T one{1}, minus_one{-1}, zero{0};
  const int ldt = static_cast<int>(t_leading), ldw = static_cast<int>(w_leading);
  for (std::int64_t block = kBlock; block < n; block *= 2) {
    const int edge = static_cast<int>(block), pairs = static_cast<int>(n / (2 * block));
    const long long stride_t = 2 * block * (t_leading + 1), stride_w = 2 * block * (w_leading + 1);
    const T* first = w;
    const T* second = w + block * (w_leading + 1);
    // Between the two inverted blocks: to the right of the first, or below it.
    const T* between = is_upper ? t + block * t_leading : t + block;
    T* result = is_upper ? w + block * w_leading : w + block;
    check_blas(multiply(context.blas, edge, &one, between, ldt, stride_t, is_upper ? second : first,
                        ldw, stride_w, &zero, workspace, edge, block * block, pairs),
               "an inverse by products");
    check_blas(multiply(context.blas, edge, &minus_one, is_upper ? first : second, ldw, stride_w,
                        workspace, edge, block * block, &zero, result, ldw, stride_w, pairs),
               "an inverse by products");
  }
}

}  // namespace

bool has_inverse_by_products(std::int64_t n) {
  if (n < kBlock || n % kBlock != 0) return false;
  const std::int64_t blocks = n / kBlock;
  return (blocks & (blocks - 1)) == 0;
}

std::int64_t inverse_workspace(std::int64_t n) { return n * n / 4; }

void invert_by_products(const double* t, std::int64_t t_leading, double* w, std::int64_t w_leading,
                        std::int64_t n, bool is_upper, bool is_unit, double* workspace,
                        const LaunchContext& context) {
  invert(t, t_leading, w, w_leading, n, is_upper, is_unit, workspace, context);
}
void invert_by_products(const float* t, std::int64_t t_leading, float* w, std::int64_t w_leading,
                        std::int64_t n, bool is_upper, bool is_unit, float* workspace,
                        const LaunchContext& context) {
  invert(t, t_leading, w, w_leading, n, is_upper, is_unit, workspace, context);
}

}  // namespace parley::exec::cuda
