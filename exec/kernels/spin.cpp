// Kernels that stand for a task's work: `none` and `spin` touch no operand. On the host `spin` does
// not wait: what a driver without devices is for is the order of things, not their duration.
#include "exec/kernel_registry.h"

namespace parley::exec {

void register_kernel_spin(KernelRegistry& registry);

void register_kernel_spin(KernelRegistry& registry) {
  const HostKernel nothing = [](const core::KernelCall&, std::span<const HostOperand>) {};
  registry.add("none", nothing);
  registry.add("spin", nothing);
}

}  // namespace parley::exec
