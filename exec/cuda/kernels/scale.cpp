// target = source * value.
#include "exec/cuda/elementwise.h"

namespace parley::exec::cuda {
namespace {

void scale(const core::KernelCall& call, Operands operands, const LaunchContext& context) {
  const double value = *core::parameter_of(call, "value");
  const DeviceOperand& source = operands.front();
  launch_elementwise(Elementwise::kScale, source, source, operands.back(),
                     promoted_with_scalar(source.dtype, value), value, context);
}

}  // namespace

void register_device_kernel_scale(DeviceKernelRegistry& registry);

void register_device_kernel_scale(DeviceKernelRegistry& registry) {
  registry.add("scale", {scale});
}

}  // namespace parley::exec::cuda
