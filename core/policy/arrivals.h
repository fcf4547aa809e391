// When what a task reads can be complete in one space or another: View::expected_available() of all
// its reads, for mappers that compare many spaces. What does not depend on the space (pieces, their
// holders, when each will have been written) is gathered once a task.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/graph/program.h"
#include "core/policy/view.h"

namespace parley::core {

class EngineState;

class Arrivals {
 public:
  /// Looks at all reads of the task; what was gathered before is forgotten. `for_many`: also bounds
  /// that make it cheap to ask for many spaces. Requires: its regions are active, as they are when
  /// a mapper is asked. Good until the engine issues anything.
  void gather(const View& view, TaskId task, bool for_many);

  /// When all reads can be complete on the candidate's devices, each where its member runs: the
  /// latest View::expected_available(); now() without reads.
  /// Once that is known to be after `bound`, some time after it that is no later.
  [[nodiscard]] Time latest(const Candidate& candidate, Time bound = Time::max()) const;

  /// The spaces that hold anything of what is read, each once. Requires: gathered for many.
  [[nodiscard]] std::span<const SpaceId> spaces() const { return spaces_; }
  /// latest() is not before this on any device outside spaces() and hosts: what is read is written,
  /// the engines that all copies from there pass are free, and the fastest of those copies is over.
  /// Requires: gathered for many.
  [[nodiscard]] Time least_elsewhere() const;
  /// A lower bound of latest() for devices of a space: of what it lacks, and of what no space of
  /// its node has, copies from the soonest holder; and the engines on every way in must be free.
  /// For all but the host of a node: of what no space of the node has. least_at(host) is now().
  /// Requires: gathered for many.
  [[nodiscard]] Time least_at(SpaceId space) const;
  [[nodiscard]] Time least_in_node(SpaceId host) const;
  /// Whether anything of what is read lies in the space. Requires: gathered for many.
  [[nodiscard]] bool holds_any(SpaceId space) const { return !own_.empty() && own_[space] != 0; }
  /// The spaces that hold the read with the fewest holders. Requires: gathered for many.
  [[nodiscard]] std::span<const SpaceId> rarest_spaces() const { return rarest_; }

 private:
  /// One holder of a piece.
  struct Origin {
    SpaceId space;
    SpaceId node;         // its host
    bool is_own = false;  // the read's own buffer in that space, not another region's
    Time ready;           // its contents are written; not before now
    Time near, far;       // no copy from there to another space of the node, or not of it, is over
  };
  struct Piece {
    Bytes bytes;
    std::uint32_t end_of_holders = 0;
    bool is_sorted = false;  // its holders, by `far`
  };
  struct Read {
    std::uint8_t member = 0;
    SpaceId home;
    std::uint32_t end_of_pieces = 0;
    Time near, far;  // not sooner in spaces whose node holds some of it, or does not; if for many
    Duration copy;   // the fastest copy of it
  };
  /// least_at() but for the engines on the way in.
  struct Bound {
    std::uint64_t own = 0, near = 0;  // what it is for
    Time least;
    Duration copy;  // the longest of the copies that are needed
  };
  struct Arrival {
    Time ready = Time::max();  // the copy can start
    Duration copy;             // and takes so long
  };

  [[nodiscard]] std::size_t first_holder(std::size_t piece) const {
    return piece == 0 ? 0 : pieces_[piece - 1].end_of_holders;
  }
  [[nodiscard]] std::span<Origin> holders_of(std::size_t piece) {
    return std::span(holders_).subspan(first_holder(piece)).first(holder_count(piece));
  }
  [[nodiscard]] std::span<const Origin> holders_of(std::size_t piece) const {
    return std::span(holders_).subspan(first_holder(piece)).first(holder_count(piece));
  }
  [[nodiscard]] std::size_t holder_count(std::size_t piece) const {
    return pieces_[piece].end_of_holders - first_holder(piece);
  }
  void gather_piece(RegionId region, PieceId piece, Bytes bytes);
  void forget();
  void find_bound(std::uint64_t own, std::uint64_t near) const;
  void bound_holders(Read& read, std::size_t piece, bool is_only_piece);
  [[nodiscard]] Arrival soonest(const Read& read, std::size_t piece, SpaceId space) const;
  [[nodiscard]] Arrival copy_from(const Origin& holder, const Read& read, Bytes bytes,
                                  SpaceId space) const;

  const EngineState* state_ = nullptr;
  std::vector<Read> reads_;
  std::vector<Piece> pieces_;
  std::vector<Origin> holders_;  // by piece
  std::vector<SpaceId> spaces_, rarest_;
  mutable Bound bound_;  // the last one found, of these reads
  mutable bool has_bound_ = false;
  IdVector<SpaceId, std::uint64_t> own_;   // reads of which the space holds something, a bit each
  IdVector<SpaceId, std::uint64_t> near_;  // by host: the same of its node
};

}  // namespace parley::core
