// Memory bandwidth: a copy and one step of a stencil, both on 2 GiB arrays.
#include "tests/benchmarks/raw_cuda/measure.h"

namespace raw {
namespace {

__global__ void copy_kernel(const double2* from, double2* to, std::size_t count) {
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    to[i] = from[i];
  }
}

/// The mean of the four neighbours in a grid of n x n, as one step of Jacobi's iteration.
__global__ void stencil_kernel(const double* from, double* to, std::size_t n) {
  const std::size_t x = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const std::size_t y = std::size_t{blockIdx.y} * blockDim.y + threadIdx.y;
  if (x == 0 || y == 0 || x + 1 >= n || y + 1 >= n) return;
  const double* at = from + y * n + x;
  to[y * n + x] = 0.25 * (at[-1] + at[1] + at[-static_cast<std::ptrdiff_t>(n)] + at[n]);
}

}  // namespace

void measure_memory(int gpus) {
  constexpr std::size_t kEdge = 16384, kBytes = kEdge * kEdge * sizeof(double);
  constexpr int kRounds = 20;
  std::vector<std::unique_ptr<DeviceBytes>> sources, targets;
  for (int gpu = 0; gpu < gpus; ++gpu) {
    sources.push_back(std::make_unique<DeviceBytes>(gpu, kBytes));
    targets.push_back(std::make_unique<DeviceBytes>(gpu, kBytes));
  }
  const auto rate = [&](const std::function<void(int)>& launch) {
    const double seconds = time_of(5, [&] {
      for (int i = 0; i < kRounds; ++i) {
        for (int gpu = 0; gpu < gpus; ++gpu) {
          CHECK(cudaSetDevice(gpu));
          launch(gpu);
        }
      }
      synchronize(gpus);
    });
    return 2e-9 * kRounds * gpus * static_cast<double>(kBytes) / seconds;
  };
  emit("memory_copy", gpus, rate([&](int gpu) {
         copy_kernel<<<4096, 256>>>(static_cast<const double2*>(sources[gpu]->data),
                                    static_cast<double2*>(targets[gpu]->data),
                                    kBytes / sizeof(double2));
       }),
       "GB/s");
  emit("memory_stencil", gpus, rate([&](int gpu) {
         stencil_kernel<<<dim3(kEdge / 64, kEdge / 4), dim3(64, 4)>>>(
             static_cast<const double*>(sources[gpu]->data),
             static_cast<double*>(targets[gpu]->data), kEdge);
       }),
       "GB/s");
}

}  // namespace raw
