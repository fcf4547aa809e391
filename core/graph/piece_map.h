// Which pieces every region of a program consists of. Regions become active one by one; activating
// one may cut pieces (partition.h). Piece ids are dense over all arrays. Two users keep one each:
// the dependency inference (in submission order) and the directory (in issue order, so that pieces
// are not cut before they must be).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/inline_list.h"
#include "core/graph/partition.h"
#include "core/graph/program.h"

namespace parley::core {

struct PieceCut {
  PieceId from;    // keeps the elements outside the region
  PieceId inside;  // new
};

class PieceMap {
 public:
  /// Takes note of an array: its whole is active, as one piece. Call in order of array ids.
  void add_array(ArrayId array, RegionId whole, const Box& box);

  [[nodiscard]] bool is_active(RegionId region) const {
    return region.index() < regions_.size() && regions_[region].is_active;
  }
  /// Makes the region a union of pieces. Returns the cuts, in order; every active region that held
  /// `from` holds `inside` too, appended to its list. The answer is valid until the next call.
  std::span<const PieceCut> activate(RegionId region, ArrayId array, const Box& box);
  /// Pieces of an active region; none for an empty region. New ones are appended. Valid until the
  /// next region becomes active.
  [[nodiscard]] std::span<const PieceId> pieces(RegionId region) const {
    return region.index() < regions_.size() ? regions_[region].pieces.items()
                                            : std::span<const PieceId>();
  }
  [[nodiscard]] std::span<const RegionId> regions(PieceId piece) const {
    return pieces_[piece].regions.items();
  }
  [[nodiscard]] ArrayId array(PieceId piece) const { return pieces_[piece].array; }
  /// Position among the pieces of the array's whole.
  [[nodiscard]] LocalPiece local(PieceId piece) const { return pieces_[piece].local; }
  [[nodiscard]] std::int64_t size(PieceId piece) const { return pieces_[piece].size; }
  [[nodiscard]] std::size_t piece_count() const { return pieces_.size(); }
  [[nodiscard]] std::span<const Box> boxes(PieceId piece) const;

 private:
  struct RegionEntry {
    bool is_active = false;
    InlineList<PieceId, 2> pieces;  // one nearly always
  };
  struct PieceEntry {
    ArrayId array;
    LocalPiece local = 0;
    std::int64_t size = 0;
    InlineList<RegionId, 2> regions;
  };
  struct ArrayEntry {
    Box whole;
    std::unique_ptr<Partition> partition;  // null while only the whole is active
    std::vector<PieceId> pieces;           // by local number
  };

  IdVector<RegionId, RegionEntry> regions_;
  IdVector<PieceId, PieceEntry> pieces_;
  IdVector<ArrayId, ArrayEntry> arrays_;
  std::vector<PieceCut> cuts_;
};

}  // namespace parley::core
