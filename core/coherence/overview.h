// What a person sees of the directory: MSI states of an array per memory space, derived from the
// validity of its pieces, in the form of the lessons' print_overview and print.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/graph/box.h"

namespace parley::core {

/// MODIFIED: valid in exactly one replica; SHARED: in several; INVALID: not here.
enum class MsiState : std::uint8_t { kInvalid, kShared, kModified };
std::string_view name_of(MsiState state);  // "INVALID", "SHARED", "MODIFIED"

/// One piece of an array: its elements, owner, and state in every space.
struct PieceOverview {
  std::vector<Box> boxes;
  RegionId text_region;          // a region in use that is exactly this piece, if any
  SpaceId owner;                 // none when nothing was written yet
  std::vector<MsiState> states;  // by space
};

/// The directory's record of one array directly after a task's commands were issued.
struct Overview {
  TaskId after;  // none: on request
  ArrayId array;
  bool is_print = false;
  std::vector<PieceOverview> pieces;  // by first element, row-major
  /// State of the whole in a space: INVALID if no piece is valid there, MODIFIED if all valid
  /// pieces are MODIFIED, else SHARED.
  [[nodiscard]] MsiState state(SpaceId space) const;
  /// Whether every piece is valid in the space.
  [[nodiscard]] bool is_complete(SpaceId space) const;
  /// Owner of all pieces, or none when they differ.
  [[nodiscard]] SpaceId owner() const;
};

/// The state of an array in a space changes when `cause` takes effect (a copy at its end, a task at
/// its start). `valid_share`: share of the array's elements valid there, 0 to 1.
struct StateChange {
  CommandId cause;  // none: at the start
  ArrayId array;
  SpaceId space;
  MsiState state = MsiState::kInvalid;
  double valid_share = 0.0;
  std::int64_t valid_elements = 0;
};

}  // namespace parley::core
