// The inverse of a triangular tile.
#include "exec/cuda/tile_calls.h"
#include "exec/cuda/triangular_inverse.h"

namespace parley::exec::cuda {
namespace {

using namespace tile;

bool is_inverted_by_products(const DeviceOperand& operand, const Dense& t, const Dense& w) {
  const bool is_real =
      operand.dtype == core::DType::kFloat64 || operand.dtype == core::DType::kFloat32;
  return is_real && t.is_transposed == w.is_transposed && has_inverse_by_products(t.rows);
}

// The inverse by solving with the identity, which on an H200 takes 0.85 ms for an edge of 2048
// where cuSOLVER's trtri takes 2.8 (November 2026).
void trtri(const core::KernelCall& call, Operands operands, const LaunchContext& context) {
  if (is_empty(operands[1])) return;
  const auto m = all_dense<2>(call, operands);
  if (!m || !is_blas_type(operands[0].dtype)) return plain::trtri(call, operands, context);
  const auto& [t, w] = *m;
  set_identity(operands[1], context.stream);
  if (!is_inverted_by_products(operands[0], t, w)) {
    solve(Triangular(call, true, false, t, w), operands[0].dtype, 1.0, t, w, context);
    return;
  }
  const auto invert = [&]<class T>(T) {
    invert_by_products(static_cast<const T*>(t.data), t.leading, static_cast<T*>(w.data), w.leading,
                       t.rows, flag(call, "upper") != t.is_transposed, flag(call, "unit"),
                       reinterpret_cast<T*>(context.workspace), context);
  };
  if (operands[0].dtype == core::DType::kFloat64) return invert(double{});
  invert(float{});
}

std::size_t trtri_workspace(const core::KernelCall& call, Operands operands, const LaunchContext&) {
  const auto m = all_dense<2>(call, operands);
  if (!m || !is_blas_type(operands[0].dtype)) return plain::workspace_bytes(operands[1]);
  if (!is_inverted_by_products(operands[0], (*m)[0], (*m)[1])) return 0;
  return static_cast<std::size_t>(inverse_workspace(operands[0].shape[0]) *
                                  core::element_bytes(operands[0].dtype));
}

}  // namespace

void register_device_kernel_trtri(DeviceKernelRegistry& registry);

void register_device_kernel_trtri(DeviceKernelRegistry& registry) {
  registry.add("trtri", {trtri, trtri_workspace});
}

}  // namespace parley::exec::cuda
