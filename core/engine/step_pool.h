// Storage for what the commands of one step point to. Cleared at the next step; memory is reused.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <vector>

namespace parley::core {

class StepPool {
 public:
  template <class T>
  std::span<T> allocate(std::size_t count) {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    if (count == 0) return {};
    std::byte* place = take(count * sizeof(T), alignof(T));
    T* items = reinterpret_cast<T*>(place);
    std::uninitialized_default_construct_n(items, count);
    return {items, count};
  }
  template <class T>
  std::span<const T> copy(std::span<const T> items) {
    const std::span<T> target = allocate<T>(items.size());
    std::copy(items.begin(), items.end(), target.begin());
    return target;
  }
  void clear() {
    if (!chunks_.empty()) begin_chunk(0);
  }

 private:
  struct Chunk {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size;
  };

  std::byte* take(std::size_t bytes, std::size_t alignment) {
    const std::size_t begin = (used_ + alignment - 1) & ~(alignment - 1);  // a power of two
    if (begin + bytes > size_) return take_elsewhere(bytes, alignment);
    used_ = begin + bytes;
    return memory_ + begin;
  }

  /// From the next chunk that is large enough.
  [[gnu::noinline]] std::byte* take_elsewhere(std::size_t bytes, std::size_t alignment) {
    do {
      const std::size_t next = memory_ == nullptr ? 0 : chunk_ + 1;
      if (next == chunks_.size()) {
        const std::size_t size = std::max<std::size_t>(bytes + alignment, std::size_t{1} << 16U);
        chunks_.push_back({std::make_unique<std::byte[]>(size), size});
      }
      begin_chunk(next);
    } while (bytes > size_);
    used_ = bytes;
    return memory_;
  }

  void begin_chunk(std::size_t number) {
    chunk_ = number;
    memory_ = chunks_[number].bytes.get();
    size_ = chunks_[number].size;
    used_ = 0;
  }

  std::vector<Chunk> chunks_;
  std::size_t chunk_ = 0;
  // Of that chunk, null while there is none:
  std::byte* memory_ = nullptr;
  std::size_t size_ = 0;
  std::size_t used_ = 0;
};

}  // namespace parley::core
