// L U factorisation of a tile without pivoting.
#include "exec/cuda/tile_calls.h"

namespace parley::exec::cuda {
namespace {

using namespace tile;

void getrf(const core::KernelCall& call, Operands operands, const LaunchContext& context) {
  if (is_empty(operands[0])) return;
  const std::optional<Dense> a = dense(operands[0]);
  if (!a || !is_blas_type(operands[0].dtype)) return plain::getrf(call, operands, context);
  with_blas(operands[0].dtype, [&]<class T>(Blas<T>) {
    using Scalar = typename Blas<T>::Scalar;
    check_solver(Blas<T>::kGetrf(context.solver, a->stored_rows(), a->stored_columns(),
                                 static_cast<Scalar*>(a->data), a->leading,
                                 solver_buffer<Scalar>(context), nullptr, info_of(context)),
                 "getrf");
  });
  if (a->is_transposed) exchange_unit_diagonal(operands[0], context.stream);
  poison_diagonal(operands[0], info_of(context), context.stream);
}

std::size_t getrf_workspace(const core::KernelCall&, Operands operands,
                            const LaunchContext& context) {
  const std::optional<Dense> a = dense(operands[0]);
  if (!a || !is_blas_type(operands[0].dtype)) return plain::workspace_bytes(operands[0]);
  std::size_t bytes = kInfoBytes;
  with_blas(operands[0].dtype, [&]<class T>(Blas<T>) {
    using Scalar = typename Blas<T>::Scalar;
    int elements = 0;
    check_solver(Blas<T>::kGetrfSize(context.solver, a->stored_rows(), a->stored_columns(),
                                     static_cast<Scalar*>(a->data), a->leading, &elements),
                 "workspace of getrf");
    bytes += static_cast<std::size_t>(elements) * sizeof(Scalar);
  });
  return bytes;
}

}  // namespace

void register_device_kernel_getrf(DeviceKernelRegistry& registry);

void register_device_kernel_getrf(DeviceKernelRegistry& registry) {
  registry.add("getrf", {getrf, getrf_workspace});
}

}  // namespace parley::exec::cuda
