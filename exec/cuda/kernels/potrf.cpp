// Cholesky factorisation of a tile.
#include "exec/cuda/tile_calls.h"

namespace parley::exec::cuda {
namespace {

using namespace tile;

// Calls visit(Blas<T>{}, A) for a matrix that the library factorises as we do.
template <class Visitor>
bool with_potrf(const DeviceOperand& operand, Visitor&& visit) {
  const std::optional<Dense> a = dense(operand);
  if (!a) return false;
  if (operand.dtype == core::DType::kFloat32) {
    visit(Blas<float>{}, *a);
    return true;
  }
  if (operand.dtype == core::DType::kFloat64) {
    visit(Blas<double>{}, *a);
    return true;
  }
  return false;
}

// The transpose of a stored matrix, all of it.
template <class T>
void transpose(const typename Blas<T>::Scalar* source, int source_leading,
               typename Blas<T>::Scalar* target, int target_leading, int n,
               const LaunchContext& context) {
  const typename Blas<T>::Scalar one = 1, zero = 0;
  check_blas(Blas<T>::kGeam(context.blas, CUBLAS_OP_T, CUBLAS_OP_N, n, n, &one, source,
                            source_leading, &zero, target, target_leading, target, target_leading),
             "transposing a tile");
}

// Elements of a transposed copy, where one is made.
std::size_t turned_elements(const Dense& a) {
  return a.is_transposed ? static_cast<std::size_t>(a.rows) * static_cast<std::size_t>(a.rows) : 0;
}

// The library is fast for the lower triangle only (2048: 0.9 ms against 2.1; H200, November 2026).
// Ours, stored row-major, is its upper one, so that the tile is turned, factorised and turned back;
// the other triangle comes back as it was.
void potrf(const core::KernelCall& call, Operands operands, const LaunchContext& context) {
  if (is_empty(operands[0])) return;
  const auto factorise = [&]<class T>(Blas<T>, const Dense& a) {
    using Scalar = typename Blas<T>::Scalar;
    Scalar* const stored = static_cast<Scalar*>(a.data);
    Scalar* const turned = solver_buffer<Scalar>(context);
    Scalar* const tile = a.is_transposed ? turned : stored;
    const int leading = a.is_transposed ? a.rows : a.leading;
    if (a.is_transposed) transpose<T>(stored, a.leading, turned, a.rows, a.rows, context);
    const std::size_t elements =
        (context.workspace_bytes - kInfoBytes) / sizeof(Scalar) - turned_elements(a);
    check_solver(Blas<T>::kPotrf(context.solver, CUBLAS_FILL_MODE_LOWER, a.rows, tile, leading,
                                 turned + turned_elements(a),
                                 static_cast<int>(std::min<std::size_t>(elements, 1U << 30U)),
                                 info_of(context)),
                 "potrf");
    if (a.is_transposed) transpose<T>(turned, a.rows, stored, a.leading, a.rows, context);
    poison_diagonal(operands[0], info_of(context), context.stream);
  };
  if (!with_potrf(operands[0], factorise)) plain::potrf(call, operands, context);
}

std::size_t potrf_workspace(const core::KernelCall&, Operands operands,
                            const LaunchContext& context) {
  if (is_empty(operands[0])) return 0;
  std::size_t bytes = plain::workspace_bytes(operands[0]);
  with_potrf(operands[0], [&]<class T>(Blas<T>, const Dense& a) {
    using Scalar = typename Blas<T>::Scalar;
    int elements = 0;
    check_solver(Blas<T>::kPotrfSize(context.solver, CUBLAS_FILL_MODE_LOWER, a.rows,
                                     static_cast<Scalar*>(a.data),
                                     a.is_transposed ? a.rows : a.leading, &elements),
                 "workspace of potrf");
    bytes = kInfoBytes + (static_cast<std::size_t>(elements) + turned_elements(a)) * sizeof(Scalar);
  });
  return bytes;
}

}  // namespace

void register_device_kernel_potrf(DeviceKernelRegistry& registry);

void register_device_kernel_potrf(DeviceKernelRegistry& registry) {
  registry.add("potrf", {potrf, potrf_workspace});
}

}  // namespace parley::exec::cuda
