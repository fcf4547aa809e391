// target = first + second.
#include "exec/elementwise.h"

namespace parley::exec {
namespace {

void add(const core::KernelCall&, std::span<const HostOperand> operands) {
  map_two(operands[0], operands[1], operands[2], promoted(operands[0].dtype, operands[1].dtype),
          [](auto a, auto b) { return plus(a, b); });
}

}  // namespace

void register_kernel_add(KernelRegistry& registry);

void register_kernel_add(KernelRegistry& registry) { registry.add("add", add); }

}  // namespace parley::exec
