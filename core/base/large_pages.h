// An allocator for long vectors: from a few MiB on it asks the system for pages of 2 MiB, as Linux
// gives them to who asks (madvise). Tables of millions of tasks are read here and there, and with
// small pages each such read also misses the cache of addresses (TLB).
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace parley::core {

template <class T>
class LargePages {
 public:
  using value_type = T;

  LargePages() = default;
  template <class Other>
  LargePages(const LargePages<Other>&) {}  // NOLINT(google-explicit-constructor): as std demands

  T* allocate(std::size_t n) {
    const std::size_t bytes = n * sizeof(T);
    if (bytes < kLeast) return static_cast<T*>(::operator new(bytes));
    void* memory = ::operator new(bytes, kPage);
#ifdef __linux__
    ::madvise(memory, bytes, MADV_HUGEPAGE);  // advice: it does not matter if it is not taken
#endif
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t n) {
    if (n * sizeof(T) < kLeast) {
      ::operator delete(memory);
    } else {
      ::operator delete(memory, kPage);
    }
  }
  bool operator==(const LargePages&) const { return true; }

 private:
  static constexpr std::size_t kLeast = std::size_t{4} << 20;
  static constexpr std::align_val_t kPage{std::size_t{2} << 20};
};

template <class T>
using LongVector = std::vector<T, LargePages<T>>;

}  // namespace parley::core
