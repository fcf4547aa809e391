#include "core/graph/piece_map.h"

#include "core/base/check.h"

namespace parley::core {

void PieceMap::add_array(ArrayId array, RegionId whole, const Box& box) {
  PARLEY_CHECK(array == arrays_.next_id(), "arrays come in order");
  const PieceId piece = pieces_.push_back({array, 0, box.size(), {}});
  pieces_[piece].regions.push_back(whole);
  arrays_.push_back({box, nullptr, {piece}});
  if (regions_.size() <= whole.index()) regions_.resize(whole.index() + 1);
  regions_[whole].is_active = true;
  regions_[whole].pieces.push_back(piece);
}

std::span<const Box> PieceMap::boxes(PieceId piece) const {
  const ArrayEntry& array = arrays_[pieces_[piece].array];
  if (array.partition != nullptr) return array.partition->boxes(pieces_[piece].local);
  return array.whole.is_empty() ? std::span<const Box>() : std::span<const Box>(&array.whole, 1);
}

std::span<const PieceCut> PieceMap::activate(RegionId region, ArrayId array_id, const Box& box) {
  cuts_.clear();
  if (is_active(region)) return cuts_;
  if (regions_.size() <= region.index()) regions_.resize(region.index() + 1);
  regions_[region].is_active = true;
  if (box.is_empty()) return cuts_;

  ArrayEntry& array = arrays_[array_id];
  if (array.partition == nullptr) array.partition = std::make_unique<Partition>(array.whole);
  std::vector<Cut> local_cuts;
  const std::vector<LocalPiece> inside = array.partition->refine(box, local_cuts);
  for (const Cut& cut : local_cuts) {
    const PieceId from = array.pieces[cut.from];
    const PieceId fresh = pieces_.next_id();
    pieces_.push_back(
        {array_id, cut.inside, array.partition->size(cut.inside), pieces_[from].regions});
    pieces_[from].size = array.partition->size(cut.from);
    array.pieces.push_back(fresh);
    for (const RegionId holder : pieces_[fresh].regions) regions_[holder].pieces.push_back(fresh);
    cuts_.push_back({from, fresh});
  }
  for (const LocalPiece local : inside) {
    const PieceId piece = array.pieces[local];
    regions_[region].pieces.push_back(piece);
    pieces_[piece].regions.push_back(region);
  }
  return cuts_;
}

}  // namespace parley::core
