// A box: the product of one arithmetic progression of indices per dimension, in canonical form, so
// that equal sets of elements compare equal; without elements, equal extents do. Regions are boxes
// of an array's index space; boxes are closed under intersection, and the difference of two is a
// list of disjoint boxes.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace parley::core {

/// Indices start, start + step, ..., `count` of them. Canonical: step is 1 when count is 1, and all
/// is {0, 1, 0} when count is 0. A box without elements starts at 0 with step 1 in every dimension:
/// all that is left of it is its extents, which kernels ask for.
struct Range {
  std::int64_t start = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;

  [[nodiscard]] constexpr std::int64_t last() const { return start + (count - 1) * step; }
  [[nodiscard]] constexpr bool contains(std::int64_t i) const {
    return count > 0 && i >= start && i <= last() && (i - start) % step == 0;
  }
  constexpr auto operator<=>(const Range&) const = default;
};

class Box {
 public:
  static constexpr std::size_t kMaxRank = 8;

  Box() = default;
  /// Requires: at most kMaxRank ranges. Canonicalises; any empty range makes the box empty.
  explicit Box(std::span<const Range> ranges);
  /// The box of all indices of an array of that shape.
  static Box whole(std::span<const std::int64_t> shape);

  [[nodiscard]] std::size_t rank() const { return rank_; }
  [[nodiscard]] const Range& operator[](std::size_t dim) const { return ranges_[dim]; }
  [[nodiscard]] std::span<const Range> ranges() const { return {ranges_.data(), rank_}; }
  /// Number of elements; a box of rank 0 has one.
  [[nodiscard]] std::int64_t size() const;
  [[nodiscard]] bool is_empty() const { return size() == 0; }
  [[nodiscard]] bool contains(const Box& other) const;
  bool operator==(const Box& other) const;

 private:
  std::array<Range, kMaxRank> ranges_{};
  std::size_t rank_ = 0;
};

std::size_t hash_of(const Box& box);

/// Common elements, or nothing when there are none. Requires equal ranks.
std::optional<Box> intersection(const Box& a, const Box& b);

/// Disjoint boxes that together hold the elements of `a` not in `b`. Per dimension, the gaps or the
/// residue classes between b's indices are chosen, whichever are fewer.
std::vector<Box> difference(const Box& a, const Box& b);

}  // namespace parley::core
