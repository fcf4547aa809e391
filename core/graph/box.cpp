#include "core/graph/box.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/check.h"

namespace parley::core {
namespace {

Range canonical(Range range) {
  if (range.count <= 0) return Range{};
  if (range.count == 1) range.step = 1;
  return range;
}

/// x with a * x = gcd (mod m), by the extended Euclidean algorithm. `gcd` receives gcd(a, m).
std::int64_t bezout(std::int64_t a, std::int64_t m, std::int64_t& gcd) {
  std::int64_t x = 1, next_x = 0, r = a, next_r = m;
  while (next_r != 0) {
    const std::int64_t q = r / next_r;
    x = std::exchange(next_x, x - q * next_x);
    r = std::exchange(next_r, r - q * next_r);
  }
  gcd = r;
  return x;
}

/// Common indices of two arithmetic progressions (Chinese remainder theorem).
Range intersect(const Range& a, const Range& b) {
  if (a.count == 0 || b.count == 0) return Range{};
  const std::int64_t low = std::max(a.start, b.start);
  const std::int64_t high = std::min(a.last(), b.last());
  if (low > high) return Range{};
  if (a.step == 1 && b.step == 1) return canonical({low, 1, high - low + 1});
  std::int64_t gcd = 0;
  const std::int64_t inverse = bezout(a.step, b.step, gcd);
  const std::int64_t distance = b.start - a.start;
  if (distance % gcd != 0) return Range{};
  // a.start + a.step * k is the smallest common index at or above a.start, modulo the joint step.
  const std::int64_t modulus = b.step / gcd;
  auto k = static_cast<std::int64_t>(static_cast<__int128>(inverse) * (distance / gcd) % modulus);
  if (k < 0) k += modulus;
  const __int128 step = static_cast<__int128>(a.step) * modulus;
  __int128 first = static_cast<__int128>(a.start) + static_cast<__int128>(a.step) * k;
  if (first < low) first += (low - first + step - 1) / step * step;
  if (first > high) return Range{};
  const auto count = static_cast<std::int64_t>((high - first) / step) + 1;
  const auto joint = count > 1 ? static_cast<std::int64_t>(step) : 1;
  return canonical({static_cast<std::int64_t>(first), joint, count});
}

/// The indices of `whole` that are not in `part`, a non-empty subset of it, as few ranges.
void subtract(const Range& whole, const Range& part, std::vector<Range>& rest) {
  const std::int64_t before = (part.start - whole.start) / whole.step;
  if (before > 0) rest.push_back(canonical({whole.start, whole.step, before}));
  const std::int64_t after = (whole.last() - part.last()) / whole.step;
  if (after > 0) rest.push_back(canonical({part.last() + whole.step, whole.step, after}));
  if (part.count < 2) return;
  const std::int64_t ratio = part.step / whole.step;
  const std::int64_t gaps = part.count - 1;
  if (ratio - 1 <= gaps) {
    for (std::int64_t j = 1; j < ratio; ++j) {
      rest.push_back(canonical({part.start + j * whole.step, part.step, gaps}));
    }
  } else {
    for (std::int64_t i = 0; i < gaps; ++i) {
      rest.push_back(canonical({part.start + i * part.step + whole.step, whole.step, ratio - 1}));
    }
  }
}

}  // namespace

Box::Box(std::span<const Range> ranges) : rank_(ranges.size()) {
  PARLEY_CHECK(rank_ <= kMaxRank, "rank " + std::to_string(rank_));
  bool is_any_empty = false;
  for (std::size_t d = 0; d < rank_; ++d) {
    ranges_[d] = canonical(ranges[d]);
    is_any_empty |= ranges_[d].count == 0;
  }
  if (!is_any_empty) return;
  for (std::size_t d = 0; d < rank_; ++d) ranges_[d] = {0, 1, ranges_[d].count};
}

Box Box::whole(std::span<const std::int64_t> shape) {
  std::array<Range, kMaxRank> ranges{};
  PARLEY_CHECK(shape.size() <= kMaxRank, "rank " + std::to_string(shape.size()));
  for (std::size_t d = 0; d < shape.size(); ++d) ranges[d] = {0, 1, shape[d]};
  return Box(std::span<const Range>(ranges.data(), shape.size()));
}

std::int64_t Box::size() const {
  std::int64_t product = 1;
  for (std::size_t d = 0; d < rank_; ++d) {
    if (ranges_[d].count == 0) return 0;  // the other extents' product may be beyond 64 bits
  }
  for (std::size_t d = 0; d < rank_; ++d) product *= ranges_[d].count;
  return product;
}

bool Box::contains(const Box& other) const {
  if (other.is_empty()) return true;
  const auto common = intersection(*this, other);
  return common.has_value() && *common == other;
}

bool Box::operator==(const Box& other) const {
  return rank_ == other.rank_ &&
         std::equal(ranges_.begin(), ranges_.begin() + static_cast<std::ptrdiff_t>(rank_),
                    other.ranges_.begin());
}

std::size_t hash_of(const Box& box) {
  std::uint64_t hash = 0x9e3779b97f4a7c15ULL + box.rank();
  for (const Range& range : box.ranges()) {
    for (const std::int64_t value : {range.start, range.step, range.count}) {
      hash ^= static_cast<std::uint64_t>(value);
      hash *= 0xbf58476d1ce4e5b9ULL;
      hash ^= hash >> 29U;
    }
  }
  return hash;
}

std::optional<Box> intersection(const Box& a, const Box& b) {
  PARLEY_CHECK(a.rank() == b.rank(), "boxes of different arrays");
  std::array<Range, Box::kMaxRank> ranges{};
  for (std::size_t d = 0; d < a.rank(); ++d) {
    ranges[d] = intersect(a[d], b[d]);
    if (ranges[d].count == 0) return std::nullopt;
  }
  return Box(std::span<const Range>(ranges.data(), a.rank()));
}

std::vector<Box> difference(const Box& a, const Box& b) {
  if (a.is_empty()) return {};
  const auto common = intersection(a, b);
  if (!common) return {a};
  std::vector<Box> boxes;
  std::vector<Range> rest;
  std::array<Range, Box::kMaxRank> ranges{};
  std::copy(a.ranges().begin(), a.ranges().end(), ranges.begin());
  // Dimension by dimension: what lies outside in this one; inside it, the next dimension decides.
  for (std::size_t d = 0; d < a.rank(); ++d) {
    rest.clear();
    subtract(a[d], (*common)[d], rest);
    for (const Range& range : rest) {
      ranges[d] = range;
      boxes.emplace_back(std::span<const Range>(ranges.data(), a.rank()));
    }
    ranges[d] = (*common)[d];
  }
  return boxes;
}

}  // namespace parley::core
