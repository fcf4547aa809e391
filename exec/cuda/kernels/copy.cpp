// target = source, cast to the target's type.
#include "exec/cuda/elementwise.h"

namespace parley::exec::cuda {
namespace {

void copy(const core::KernelCall&, Operands operands, const LaunchContext& context) {
  copy_elements(operands, context);
}

}  // namespace

void register_device_kernel_copy(DeviceKernelRegistry& registry);

void register_device_kernel_copy(DeviceKernelRegistry& registry) { registry.add("copy", {copy}); }

}  // namespace parley::exec::cuda
