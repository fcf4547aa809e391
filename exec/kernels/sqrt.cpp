// target = the square root of the source.
#include <cmath>
#include <complex>

#include "exec/elementwise.h"

namespace parley::exec {
namespace {

// Integers of one byte give float16, of two float32, of more float64.
void square_root(const core::KernelCall&, std::span<const HostOperand> operands) {
  map_one(operands, promoted(operands[0].dtype, core::DType::kFloat16), [](auto x) {
    if constexpr (std::is_integral_v<decltype(x)>) {
      return x;  // promoted with a float, so never reached
    } else {
      return std::sqrt(x);
    }
  });
}

}  // namespace

void register_kernel_sqrt(KernelRegistry& registry);

void register_kernel_sqrt(KernelRegistry& registry) { registry.add("sqrt", square_root); }

}  // namespace parley::exec
