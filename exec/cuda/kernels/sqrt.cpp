// target = the square root of the source.
#include "exec/cuda/elementwise.h"

namespace parley::exec::cuda {
namespace {

void square_root(const core::KernelCall&, Operands operands, const LaunchContext& context) {
  const DeviceOperand& source = operands.front();
  launch_elementwise(Elementwise::kRoot, source, source, operands.back(),
                     promoted(source.dtype, core::DType::kFloat16), 0.0, context);
}

}  // namespace

void register_device_kernel_sqrt(DeviceKernelRegistry& registry);

void register_device_kernel_sqrt(DeviceKernelRegistry& registry) {
  registry.add("sqrt", {square_root});
}

}  // namespace parley::exec::cuda
