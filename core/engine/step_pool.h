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
    chunk_ = 0;
    used_ = 0;
  }

 private:
  struct Chunk {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size;
  };

  std::byte* take(std::size_t bytes, std::size_t alignment) {
    for (;; ++chunk_, used_ = 0) {
      if (chunk_ == chunks_.size()) {
        const std::size_t size = std::max<std::size_t>(bytes + alignment, std::size_t{1} << 16U);
        chunks_.push_back({std::make_unique<std::byte[]>(size), size});
      }
      used_ = (used_ + alignment - 1) / alignment * alignment;
      if (used_ + bytes <= chunks_[chunk_].size) break;
    }
    std::byte* place = chunks_[chunk_].bytes.get() + used_;
    used_ += bytes;
    return place;
  }

  std::vector<Chunk> chunks_;
  std::size_t chunk_ = 0;
  std::size_t used_ = 0;
};

}  // namespace parley::core
