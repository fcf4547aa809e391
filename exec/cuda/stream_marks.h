// How far the GPU has come on each stream, in host memory: it can be read when the GPU has failed.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "exec/cuda/stream_values.h"

namespace parley::exec::cuda {

class StreamMarks {
 public:
  /// For streams 0 to `streams` - 1 of the current device. Does nothing where the driver cannot.
  explicit StreamMarks(std::size_t streams) : values_(2 * streams) {}

  /// Enqueues that the command of that number (from 1 on, per stream) has started, or ended. Where
  /// the driver refuses, what has ended is known from events alone.
  void enqueue_started(std::size_t stream_index, cudaStream_t stream, std::uint32_t number) {
    (void)values_.enqueue_write(2 * stream_index, stream, number);
  }
  void enqueue_ended(std::size_t stream_index, cudaStream_t stream, std::uint32_t number) {
    (void)values_.enqueue_write(2 * stream_index + 1, stream, number);
  }
  void abandon() { values_.abandon(); }
  /// The last that has; 0: none.
  [[nodiscard]] std::uint32_t started(std::size_t stream_index) const {
    return values_.read(2 * stream_index);
  }
  [[nodiscard]] std::uint32_t ended(std::size_t stream_index) const {
    return values_.read(2 * stream_index + 1);
  }

 private:
  StreamValues values_;
};

}  // namespace parley::exec::cuda
