// alpha op(T) X or alpha X op(T), by plain loops or a library.
#include "exec/tile_loops.h"

namespace parley::exec {
namespace {

using namespace loops;

// alpha op(T) X. The elements of the other triangle are not looked at.
template <class C>
Matrix<C> triangular_product(const Matrix<C>& t, bool is_lower, bool is_unit, double alpha,
                             const Matrix<C>& x) {
  Matrix<C> y = x;
  for (std::int64_t i = 0; i < x.rows(); ++i) {
    for (std::int64_t j = 0; j < x.columns(); ++j) {
      C total{};
      const std::int64_t to = is_lower ? i + 1 : t.rows();
      for (std::int64_t k = is_lower ? 0 : i; k < to; ++k) {
        total += is_unit && k == i ? x.at(k, j) : t.at(i, k) * x.at(k, j);
      }
      y.at(i, j) = alpha * total;
    }
  }
  return y;
}

void trmm(const core::KernelCall& call, std::span<const HostOperand> operands) {
  if (library::trmm(call, operands)) return;
  const Seen seen(call, flag(call, "left"), flag(call, "transpose"));
  in_wide_type(operands.back(), [&](auto zero) {
    using C = decltype(zero);
    const Matrix<C> t(operands[0], seen.is_transposed);
    const Matrix<C> x(seen.side(operands[1]));
    triangular_product(t, seen.is_lower, flag(call, "unit"), parameter(call, "alpha"), x)
        .store(seen.side(operands.back()), kKeepNothing);
  });
}

}  // namespace

void register_kernel_trmm(KernelRegistry& registry);

void register_kernel_trmm(KernelRegistry& registry) { registry.add("trmm", trmm); }

}  // namespace parley::exec
