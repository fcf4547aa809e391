// y = value * x + y.
#include "exec/cuda/elementwise.h"

namespace parley::exec::cuda {
namespace {

void axpy(const core::KernelCall& call, Operands operands, const LaunchContext& context) {
  const double value = *core::parameter_of(call, "value");
  const core::DType product = promoted_with_scalar(operands[0].dtype, value);
  launch_elementwise(Elementwise::kAxpy, operands[0], operands[1], operands[1],
                     promoted(product, operands[1].dtype), value, context);
}

}  // namespace

void register_device_kernel_axpy(DeviceKernelRegistry& registry);

void register_device_kernel_axpy(DeviceKernelRegistry& registry) { registry.add("axpy", {axpy}); }

}  // namespace parley::exec::cuda
