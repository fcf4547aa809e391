// A short list that keeps its first N items in place and only longer ones on the heap. For wait
// lists and holders, which have one to three items nearly always.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace parley::core {

template <class T, std::size_t N>
class InlineList {
 public:
  InlineList() = default;
  InlineList(const InlineList& other) { *this = other; }
  InlineList(InlineList&&) noexcept = default;
  InlineList& operator=(InlineList&&) noexcept = default;
  InlineList& operator=(const InlineList& other) {
    if (this == &other) return *this;
    size_ = other.size_;
    inline_ = other.inline_;
    heap_ = other.heap_ ? std::make_unique<std::vector<T>>(*other.heap_) : nullptr;
    return *this;
  }
  ~InlineList() = default;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::span<T> items() { return {heap_ ? heap_->data() : inline_.data(), size_}; }
  [[nodiscard]] std::span<const T> items() const {
    return {heap_ ? heap_->data() : inline_.data(), size_};
  }
  const T* begin() const { return items().data(); }
  const T* end() const { return items().data() + size_; }
  T& operator[](std::size_t i) { return items()[i]; }
  const T& operator[](std::size_t i) const { return items()[i]; }

  void push_back(const T& item) {
    if (heap_) {
      heap_->resize(size_);
      heap_->push_back(item);
    } else if (size_ < N) {
      inline_[size_] = item;
    } else {
      heap_ = std::make_unique<std::vector<T>>(inline_.begin(), inline_.end());
      heap_->push_back(item);
    }
    ++size_;
  }
  void clear() {
    size_ = 0;
    heap_.reset();
  }
  /// `count` items, each as newly made.
  void assign_new(std::size_t count) {
    size_ = static_cast<std::uint32_t>(count);
    heap_ = count > N ? std::make_unique<std::vector<T>>(count) : nullptr;
    for (std::size_t i = 0; i < std::min(count, N); ++i) inline_[i] = T();
  }
  /// Keeps the order of what stays.
  template <class Predicate>
  void erase_if(Predicate predicate) {
    const std::span<T> all = items();
    size_ =
        static_cast<std::uint32_t>(std::remove_if(all.begin(), all.end(), predicate) - all.begin());
    if (size_ == 0) heap_.reset();
  }
  [[nodiscard]] bool contains(const T& item) const {
    return std::find(begin(), end(), item) != end();
  }

 private:
  std::array<T, N> inline_{};
  std::uint32_t size_ = 0;
  std::unique_ptr<std::vector<T>> heap_;
};

}  // namespace parley::core
