// C = alpha op(A) op(B) + beta C, by plain loops or a library.
#include "exec/tile_loops.h"

namespace parley::exec {
namespace {

using namespace loops;

void gemm(const core::KernelCall& call, std::span<const HostOperand> operands) {
  if (operands[2].shape[0] == 0 || operands[2].shape[1] == 0) return;  // the other may be large
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

}  // namespace

void register_kernel_gemm(KernelRegistry& registry);

void register_kernel_gemm(KernelRegistry& registry) { registry.add("gemm", gemm); }

}  // namespace parley::exec
