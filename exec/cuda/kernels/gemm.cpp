// C = alpha op(A) op(B) + beta C.
#include "exec/cuda/tile_calls.h"

namespace parley::exec::cuda {
namespace {

using namespace tile;

// C = op(A) op(B); what is stored may be the transpose of each, and C^T = op(B)^T op(A)^T.
struct Product {
  const Dense *first, *second;
  cublasOperation_t first_operation, second_operation;
  int rows, columns, inner;  // of the stored target

  Product(const core::KernelCall& call, const std::array<Dense, 3>& m) {
    const bool is_turned = m[2].is_transposed;
    const bool a = flag(call, "transpose_a") != (m[0].is_transposed != is_turned);
    const bool b = flag(call, "transpose_b") != (m[1].is_transposed != is_turned);
    first = is_turned ? &m[1] : &m[0];
    second = is_turned ? &m[0] : &m[1];
    first_operation = operation(is_turned ? b : a);
    second_operation = operation(is_turned ? a : b);
    rows = m[2].stored_rows();
    columns = m[2].stored_columns();
    inner = flag(call, "transpose_a") ? m[0].rows : m[0].columns;
  }
};

// float16 and bfloat16 are multiplied with sums in float32.
bool is_short(core::DType dtype) {
  return dtype == core::DType::kFloat16 || dtype == core::DType::kBfloat16;
}

void short_gemm(const Product& p, const Dense& c, core::DType dtype, double alpha, double beta,
                const LaunchContext& context) {
  const cudaDataType_t type = dtype == core::DType::kFloat16 ? CUDA_R_16F : CUDA_R_16BF;
  const auto a = static_cast<float>(alpha), b = static_cast<float>(beta);
  check_blas(cublasGemmEx(context.blas, p.first_operation, p.second_operation, p.rows, p.columns,
                          p.inner, &a, p.first->data, type, p.first->leading, p.second->data, type,
                          p.second->leading, &b, c.data, type, c.leading, CUBLAS_COMPUTE_32F,
                          CUBLAS_GEMM_DEFAULT),
             "gemm");
}

std::optional<std::array<Dense, 3>> gemm_matrices(const core::KernelCall& call, Operands operands) {
  const core::DType dtype = operands[0].dtype;
  if (!is_blas_type(dtype) && !is_short(dtype)) return std::nullopt;
  return all_dense<3>(call, operands);
}

void gemm(const core::KernelCall& call, Operands operands, const LaunchContext& context) {
  if (is_empty(operands[2])) return;
  const auto m = gemm_matrices(call, operands);
  if (!m || is_empty(operands[0])) return plain::gemm(call, operands, context);
  const double alpha = *core::parameter_of(call, "alpha");
  const double beta = *core::parameter_of(call, "beta");
  const Product p(call, *m);
  const Dense& c = (*m)[2];
  if (is_short(operands[0].dtype)) {
    return short_gemm(p, c, operands[0].dtype, alpha, beta, context);
  }
  with_blas(operands[0].dtype, [&]<class T>(Blas<T>) {
    using Scalar = typename Blas<T>::Scalar;
    const auto a = scalar<Scalar>(alpha), b = scalar<Scalar>(beta);
    check_blas(Blas<T>::kGemm(context.blas, p.first_operation, p.second_operation, p.rows,
                              p.columns, p.inner, &a, static_cast<const Scalar*>(p.first->data),
                              p.first->leading, static_cast<const Scalar*>(p.second->data),
                              p.second->leading, &b, static_cast<Scalar*>(c.data), c.leading),
               "gemm");
  });
}

std::size_t gemm_workspace(const core::KernelCall& call, Operands operands, const LaunchContext&) {
  const bool is_plain = !gemm_matrices(call, operands) || is_empty(operands[0]);
  return is_plain ? plain::workspace_bytes(operands[2]) : 0;
}

}  // namespace

void register_device_kernel_gemm(DeviceKernelRegistry& registry);

void register_device_kernel_gemm(DeviceKernelRegistry& registry) {
  registry.add("gemm", {gemm, gemm_workspace});
}

}  // namespace parley::exec::cuda
