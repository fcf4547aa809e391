// X = alpha op(T)^-1 X or alpha X op(T)^-1.
#include "exec/cuda/tile_calls.h"

namespace parley::exec::cuda {
namespace {

using namespace tile;

void trsm(const core::KernelCall& call, Operands operands, const LaunchContext& context) {
  if (is_empty(operands[1])) return;
  const auto m = all_dense<2>(call, operands);
  if (!m || !is_blas_type(operands[0].dtype)) return plain::trsm(call, operands, context);
  const auto& [t, x] = *m;
  const Triangular how(call, flag(call, "left"), flag(call, "transpose"), t, x);
  solve(how, operands[0].dtype, *core::parameter_of(call, "alpha"), t, x, context);
}

std::size_t trsm_workspace(const core::KernelCall& call, Operands operands, const LaunchContext&) {
  const bool is_library = all_dense<2>(call, operands) && is_blas_type(operands[0].dtype);
  return is_library ? 0 : plain::workspace_bytes(operands[1]);
}

}  // namespace

void register_device_kernel_trsm(DeviceKernelRegistry& registry);

void register_device_kernel_trsm(DeviceKernelRegistry& registry) {
  registry.add("trsm", {trsm, trsm_workspace});
}

}  // namespace parley::exec::cuda
