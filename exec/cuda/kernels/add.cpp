// target = first + second.
#include "exec/cuda/elementwise.h"

namespace parley::exec::cuda {
namespace {

void add(const core::KernelCall&, Operands operands, const LaunchContext& context) {
  launch_elementwise(Elementwise::kAdd, operands[0], operands[1], operands[2],
                     promoted(operands[0].dtype, operands[1].dtype), 0.0, context);
}

}  // namespace

void register_device_kernel_add(DeviceKernelRegistry& registry);

void register_device_kernel_add(DeviceKernelRegistry& registry) { registry.add("add", {add}); }

}  // namespace parley::exec::cuda
