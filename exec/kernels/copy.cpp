// target = source, cast to the target's type.
#include "exec/elementwise.h"

namespace parley::exec {
namespace {

void copy(const core::KernelCall&, std::span<const HostOperand> operands) {
  copy_elements(operands[0], operands[1]);
}

}  // namespace

void register_kernel_copy(KernelRegistry& registry);

void register_kernel_copy(KernelRegistry& registry) { registry.add("copy", copy); }

}  // namespace parley::exec
