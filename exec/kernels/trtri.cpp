// The inverse of a triangular tile, by plain loops or a library.
#include "exec/tile_loops.h"

namespace parley::exec {
namespace {

using namespace loops;

void trtri(const core::KernelCall& call, std::span<const HostOperand> operands) {
  if (library::trtri(call, operands)) return;
  const Seen seen(call, true, false);
  in_wide_type(operands[1], [&](auto zero) {
    using C = decltype(zero);
    const Matrix<C> t(operands[0]);
    Matrix<C> w(operands[1]);
    for (std::int64_t i = 0; i < w.rows(); ++i) {
      for (std::int64_t j = 0; j < w.columns(); ++j) w.at(i, j) = i == j ? 1.0 : 0.0;
    }
    solve_left(t, seen.is_lower, flag(call, "unit"), w);
    for (std::int64_t i = 0; i < w.rows(); ++i) {
      for (std::int64_t j = 0; j < w.columns(); ++j) {
        if (seen.is_lower ? j > i : j < i) w.at(i, j) = C{};
      }
    }
    w.store(operands[1], kKeepNothing);
  });
}

}  // namespace

void register_kernel_trtri(KernelRegistry& registry);

void register_kernel_trtri(KernelRegistry& registry) { registry.add("trtri", trtri); }

}  // namespace parley::exec
