// Times of events on a GPU as times of the run. An event of each GPU was recorded at a known
// time of the host; elapsed times from it have half a microsecond of resolution.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>

#include "core/base/units.h"

namespace parley::exec::cuda {

class StreamClock {
 public:
  StreamClock() = default;
  ~StreamClock();
  StreamClock(const StreamClock&) = delete;
  StreamClock& operator=(const StreamClock&) = delete;

  /// Sets the clock of the current device by the idle `stream`. Throws EnvironmentFailure.
  void set(cudaStream_t stream, const std::function<core::Time()>& now);
  /// The run's clock now starts so much later.
  void postpone(core::Duration by) { base_time_ = base_time_ - by; }
  /// When the event happened. Requires: it did, on this device. Throws EnvironmentFailure.
  [[nodiscard]] core::Time time_of(cudaEvent_t event) const;

 private:
  cudaEvent_t base_ = nullptr;
  core::Time base_time_;
};

}  // namespace parley::exec::cuda
