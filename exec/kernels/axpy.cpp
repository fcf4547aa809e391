// y = value * x + y.
#include "exec/elementwise.h"

namespace parley::exec {
namespace {

void axpy(const core::KernelCall& call, std::span<const HostOperand> operands) {
  const double value = parameter(call, "value");
  const core::DType product = promoted_with_scalar(operands[0].dtype, value);
  map_two(operands[0], operands[1], operands[1], promoted(product, operands[1].dtype),
          [&](auto x, auto y) { return plus(times(from_number<decltype(x)>(value), x), y); });
}

}  // namespace

void register_kernel_axpy(KernelRegistry& registry);

void register_kernel_axpy(KernelRegistry& registry) { registry.add("axpy", axpy); }

}  // namespace parley::exec
