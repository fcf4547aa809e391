// A GPU's multiprocessors in two parts: a few for kernels that are chains of small steps (tile
// factorisations), the others for what fills a GPU. Without it each small step waits until blocks
// of large kernels end: a 2048-tile's factorisation, 0.9 ms alone, then takes 5 to 30 ms (measured
// on H200, 2026-11-22). Built on green contexts (CUDA driver API, 12.4 and later).
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>

namespace parley::exec::cuda {

class SmPartition {
 public:
  /// Sets `reserved` multiprocessors of the GPU apart, rounded up to what the hardware allows. Null
  /// when the driver or the GPU cannot do it.
  static std::unique_ptr<SmPartition> create(int ordinal, std::uint32_t reserved);
  ~SmPartition();
  SmPartition(const SmPartition&) = delete;
  SmPartition& operator=(const SmPartition&) = delete;

  /// A non-blocking stream whose kernels run on the reserved part, or on the other one. Throws
  /// EnvironmentFailure.
  [[nodiscard]] cudaStream_t make_stream(bool is_reserved, int priority) const;

 private:
  SmPartition() = default;

  CUgreenCtx reserved_ = nullptr, rest_ = nullptr;
};

}  // namespace parley::exec::cuda
