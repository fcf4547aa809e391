// A short list that keeps its first N items in place and moves to the heap when there are more. For
// wait lists and holders, which have one to three items nearly always. Items are plain data. Heap
// memory, once taken, is kept until the list goes: lists that were long get long again.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace parley::core {

template <class T, std::size_t N>
class InlineList {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T> && N > 0);

 public:
  InlineList() {}  // NOLINT: storage is left as it is
  InlineList(const InlineList& other) { copy_from(other); }
  InlineList(InlineList&& other) noexcept { take_from(other); }
  InlineList& operator=(const InlineList& other) {
    if (this == &other) return *this;
    size_ = 0;
    copy_from(other);
    return *this;
  }
  InlineList& operator=(InlineList&& other) noexcept {
    if (this == &other) return *this;
    release();
    take_from(other);
    return *this;
  }
  ~InlineList() { release(); }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::span<T> items() { return {data(), size_}; }
  [[nodiscard]] std::span<const T> items() const { return {data(), size_}; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  T& operator[](std::size_t i) { return data()[i]; }
  const T& operator[](std::size_t i) const { return data()[i]; }

  void push_back(const T& item) {
    const T copy = item;  // it may lie in this list
    if (size_ == capacity_) grow(2 * std::size_t{capacity_});
    data()[size_++] = copy;
  }
  void clear() { size_ = 0; }
  /// Keeps the order of what stays.
  template <class Predicate>
  void erase_if(Predicate predicate) {
    const std::span<T> all = items();
    size_ =
        static_cast<std::uint32_t>(std::remove_if(all.begin(), all.end(), predicate) - all.begin());
  }
  [[nodiscard]] bool contains(const T& item) const {
    return std::find(begin(), end(), item) != end();
  }

 private:
  [[nodiscard]] bool is_inline() const { return capacity_ == N; }
  T* data() { return is_inline() ? in_place_ : heap_; }
  const T* data() const { return is_inline() ? in_place_ : heap_; }

  void grow(std::size_t capacity) {
    T* larger = new T[capacity];
    std::copy(begin(), end(), larger);
    release();
    heap_ = larger;
    capacity_ = static_cast<std::uint32_t>(capacity);
  }
  void release() {
    if (!is_inline()) delete[] heap_;
    capacity_ = N;
  }
  void copy_from(const InlineList& other) {
    if (other.size_ > capacity_) grow(other.size_);
    std::copy(other.begin(), other.end(), data());
    size_ = other.size_;
  }
  void take_from(InlineList& other) {
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, static_cast<std::uint32_t>(N));
    if (is_inline()) {
      std::copy(other.in_place_, other.in_place_ + size_, in_place_);
    } else {
      heap_ = other.heap_;
    }
  }

  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = N;
  union {
    T in_place_[N];
    T* heap_;
  };
};

}  // namespace parley::core
