#include "core/graph/partition.h"

// Boost 1.74's own headers include deprecated ones and would say so in every build.
#define BOOST_ALLOW_DEPRECATED_HEADERS
#include <algorithm>
#include <array>
#include <boost/geometry.hpp>
#include <boost/geometry/index/rtree.hpp>
#include <iterator>
#include <utility>

#include "core/base/check.h"

namespace parley::core {
namespace {

namespace bg = boost::geometry;

// Bounds in the first three dimensions suffice to find candidates; exact tests follow.
constexpr std::size_t kIndexedRank = 3;
using Point = bg::model::point<double, kIndexedRank, bg::cs::cartesian>;
using Bounds = bg::model::box<Point>;

Bounds bounds_of(const Box& box) {
  std::array<double, kIndexedRank> low{}, high{};
  for (std::size_t d = 0; d < std::min(kIndexedRank, box.rank()); ++d) {
    low[d] = static_cast<double>(box[d].start);
    high[d] = static_cast<double>(box[d].last());
  }
  return {Point(low[0], low[1], low[2]), Point(high[0], high[1], high[2])};
}

}  // namespace

/// R-tree of the bounds of all boxes; an entry tells the box's piece and slot.
struct Partition::Index {
  using Value = std::pair<Bounds, std::uint32_t>;
  struct SameEntry {
    bool operator()(const Value& a, const Value& b) const { return a.second == b.second; }
  };
  bg::index::rtree<Value, bg::index::quadratic<16>, bg::index::indexable<Value>, SameEntry> tree;
  std::vector<std::pair<LocalPiece, std::uint32_t>> places;  // by entry
  std::vector<std::uint32_t> free_entries;
};

Partition::Partition(const Box& whole) : whole_(whole) {
  Piece piece;
  if (!whole.is_empty()) piece.boxes.push_back(whole);
  piece.entries.resize(piece.boxes.size());
  piece.size = whole.size();
  pieces_.push_back(std::move(piece));
}

Partition::~Partition() = default;
Partition::Partition(Partition&&) noexcept = default;
Partition& Partition::operator=(Partition&&) noexcept = default;

std::vector<Partition::Touched> Partition::touched_boxes(const Box& box) const {
  std::vector<Touched> touched;
  const auto test = [&](LocalPiece piece, std::uint32_t slot) {
    const auto common = intersection(pieces_[piece].boxes[slot], box);
    if (common) touched.push_back({piece, slot, *common});
  };
  if (index_ == nullptr) {
    test(0, 0);
    return touched;
  }
  std::vector<Index::Value> found;
  index_->tree.query(bg::index::intersects(bounds_of(box)), std::back_inserter(found));
  for (const auto& [bounds, entry] : found) {
    test(index_->places[entry].first, index_->places[entry].second);
  }
  // The tree's answer has no order of its own that we would rely on.
  std::sort(touched.begin(), touched.end(), [](const Touched& a, const Touched& b) {
    return std::pair(a.piece, a.slot) < std::pair(b.piece, b.slot);
  });
  return touched;
}

void Partition::add_box(LocalPiece piece, const Box& box) {
  std::uint32_t entry = 0;
  if (index_->free_entries.empty()) {
    entry = static_cast<std::uint32_t>(index_->places.size());
    index_->places.emplace_back();
  } else {
    entry = index_->free_entries.back();
    index_->free_entries.pop_back();
  }
  index_->places[entry] = {piece, static_cast<std::uint32_t>(pieces_[piece].boxes.size())};
  pieces_[piece].boxes.push_back(box);
  pieces_[piece].entries.push_back(entry);
  index_->tree.insert({bounds_of(box), entry});
}

void Partition::remove_box(LocalPiece piece, std::uint32_t slot) {
  Piece& owner = pieces_[piece];
  const std::uint32_t entry = owner.entries[slot];
  const std::size_t removed = index_->tree.remove({bounds_of(owner.boxes[slot]), entry});
  PARLEY_CHECK(removed == 1, "a box is missing from the index");
  index_->free_entries.push_back(entry);
  owner.boxes[slot] = owner.boxes.back();
  owner.entries[slot] = owner.entries.back();
  owner.boxes.pop_back();
  owner.entries.pop_back();
  if (slot < owner.entries.size()) index_->places[owner.entries[slot]].second = slot;
}

std::vector<LocalPiece> Partition::refine(const Box& box, std::vector<Cut>& cuts) {
  std::vector<LocalPiece> inside;
  if (piece_count() == 1 && box == whole_) return {0};
  const std::vector<Touched> touched = touched_boxes(box);
  for (std::size_t begin = 0; begin < touched.size();) {
    const LocalPiece piece = touched[begin].piece;
    std::size_t end = begin;
    std::int64_t common_size = 0;
    for (; end < touched.size() && touched[end].piece == piece; ++end) {
      common_size += touched[end].common.size();
    }
    if (common_size == pieces_[piece].size) {
      inside.push_back(piece);
      begin = end;
      continue;
    }
    if (index_ == nullptr) {
      index_ = std::make_unique<Index>();
      const Box only = pieces_[0].boxes[0];
      pieces_[0].boxes.clear();
      pieces_[0].entries.clear();
      add_box(0, only);
    }
    const LocalPiece fresh = piece_count();
    pieces_.emplace_back();
    cuts.push_back({piece, fresh});
    inside.push_back(fresh);
    // From the last slot down, so that removal by swapping leaves the slots still to come in place.
    for (std::size_t i = end; i-- > begin;) {
      const Box cut = pieces_[piece].boxes[touched[i].slot];
      remove_box(piece, touched[i].slot);
      add_box(fresh, touched[i].common);
      for (const Box& rest : difference(cut, touched[i].common)) add_box(piece, rest);
    }
    pieces_[fresh].size = common_size;
    pieces_[piece].size -= common_size;
    begin = end;
  }
  std::sort(inside.begin(), inside.end());
  return inside;
}

}  // namespace parley::core
