// X = alpha op(T)^-1 X or alpha X op(T)^-1, by plain loops or a library.
#include "exec/tile_loops.h"

namespace parley::exec {
namespace {

using namespace loops;

void trsm(const core::KernelCall& call, std::span<const HostOperand> operands) {
  if (library::trsm(call, operands)) return;
  const double alpha = parameter(call, "alpha");
  const Seen seen(call, flag(call, "left"), flag(call, "transpose"));
  in_wide_type(operands[1], [&](auto zero) {
    using C = decltype(zero);
    const Matrix<C> t(operands[0], seen.is_transposed);
    const HostOperand target = seen.side(operands[1]);
    Matrix<C> x(target);
    for (std::int64_t i = 0; i < x.rows(); ++i) {
      for (std::int64_t j = 0; j < x.columns(); ++j) x.at(i, j) *= alpha;
    }
    solve_left(t, seen.is_lower, flag(call, "unit"), x);
    x.store(target, kKeepNothing);
  });
}

}  // namespace

void register_kernel_trsm(KernelRegistry& registry);

void register_kernel_trsm(KernelRegistry& registry) { registry.add("trsm", trsm); }

}  // namespace parley::exec
