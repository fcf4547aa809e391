#include "exec/cuda/stream_clock.h"

#include <algorithm>
#include <cmath>

#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {

StreamClock::~StreamClock() {
  if (base_ != nullptr) check_released(cudaEventDestroy(base_), "the base of a clock");
}

void StreamClock::set(cudaStream_t stream, const std::function<core::Time()>& now) {
  constexpr int kTries = 5;
  if (base_ == nullptr) check_cuda(cudaEventCreate(&base_), "making an event");
  core::Duration narrowest(std::int64_t{1} << 60U);
  // The event happened between two looks at the host's clock; the last try is the one recorded, so
  // tries go on until one is no wider than the narrowest seen.
  for (int i = 0; i < 4 * kTries; ++i) {
    const core::Time before = now();
    check_cuda(cudaEventRecord(base_, stream), "recording the base of the clock");
    check_cuda(cudaEventSynchronize(base_), "waiting for the base of the clock");
    const core::Time after = now();
    const core::Duration width = after - before;
    base_time_ = before + core::Duration(width.count() / 2);
    narrowest = std::min(narrowest, width);
    if (i >= kTries && width.count() <= narrowest.count() * 5 / 4) break;
  }
}

core::Time StreamClock::time_of(cudaEvent_t event) const {
  float milliseconds = 0;
  check_cuda(cudaEventElapsedTime(&milliseconds, base_, event), "the time of an event");
  const core::Time time =
      base_time_ + core::Duration(std::llround(static_cast<double>(milliseconds) * 1e6));
  return std::max(time, core::Time(0));
}

}  // namespace parley::exec::cuda
