// Which GPUs this computer has, in a build with CUDA.
#include <cuda_runtime_api.h>

#include <cstdlib>
#include <string>

#include "exec/backend.h"
#include "exec/cuda/cuda_backend.h"
#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {

bool is_built() { return true; }

core::Result<std::vector<Gpu>> find_gpus() {
  // More streams than hardware queues wait for each other; the default is 8 queues. This is how the
  // driver is told, before its first call; what the user has set stays.
  constexpr int kKeepsValue = 0;
  (void)setenv("CUDA_DEVICE_MAX_CONNECTIONS", "32", kKeepsValue);
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status != cudaSuccess || count == 0) {
    (void)cudaGetLastError();
    return core::Fault{
        "--backend cuda",
        std::string("found no GPU") +
            (status == cudaSuccess ? "" : std::string(" (") + cudaGetErrorString(status) + ")") +
            "; --backend host runs the same workload with threads"};
  }
  int driver = 0;
  std::vector<Gpu> gpus;
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties{};
    std::size_t free = 0;
    std::size_t total = 0;
    try {
      check_cuda(cudaDriverGetVersion(&driver), "asking for the driver's version");
      check_cuda(cudaGetDeviceProperties(&properties, i), "asking for a GPU's properties");
      check_cuda(cudaSetDevice(i), "choosing a GPU");
      check_cuda(cudaMemGetInfo(&free, &total), "asking for free memory");
    } catch (const EnvironmentFailure& failure) {
      return core::Fault{"gpu:" + std::to_string(i), failure.what()};
    }
    gpus.push_back(
        {properties.name, core::Bytes(static_cast<std::int64_t>(total)),
         core::Bytes(static_cast<std::int64_t>(free)),
         "CUDA " + std::to_string(driver / 1000) + "." + std::to_string(driver % 1000 / 10)});
  }
  return gpus;
}

}  // namespace parley::exec::cuda
