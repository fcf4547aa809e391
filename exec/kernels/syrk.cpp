// The lower triangle of C = alpha op(A) op(A)^T + beta C, by plain loops or a library.
#include "exec/tile_loops.h"

namespace parley::exec {
namespace {

using namespace loops;

void syrk(const core::KernelCall& call, std::span<const HostOperand> operands) {
  if (library::syrk(call, operands)) return;
  const double alpha = parameter(call, "alpha");
  const double beta = parameter(call, "beta");
  in_wide_type(operands[1], [&](auto zero) {
    using C = decltype(zero);
    const Matrix<C> a(operands[0], flag(call, "transpose"));
    Matrix<C> c(operands[1]);
    for (std::int64_t i = 0; i < c.rows(); ++i) {
      for (std::int64_t j = 0; j <= i; ++j) {
        C product{};
        for (std::int64_t k = 0; k < a.columns(); ++k) product += a.at(i, k) * a.at(j, k);
        c.at(i, j) = updated(alpha, product, beta, c.at(i, j));
      }
    }
    c.store(operands[1], kKeepUpper);
  });
}

}  // namespace

void register_kernel_syrk(KernelRegistry& registry);

void register_kernel_syrk(KernelRegistry& registry) { registry.add("syrk", syrk); }

}  // namespace parley::exec
