// Cholesky factorisation of a tile, by plain loops or a library.
#include "exec/tile_loops.h"

namespace parley::exec {
namespace {

using namespace loops;

// Column by column. A matrix that is not positive definite gives NaN.
void potrf(const core::KernelCall&, std::span<const HostOperand> operands) {
  if (library::potrf(operands)) return;
  in_wide_type(operands[0], [&](auto zero) {
    using C = decltype(zero);
    Matrix<C> a(operands[0]);
    for (std::int64_t j = 0; j < a.rows(); ++j) {
      for (std::int64_t k = 0; k < j; ++k) a.at(j, j) -= a.at(j, k) * a.at(j, k);
      a.at(j, j) = std::sqrt(a.at(j, j));
      for (std::int64_t i = j + 1; i < a.rows(); ++i) {
        for (std::int64_t k = 0; k < j; ++k) a.at(i, j) -= a.at(i, k) * a.at(j, k);
        a.at(i, j) /= a.at(j, j);
      }
    }
    a.store(operands[0], kKeepUpper);
  });
}

}  // namespace

void register_kernel_potrf(KernelRegistry& registry);

void register_kernel_potrf(KernelRegistry& registry) { registry.add("potrf", potrf); }

}  // namespace parley::exec
