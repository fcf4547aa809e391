// The pieces of one array: the coarsest division of its elements such that every region in use is a
// union of pieces. Grows finer as regions are added; a piece that a region cuts keeps its id for
// the part outside and a new piece, listed in `cuts`, takes the part inside. What is known of a
// piece is kept by the users of a partition, indexed by piece; they copy it when a piece is cut.
//
// A piece may be several boxes (a strided region leaves many). Boxes are found through an R-tree
// over their bounds once there are more than a few (Guttman 1984; Boost.Geometry's), so that
// adding n aligned tiles in any order costs about n log n.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/graph/box.h"

namespace parley::core {

/// Piece numbers are local to the array: 0, 1, 2, ...
using LocalPiece = std::uint32_t;

struct Cut {
  LocalPiece from;    // keeps the elements outside the region
  LocalPiece inside;  // new: the elements inside
};

class Partition {
 public:
  /// One piece: all elements of `whole`, which may be empty.
  explicit Partition(const Box& whole);
  ~Partition();
  Partition(Partition&&) noexcept;
  Partition& operator=(Partition&&) noexcept;

  [[nodiscard]] std::uint32_t piece_count() const {
    return static_cast<std::uint32_t>(pieces_.size());
  }
  /// Disjoint boxes of a piece.
  [[nodiscard]] std::span<const Box> boxes(LocalPiece piece) const { return pieces_[piece].boxes; }
  [[nodiscard]] std::int64_t size(LocalPiece piece) const { return pieces_[piece].size; }

  /// Makes `box`, a non-empty part of the array, a union of pieces. Returns those pieces,
  /// ascending; appends the cuts made to `cuts`, in order. O((touched boxes) log(boxes)).
  std::vector<LocalPiece> refine(const Box& box, std::vector<Cut>& cuts);

 private:
  struct Index;
  struct Piece {
    std::vector<Box> boxes;
    std::vector<std::uint32_t> entries;  // of each box in the index
    std::int64_t size = 0;
  };
  struct Touched {
    LocalPiece piece;
    std::uint32_t slot;  // of the box in the piece
    Box common;
  };

  std::vector<Touched> touched_boxes(const Box& box) const;
  void add_box(LocalPiece piece, const Box& box);
  void remove_box(LocalPiece piece, std::uint32_t slot);

  Box whole_;
  std::vector<Piece> pieces_;
  std::unique_ptr<Index> index_;  // null while there is one box
};

}  // namespace parley::core
