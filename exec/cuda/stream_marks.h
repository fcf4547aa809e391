// How far the GPU has come on each stream, in host memory: written by the GPU itself, so that it
// can be read when the GPU has failed and answers nothing but errors.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace parley::exec::cuda {

class StreamMarks {
 public:
  /// For streams 0 to `streams` - 1 of the current device. Does nothing where the driver cannot.
  explicit StreamMarks(std::size_t streams);
  ~StreamMarks();
  StreamMarks(const StreamMarks&) = delete;
  StreamMarks& operator=(const StreamMarks&) = delete;

  /// Enqueues that the command of that number (from 1 on, per stream) has started, or ended.
  void enqueue_started(std::size_t stream_index, cudaStream_t stream, std::uint32_t number) {
    enqueue(2 * stream_index, stream, number);
  }
  void enqueue_ended(std::size_t stream_index, cudaStream_t stream, std::uint32_t number) {
    enqueue(2 * stream_index + 1, stream, number);
  }
  /// The last that has; 0: none.
  [[nodiscard]] std::uint32_t started(std::size_t stream_index) const {
    return value(2 * stream_index);
  }
  [[nodiscard]] std::uint32_t ended(std::size_t stream_index) const {
    return value(2 * stream_index + 1);
  }

 private:
  void enqueue(std::size_t mark, cudaStream_t stream, std::uint32_t number);
  [[nodiscard]] std::uint32_t value(std::size_t mark) const {
    return marks_ == nullptr ? 0 : marks_[mark];
  }

  volatile std::uint32_t* marks_ = nullptr;
};

}  // namespace parley::exec::cuda
