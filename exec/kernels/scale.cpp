// target = source * value.
#include "exec/elementwise.h"

namespace parley::exec {
namespace {

void scale(const core::KernelCall& call, std::span<const HostOperand> operands) {
  const double value = parameter(call, "value");
  map_one(operands, promoted_with_scalar(operands[0].dtype, value),
          [&](auto x) { return times(x, from_number<decltype(x)>(value)); });
}

}  // namespace

void register_kernel_scale(KernelRegistry& registry);

void register_kernel_scale(KernelRegistry& registry) { registry.add("scale", scale); }

}  // namespace parley::exec
