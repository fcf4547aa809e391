// target = source + value.
#include "exec/cuda/elementwise.h"

namespace parley::exec::cuda {
namespace {

void add_scalar(const core::KernelCall& call, Operands operands, const LaunchContext& context) {
  const double value = *core::parameter_of(call, "value");
  const DeviceOperand& source = operands.front();
  launch_elementwise(Elementwise::kAddScalar, source, source, operands.back(),
                     promoted_with_scalar(source.dtype, value), value, context);
}

}  // namespace

void register_device_kernel_add_scalar(DeviceKernelRegistry& registry);

void register_device_kernel_add_scalar(DeviceKernelRegistry& registry) {
  registry.add("add_scalar", {add_scalar});
}

}  // namespace parley::exec::cuda
