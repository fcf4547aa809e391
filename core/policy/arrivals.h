// When what a task reads can be complete in one space or another: View::expected_available() of all
// its reads, for mappers that compare many spaces. What does not depend on the space (pieces, their
// holders, when each will have been written) is gathered once a task.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/graph/program.h"
#include "core/policy/view.h"

namespace parley::core {

class EngineState;

class Arrivals {
 public:
  /// Looks at all reads of the task; what was gathered before is forgotten. Requires: its regions
  /// are active, as they are when a mapper is asked. Good until the engine issues anything.
  void gather(const View& view, TaskId task);

  /// When all reads can be complete on the candidate's devices, each where its member runs: the
  /// latest View::expected_available(); now() without reads.
  [[nodiscard]] Time latest(const Candidate& candidate) const;

 private:
  struct Holder {
    SpaceId space;
    bool is_own = false;  // the read's own buffer in that space, not another region's
    Time ready;           // its contents are written; not before now
  };
  struct Piece {
    Bytes bytes;
    std::uint32_t end_of_holders = 0;
  };
  struct Read {
    std::uint8_t member = 0;
    SpaceId home;
    std::uint32_t end_of_pieces = 0;
  };

  void gather_piece(RegionId region, SpaceId home, PieceId piece, Bytes bytes);
  [[nodiscard]] Time available(const Read& read, std::uint32_t first_piece, SpaceId space) const;

  const EngineState* state_ = nullptr;
  std::vector<Read> reads_;
  std::vector<Piece> pieces_;
  std::vector<Holder> holders_;
};

}  // namespace parley::core
