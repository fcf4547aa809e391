// target = first * second.
#include "exec/elementwise.h"

namespace parley::exec {
namespace {

void multiply(const core::KernelCall&, std::span<const HostOperand> operands) {
  map_two(operands[0], operands[1], operands[2], promoted(operands[0].dtype, operands[1].dtype),
          [](auto a, auto b) { return times(a, b); });
}

}  // namespace

void register_kernel_multiply(KernelRegistry& registry);

void register_kernel_multiply(KernelRegistry& registry) { registry.add("multiply", multiply); }

}  // namespace parley::exec
