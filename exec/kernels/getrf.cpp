// L U factorisation of a tile without pivoting, by plain loops or a library.
#include "exec/tile_loops.h"

namespace parley::exec {
namespace {

using namespace loops;

void getrf(const core::KernelCall&, std::span<const HostOperand> operands) {
  if (library::getrf(operands)) return;
  in_wide_type(operands[0], [&](auto zero) {
    using C = decltype(zero);
    Matrix<C> a(operands[0]);
    for (std::int64_t k = 0; k < a.rows(); ++k) {
      for (std::int64_t i = k + 1; i < a.rows(); ++i) {
        a.at(i, k) /= a.at(k, k);
        for (std::int64_t j = k + 1; j < a.columns(); ++j) a.at(i, j) -= a.at(i, k) * a.at(k, j);
      }
    }
    a.store(operands[0], kKeepNothing);
  });
}

}  // namespace

void register_kernel_getrf(KernelRegistry& registry);

void register_kernel_getrf(KernelRegistry& registry) { registry.add("getrf", getrf); }

}  // namespace parley::exec
