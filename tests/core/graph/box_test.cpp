// Boxes against sets of indices listed one by one.
#include "core/graph/box.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "tests/support/chooser.h"

namespace parley::core {
namespace {

using test::Random;
using Elements = std::set<std::vector<std::int64_t>>;

/// Every index tuple of the box, found by trying all tuples below `limit`.
Elements elements_of(const Box& box, std::int64_t limit) {
  Elements elements;
  std::vector<std::int64_t> position(box.rank(), 0);
  while (true) {
    bool is_inside = true;
    for (std::size_t d = 0; d < box.rank(); ++d) is_inside &= box[d].contains(position[d]);
    if (is_inside) elements.insert(position);
    std::size_t d = box.rank();
    while (d > 0 && ++position[d - 1] == limit) position[--d] = 0;
    if (d == 0) return elements;
  }
}

Box random_box(Random& random, std::size_t rank, std::int64_t limit) {
  std::vector<Range> ranges;
  for (std::size_t d = 0; d < rank; ++d) {
    Range range;
    range.start = random.between(0, limit - 1);
    range.step = random.between(1, 5);
    range.count =
        random.between(random.chance(5) ? 0 : 1, (limit - 1 - range.start) / range.step + 1);
    ranges.push_back(range);
  }
  return Box(ranges);
}

std::string text_of(const Box& box) {
  std::string text = "{";
  for (const Range& r : box.ranges()) {
    text += " " + std::to_string(r.start) + "+" + std::to_string(r.count) + "*" +
            std::to_string(r.step);
  }
  return text + " }";
}

TEST_CASE("equal sets of indices are equal boxes") {
  const Box single(std::vector<Range>{{3, 7, 1}});
  CHECK(single == Box(std::vector<Range>{{3, 1, 1}}));
  CHECK(hash_of(single) == hash_of(Box(std::vector<Range>{{3, 1, 1}})));
  CHECK(Box(std::vector<Range>{{4, 2, 0}}) == Box(std::vector<Range>{{0, 1, 0}}));
  CHECK_FALSE(Box(std::vector<Range>{{0, 2, 3}}) == Box(std::vector<Range>{{0, 1, 3}}));
}

TEST_CASE("a box of no dimensions has one element and an empty range empties the box") {
  CHECK(Box().size() == 1);
  CHECK(Box::whole(std::vector<std::int64_t>{}).size() == 1);
  CHECK(Box::whole(std::vector<std::int64_t>{3, 0, 2}).is_empty());
  CHECK(Box::whole(std::vector<std::int64_t>{3, 4}).size() == 12);
}

TEST_CASE("a box without elements keeps its extents, whatever they would come to") {
  const Box sliced(std::vector<Range>{{2, 3, 0}, {1, 2, 4}});
  CHECK(sliced.is_empty());
  CHECK(sliced == Box::whole(std::vector<std::int64_t>{0, 4}));
  CHECK(hash_of(sliced) == hash_of(Box::whole(std::vector<std::int64_t>{0, 4})));
  CHECK_FALSE(sliced == Box::whole(std::vector<std::int64_t>{0, 5}));
  CHECK_FALSE(intersection(sliced, sliced).has_value());
  CHECK(difference(sliced, sliced).empty());
  CHECK(Box::whole(std::vector<std::int64_t>{0, 5}).contains(sliced));
  constexpr std::int64_t kLarge = std::int64_t{1} << 62U;
  CHECK(Box::whole(std::vector<std::int64_t>{kLarge, kLarge, 0}).size() == 0);
}

TEST_CASE("intersection, difference, containment and size agree with listed indices") {
  Random random(7);
  for (int round = 0; round < 4000; ++round) {
    const std::size_t rank = 1 + random.below(3);
    const std::int64_t limit = rank == 1 ? 40 : rank == 2 ? 14 : 7;
    const Box a = random_box(random, rank, limit);
    const Box b = random_box(random, rank, limit);
    CAPTURE(text_of(a));
    CAPTURE(text_of(b));
    const Elements in_a = elements_of(a, limit);
    const Elements in_b = elements_of(b, limit);
    REQUIRE(a.size() == static_cast<std::int64_t>(in_a.size()));

    Elements common;
    std::set_intersection(in_a.begin(), in_a.end(), in_b.begin(), in_b.end(),
                          std::inserter(common, common.end()));
    const auto both = intersection(a, b);
    REQUIRE(both.has_value() == !common.empty());
    if (both) REQUIRE(elements_of(*both, limit) == common);

    if (!a.is_empty() && !b.is_empty()) {
      REQUIRE(a.contains(b) == std::includes(in_a.begin(), in_a.end(), in_b.begin(), in_b.end()));
    }

    Elements rest = in_a;
    for (const auto& element : common) rest.erase(element);
    Elements covered;
    for (const Box& part : difference(a, b)) {
      REQUIRE_FALSE(part.is_empty());
      for (const auto& element : elements_of(part, limit)) {
        const bool is_new = covered.insert(element).second;
        REQUIRE_MESSAGE(is_new, "the boxes of a difference overlap");
      }
    }
    REQUIRE(covered == rest);
  }
}

TEST_CASE("a difference takes residue classes or gaps, whichever are fewer") {
  const Box all = Box::whole(std::vector<std::int64_t>{100});
  CHECK(difference(all, Box(std::vector<Range>{{0, 2, 50}})).size() <= 2);   // the odd ones
  CHECK(difference(all, Box(std::vector<Range>{{10, 40, 2}})).size() <= 3);  // gaps
}

TEST_CASE("huge boxes do not overflow") {
  const std::int64_t big = std::int64_t{1} << 60U;
  const Box a(std::vector<Range>{{0, 3, big / 3}});
  const Box b(std::vector<Range>{{1, 7, big / 7}});
  const auto both = intersection(a, b);
  REQUIRE(both.has_value());
  CHECK((*both)[0].start == 15);
  CHECK((*both)[0].step == 21);
  CHECK(a.contains(*both));
  CHECK(b.contains(*both));
}

}  // namespace
}  // namespace parley::core
