// The lower triangle of C = alpha op(A) op(A)^T + beta C.
#include "exec/cuda/tile_calls.h"

namespace parley::exec::cuda {
namespace {

using namespace tile;

// The product is symmetric, so only the triangle changes where C is stored as its transpose.
void syrk(const core::KernelCall& call, Operands operands, const LaunchContext& context) {
  if (is_empty(operands[1])) return;
  const auto m = all_dense<2>(call, operands);
  if (!m || !is_blas_type(operands[0].dtype) || is_empty(operands[0])) {
    return plain::syrk(call, operands, context);
  }
  const auto& [a, c] = *m;
  const bool is_transposed = flag(call, "transpose");
  const int inner = is_transposed ? a.rows : a.columns;
  with_blas(operands[0].dtype, [&]<class T>(Blas<T>) {
    using Scalar = typename Blas<T>::Scalar;
    const auto alpha = scalar<Scalar>(*core::parameter_of(call, "alpha"));
    const auto beta = scalar<Scalar>(*core::parameter_of(call, "beta"));
    check_blas(Blas<T>::kSyrk(context.blas, triangle(c.is_transposed),
                              operation(is_transposed != a.is_transposed), c.rows, inner, &alpha,
                              static_cast<const Scalar*>(a.data), a.leading, &beta,
                              static_cast<Scalar*>(c.data), c.leading),
               "syrk");
  });
}

std::size_t syrk_workspace(const core::KernelCall& call, Operands operands, const LaunchContext&) {
  const bool is_library =
      all_dense<2>(call, operands) && is_blas_type(operands[0].dtype) && !is_empty(operands[0]);
  return is_library ? 0 : plain::workspace_bytes(operands[1]);
}

}  // namespace

void register_device_kernel_syrk(DeviceKernelRegistry& registry);

void register_device_kernel_syrk(DeviceKernelRegistry& registry) {
  registry.add("syrk", {syrk, syrk_workspace});
}

}  // namespace parley::exec::cuda
