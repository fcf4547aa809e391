// Partitions against an array that holds, for every element, the regions it lies in: elements are
// in one piece exactly when every region in use holds both or neither.
#include "core/graph/partition.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "tests/support/chooser.h"
#include "tests/support/geometry.h"

namespace parley::core {
namespace {

using test::for_each_element_of;
using test::Random;
using Shape = std::vector<std::int64_t>;

std::size_t element_count(const Shape& shape) {
  std::size_t count = 1;
  for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
  return count;
}

/// The piece of every element. Fails when boxes overlap, are missing or sizes are wrong.
std::vector<LocalPiece> pieces_by_element(const Partition& partition, const Shape& shape) {
  constexpr LocalPiece kNowhere = 0xffffffffU;
  std::vector<LocalPiece> found(element_count(shape), kNowhere);
  for (LocalPiece piece = 0; piece < partition.piece_count(); ++piece) {
    std::int64_t size = 0;
    for (const Box& box : partition.boxes(piece)) {
      for_each_element_of(box, shape, [&](std::int64_t element) {
        REQUIRE(found[static_cast<std::size_t>(element)] == kNowhere);
        found[static_cast<std::size_t>(element)] = piece;
        ++size;
      });
    }
    REQUIRE(partition.size(piece) == size);
  }
  REQUIRE(std::count(found.begin(), found.end(), kNowhere) == 0);
  return found;
}

Box random_region(Random& random, const Shape& shape) {
  std::vector<Range> ranges;
  for (const std::int64_t extent : shape) {
    if (random.chance(25)) {
      ranges.push_back({0, 1, extent});
      continue;
    }
    Range range;
    range.start = random.between(0, extent - 1);
    range.step = random.chance(60) ? 1 : random.between(2, 4);
    range.count = random.between(1, (extent - 1 - range.start) / range.step + 1);
    ranges.push_back(range);
  }
  return Box(ranges);
}

/// The partition and the model side by side.
class Checked {
 public:
  explicit Checked(Shape shape)
      : shape_(std::move(shape)),
        partition_(Box::whole(shape_)),
        regions_of_(element_count(shape_)),
        before_(pieces_by_element(partition_, shape_)) {}

  void refine(const Box& box) {
    std::vector<Cut> cuts;
    const std::vector<LocalPiece> inside = partition_.refine(box, cuts);
    check_inside(box, inside);
    for_each_element_of(box, shape_, [&](std::int64_t element) {
      regions_of_[static_cast<std::size_t>(element)].push_back(region_count_);
    });
    ++region_count_;
    const std::vector<LocalPiece> now = pieces_by_element(partition_, shape_);
    check_coarsest(now);
    check_cuts(cuts, now);
    before_ = now;
  }

 private:
  // The pieces named are ascending and hold exactly the region.
  void check_inside(const Box& box, const std::vector<LocalPiece>& inside) const {
    REQUIRE(std::is_sorted(inside.begin(), inside.end()));
    REQUIRE(std::adjacent_find(inside.begin(), inside.end()) == inside.end());
    std::int64_t size = 0;
    for (const LocalPiece piece : inside) {
      for (const Box& part : partition_.boxes(piece)) REQUIRE(box.contains(part));
      size += partition_.size(piece);
    }
    REQUIRE(size == box.size());
  }

  void check_coarsest(const std::vector<LocalPiece>& now) const {
    std::map<std::vector<int>, LocalPiece> piece_of;
    for (std::size_t element = 0; element < now.size(); ++element) {
      const auto [known, is_new] = piece_of.emplace(regions_of_[element], now[element]);
      REQUIRE(known->second == now[element]);
    }
    REQUIRE(piece_of.size() == partition_.piece_count());
  }

  // Replaying the cuts on the old pieces gives the new ones: inside elements move to the new id.
  void check_cuts(const std::vector<Cut>& cuts, const std::vector<LocalPiece>& now) const {
    std::map<LocalPiece, LocalPiece> came_from;
    for (const Cut& cut : cuts) REQUIRE(came_from.emplace(cut.inside, cut.from).second);
    for (std::size_t element = 0; element < now.size(); ++element) {
      if (now[element] == before_[element]) continue;
      REQUIRE(came_from.contains(now[element]));
      REQUIRE(came_from[now[element]] == before_[element]);
    }
  }

  Shape shape_;
  Partition partition_;
  std::vector<std::vector<int>> regions_of_;  // by element
  std::vector<LocalPiece> before_;
  int region_count_ = 0;
};

TEST_CASE("pieces are the coarsest division in which every region is whole") {
  Random random(11);
  const std::vector<Shape> shapes = {{30}, {1}, {8, 9}, {5, 4, 6}, {2, 3, 2, 3}, {17, 1}};
  for (int round = 0; round < 300; ++round) {
    const Shape& shape = shapes[random.below(shapes.size())];
    Checked checked(shape);
    const std::size_t regions = 1 + random.below(12);
    for (std::size_t i = 0; i < regions; ++i) checked.refine(random_region(random, shape));
  }
}

TEST_CASE("aligned tiles cost one piece of one box each, in any order") {
  constexpr std::int64_t kTiles = 12, kEdge = 5;
  const Shape shape{kTiles * kEdge, kTiles * kEdge};
  std::vector<Box> tiles;
  for (std::int64_t i = 0; i < kTiles; ++i) {
    for (std::int64_t j = 0; j < kTiles; ++j) {
      tiles.emplace_back(std::vector<Range>{{i * kEdge, 1, kEdge}, {j * kEdge, 1, kEdge}});
    }
  }
  Random random(5);
  for (std::size_t i = tiles.size(); i > 1; --i) std::swap(tiles[i - 1], tiles[random.below(i)]);
  Partition partition(Box::whole(shape));
  std::vector<Cut> cuts;
  for (const Box& tile : tiles) CHECK(partition.refine(tile, cuts).size() == 1);
  CHECK(partition.piece_count() == tiles.size());
  for (LocalPiece piece = 0; piece < partition.piece_count(); ++piece) {
    CHECK(partition.boxes(piece).size() == 1);
  }
}

TEST_CASE("an empty array is one piece without boxes, a scalar one piece of one element") {
  Partition nothing(Box::whole(Shape{0, 4}));
  CHECK(nothing.piece_count() == 1);
  CHECK(nothing.boxes(0).empty());
  Partition scalar(Box::whole(Shape{}));
  std::vector<Cut> cuts;
  CHECK(scalar.refine(Box(), cuts) == std::vector<LocalPiece>{0});
  CHECK(cuts.empty());
}

}  // namespace
}  // namespace parley::core
