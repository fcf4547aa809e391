// none and spin: what touches no operand. spin keeps one warp busy; without a time, or with 0 ns,
// it is the launch of an empty kernel.
#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {
namespace {

__global__ void nothing() {}

__device__ std::uint64_t device_ns() {
  std::uint64_t ns;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ns));
  return ns;
}

// The global timer, whatever the clock rate; it moves in steps of up to a microsecond.
__global__ void wait(std::uint64_t ns) {
  const std::uint64_t start = device_ns();
  while (device_ns() - start < ns) {
  }
}

void spin(const core::KernelCall& call, Operands, const LaunchContext& context) {
  const auto ns = static_cast<std::uint64_t>(core::parameter_of(call, "ns").value_or(0.0));
  if (ns == 0) {
    nothing<<<1, 1, 0, context.stream>>>();
  } else {
    wait<<<1, 1, 0, context.stream>>>(ns);
  }
  check_cuda(cudaGetLastError(), "spin");
}

}  // namespace

void register_device_kernel_abstract(DeviceKernelRegistry& registry);

void register_device_kernel_abstract(DeviceKernelRegistry& registry) {
  registry.add("none", {[](const core::KernelCall&, Operands, const LaunchContext&) {}});
  registry.add("spin", {spin});
}

}  // namespace parley::exec::cuda
