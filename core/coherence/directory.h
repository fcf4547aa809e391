// The directory: which replicas exist, and for every piece in which of them it is valid. Validity
// is the only stored coherence state; MODIFIED, SHARED and INVALID are derived from it. State is
// logical: it advances when commands are issued. Each cell, a piece in a replica, carries the one
// command that produces its bytes and those that have read them since; waiting on these keeps bytes
// and state in step. The directory gives no commands and chooses nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/inline_list.h"
#include "core/base/units.h"
#include "core/engine/command_table.h"
#include "core/graph/piece_map.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "core/memory/arena.h"

namespace parley::core {

/// A piece in a replica.
struct Cell {
  CommandId writer;  // of the present (or last) bytes; none: never written
  bool is_valid = false;
  InlineList<CommandId, 4> readers;  // since the writer
};

/// The cells of a replica, never none: the first, nearly always the only one, is kept in place.
class Cells {
 public:
  [[nodiscard]] std::size_t size() const { return more_ ? more_->size() : 1; }
  Cell& operator[](std::size_t i) { return items()[i]; }
  const Cell& operator[](std::size_t i) const { return items()[i]; }
  [[nodiscard]] std::span<Cell> items() { return {more_ ? more_->data() : &only_, size()}; }
  [[nodiscard]] std::span<const Cell> items() const {
    return {more_ ? more_->data() : &only_, size()};
  }
  void push_back(Cell cell);
  /// `count` cells, at least 1, as newly made.
  void renew(std::size_t count);

 private:
  Cell only_;
  std::unique_ptr<std::vector<Cell>> more_;  // then all cells are here
};

/// What the engine asks for task after task comes first: it fills one cache line of the two.
struct alignas(64) Replica {
  RegionId region;
  SpaceId space;
  std::uint32_t valid_cells = 0;
  std::uint16_t pins = 0;  // operands of the task being issued
  bool is_home = false;    // the array's home slot: the whole, for life
  bool is_live = false;
  Bytes offset;
  Cells cells;  // parallel to the region's pieces; a home slot's by local piece number

  ArrayId array;
  BlockId block;                     // none for a home slot
  Bytes bytes;                       // as allocated
  InlineList<CommandId, 4> residue;  // what the block still owed when it was allocated
};

/// A replica by where it lies, so that a search by space touches no replica.
struct ReplicaPlacing {
  ReplicaId replica;
  SpaceId space;
};

/// What the engine asks of a region task after task, in one cache line.
struct alignas(64) RegionPlaces {
  ArrayId array;  // none: nothing below is known yet
  PieceId piece;  // all of the region; none when it has several pieces, or is empty or not active
  Bytes bytes;    // of a compact replica
  ReplicaId home;
  SpaceId home_space;
  InlineList<ReplicaPlacing, 4> replicas;  // compact ones
};

/// A replica in which a piece is valid, and beside it what estimates would look up there.
struct Holder {
  ReplicaId replica;
  SpaceId space;
  CommandId writer;                               // as in the cell
  operator ReplicaId() const { return replica; }  // NOLINT: it is that replica
};

struct alignas(64) PieceState {
  InlineList<Holder, 4> holders;  // replicas in which it is valid
  SpaceId owner;                  // none while nothing was written
};

class Directory {
 public:
  Directory(const Program& program, const Machine& machine);

  /// The array's home space and slot. Arrays come in order of ids.
  void add_array(ArrayId array, SpaceId home_space, Bytes slot_offset);
  [[nodiscard]] std::size_t array_count() const { return home_.size(); }
  [[nodiscard]] ReplicaId home(ArrayId array) const { return home_[array].replica; }
  [[nodiscard]] SpaceId home_space(ArrayId array) const { return home_[array].space; }

  /// Makes the region a union of pieces; every part of a cut piece copies all its state.
  void activate(RegionId region) {
    if (only_piece(region).is_none() && !map_.is_active(region)) cut(region);
  }
  [[nodiscard]] const PieceMap& map() const { return map_; }
  [[nodiscard]] std::span<const PieceId> pieces(RegionId region) const {
    if (!only_piece(region).is_none()) return {&places_[region].piece, 1};
    return map_.pieces(region);
  }
  /// The region's one piece; none when it has several, or is empty or not active.
  [[nodiscard]] PieceId only_piece(RegionId region) const {
    return region.index() < places_.size() ? places_[region].piece : PieceId::none();
  }
  /// Of any region; from one cache line once it was active.
  [[nodiscard]] ArrayId array_of(RegionId region) const {
    return is_known(region) ? places_[region].array : program_->region(region).array;
  }
  [[nodiscard]] Bytes bytes_of(RegionId region) const {
    return is_known(region) ? places_[region].bytes : program_->region(region).bytes;
  }
  /// Of an active region.
  [[nodiscard]] const RegionPlaces& places(RegionId region) const { return places_[region]; }

  /// The compact replica of exactly this region in the space, or none.
  [[nodiscard]] ReplicaId find(RegionId region, SpaceId space) const {
    if (region.index() >= places_.size()) return ReplicaId::none();
    for (const ReplicaPlacing& place : places_[region].replicas) {
      if (place.space == space) return place.replica;
    }
    return ReplicaId::none();
  }
  /// The same, or the home slot where the space is the array's home.
  [[nodiscard]] ReplicaId find_or_home(RegionId region, SpaceId space) const {
    if (!is_known(region)) {
      const ReplicaPlacing& home = home_[program_->region(region).array];
      return home.space == space ? home.replica : ReplicaId::none();
    }
    const RegionPlaces& places = places_[region];
    return places.home_space == space ? places.home : find(region, space);
  }
  /// A new compact replica, nothing valid. Requires: the region is active and has none there.
  ReplicaId create(RegionId region, SpaceId space, BlockId block, Bytes offset, Bytes bytes,
                   std::span<const CommandId> residue);
  /// Forgets a replica without valid cells. Appends the commands that may still use its block.
  void destroy(ReplicaId replica, std::vector<CommandId>& users);

  [[nodiscard]] const Replica& replica(ReplicaId id) const { return replicas_[id]; }
  [[nodiscard]] Replica& replica(ReplicaId id) { return replicas_[id]; }
  [[nodiscard]] std::size_t replica_slots() const { return replicas_.size(); }
  [[nodiscard]] const PieceState& piece(PieceId id) const { return pieces_[id]; }
  [[nodiscard]] PieceState& piece(PieceId id) { return pieces_[id]; }
  [[nodiscard]] std::size_t piece_count() const { return pieces_.size(); }
  /// The cell of a piece of the replica's region. O(pieces of the region); O(1) for home slots.
  [[nodiscard]] const Cell& cell(ReplicaId id, PieceId piece) const {
    const Replica& owner = replicas_[id];
    return owner.cells.size() == 1 ? owner.cells[0] : owner.cells[cell_index(owner, piece)];
  }
  [[nodiscard]] Cell& cell(ReplicaId id, PieceId piece) {
    Replica& owner = replicas_[id];
    return owner.cells.size() == 1 ? owner.cells[0] : owner.cells[cell_index(owner, piece)];
  }

  /// The piece becomes valid in the replica, its bytes produced by `writer` (none: initial bytes).
  void set_valid(ReplicaId replica, PieceId piece, CommandId writer);
  void set_invalid(ReplicaId replica, PieceId piece);
  /// Records that `reader` reads the piece's bytes in the replica.
  void add_reader(ReplicaId replica, PieceId piece, CommandId reader, const CommandTable& commands);

  /// Appends what must finish before the cell may be read: its writer.
  void append_read_waits(const Cell& cell, std::vector<CommandId>& after) const;
  /// Appends what must finish before the cell may be overwritten: its readers if there are any,
  /// else its writer, else what the block itself still owes.
  void append_write_waits(const Replica& replica, const Cell& cell,
                          std::vector<CommandId>& after) const;

  /// Whether this replica holds the piece and no other does.
  [[nodiscard]] bool is_sole_holder(ReplicaId replica, PieceId piece) const {
    const auto& holders = pieces_[piece].holders;
    return holders.size() == 1 && holders[0].replica == replica;
  }
  /// Whether the piece is valid in the replica.
  [[nodiscard]] bool is_valid(ReplicaId replica, PieceId piece) const {
    for (const Holder& holder : pieces_[piece].holders) {
      if (holder.replica == replica) return true;
    }
    return false;
  }
  /// Gives the piece its owner after a drop: the lowest non-host space that holds it, else a host.
  void choose_owner(PieceId piece);

 private:
  [[nodiscard]] bool is_known(RegionId region) const {
    return region.index() < places_.size() && !places_[region].array.is_none();
  }
  void cut(RegionId region);
  void note_pieces(RegionId region);
  [[nodiscard]] std::size_t cell_index(const Replica& replica, PieceId piece) const;

  const Program* program_;
  const Machine* machine_;
  PieceMap map_;
  IdVector<ReplicaId, Replica> replicas_;
  std::vector<ReplicaId> unused_;
  IdVector<PieceId, PieceState> pieces_;
  IdVector<ArrayId, ReplicaPlacing> home_;
  IdVector<RegionId, RegionPlaces> places_;
};

}  // namespace parley::core
