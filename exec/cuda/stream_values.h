// Numbers in host memory that streams write, and wait for. Written by the GPU itself, they can be
// read when it has failed and answers nothing but errors. To wait for one takes no lock of the GPU
// that writes it: cudaStreamWaitEvent on another GPU's event waits while that GPU's thread is in
// the driver.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace parley::exec::cuda {

class StreamValues {
 public:
  /// `count` numbers, all 0. Of no use where the driver cannot (is_available()).
  explicit StreamValues(std::size_t count);
  ~StreamValues();
  StreamValues(const StreamValues&) = delete;
  StreamValues& operator=(const StreamValues&) = delete;

  [[nodiscard]] bool is_available() const { return values_ != nullptr; }
  /// By the host, in place of a GPU that will not: what waits for it goes on.
  void set(std::size_t index, std::uint32_t value) {
    if (values_ != nullptr) values_[index * kApart] = value;
  }
  /// Leaves the memory to the process's end: a stream may still look at it.
  void abandon() { values_ = nullptr; }
  /// Enqueues that number `index` becomes `value` when all before it on the stream has ended.
  /// False, and nothing is enqueued: the driver refused.
  bool enqueue_write(std::size_t index, cudaStream_t stream, std::uint32_t value);
  /// Enqueues a wait, on any GPU's stream, until number `index` is `value` or has passed it (in the
  /// cyclic order of 32 bits). Throws EnvironmentFailure.
  void enqueue_wait(std::size_t index, cudaStream_t stream, std::uint32_t value) const;
  [[nodiscard]] std::uint32_t read(std::size_t index) const {
    return values_ == nullptr ? 0 : values_[index * kApart];
  }
  /// Whether it is `value` or has passed it.
  [[nodiscard]] bool has_reached(std::size_t index, std::uint32_t value) const {
    return static_cast<std::int32_t>(read(index) - value) >= 0;
  }

 private:
  static constexpr std::size_t kApart = 16;  // one to a cache line
  volatile std::uint32_t* values_ = nullptr;
};

}  // namespace parley::exec::cuda
