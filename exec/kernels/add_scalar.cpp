// target = source + value.
#include "exec/elementwise.h"

namespace parley::exec {
namespace {

void add_scalar(const core::KernelCall& call, std::span<const HostOperand> operands) {
  const double value = parameter(call, "value");
  map_one(operands, promoted_with_scalar(operands[0].dtype, value),
          [&](auto x) { return plus(x, from_number<decltype(x)>(value)); });
}

}  // namespace

void register_kernel_add_scalar(KernelRegistry& registry);

void register_kernel_add_scalar(KernelRegistry& registry) {
  registry.add("add_scalar", add_scalar);
}

}  // namespace parley::exec
