// none and spin: what touches no operand. spin keeps one warp busy; without a time, or with 0 ns,
// it is the launch of an empty kernel.
//
// spin begins before the blocks of kernels that were launched earlier and have not begun: those of
// one that fills the GPU would keep spins of several streams waiting, to begin together when it
// ends, and leave the memory without work then (Jacobi's iteration on 8 blocks of 32 MiB, one H200:
// 46 ms instead of 54).
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

int highest_priority() {
  int least = 0;
  int greatest = 0;
  check_cuda(cudaDeviceGetStreamPriorityRange(&least, &greatest), "priorities of streams");
  return greatest;
}

void launch_wait(std::uint64_t ns, cudaStream_t stream) {
  static const int kPriority = highest_priority();  // the same for all GPUs
  cudaLaunchAttribute priority = {};
  priority.id = cudaLaunchAttributePriority;
  priority.val.priority = kPriority;
  cudaLaunchConfig_t config = {};
  config.gridDim = 1;
  config.blockDim = 1;
  config.stream = stream;
  config.attrs = &priority;
  config.numAttrs = 1;
  check_cuda(cudaLaunchKernelEx(&config, wait, ns), "spin");
}

void spin(const core::KernelCall& call, Operands, const LaunchContext& context) {
  const auto ns = static_cast<std::uint64_t>(core::parameter_of(call, "ns").value_or(0.0));
  if (ns == 0) {
    nothing<<<1, 1, 0, context.stream>>>();
    check_cuda(cudaGetLastError(), "spin");
  } else {
    launch_wait(ns, context.stream);
  }
}

}  // namespace

void register_device_kernel_spin(DeviceKernelRegistry& registry);

void register_device_kernel_spin(DeviceKernelRegistry& registry) {
  registry.add("none", {[](const core::KernelCall&, Operands, const LaunchContext&) {}});
  registry.add("spin", {spin});
}

}  // namespace parley::exec::cuda
