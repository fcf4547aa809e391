// What the core tells a driver to do. `after` names earlier commands that must have finished
// before; spans inside commands stay valid until the next call of Engine::step.
#pragma once

#include <cstdint>
#include <span>
#include <variant>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/graph/box.h"

namespace parley::core {

enum class CopyReason : std::uint8_t {
  kFetch,      // an operand of a task being issued
  kPrefetch,   // an operand of a task to come
  kWriteBack,  // the only valid copy of a victim, to its home slot
  kHomeHop,    // through the home slot, for want of a route
  kAtEnd,      // "at_end": "home"
};

/// One dimension of a strided copy: `count` steps, bytes between them on either side.
struct CopyDimension {
  std::int64_t count = 1;
  std::int64_t source_stride = 0;
  std::int64_t target_stride = 0;
};

/// One box of elements of a copy. Bytes move in runs of `run_bytes`; `dimensions` (outermost first)
/// say where the runs are, none for one contiguous run. Offsets are within the spaces' slabs.
struct CopyPart {
  std::span<const Range> box;  // in indices of the array
  Bytes source_offset, target_offset;
  Bytes bytes;
  std::int64_t run_bytes = 0;
  std::span<const CopyDimension> dimensions;
};

/// Move elements of `array` from one replica to another, in one space or between two; `parts` are
/// disjoint and mostly one.
struct StartCopy {
  CommandId id;
  ArrayId array;
  std::span<const CopyPart> parts;
  SpaceId from, to;
  RouteId route;
  Bytes bytes;  // of all parts
  std::int32_t priority = 0;
  CopyReason reason = CopyReason::kFetch;
  TaskId task;  // on whose behalf; none at the end
  ReplicaId source_replica, target_replica;
  std::span<const CommandId> after;
};

/// Where operand i of a task lies: its first element's offset in the slab of `space`; strides by
/// operand_strides(program, region, is_home_view).
struct OperandBinding {
  SpaceId space;
  Bytes offset;
  bool is_home_view = false;
  ReplicaId replica;  // none for an empty region
};

struct LaunchTask {
  CommandId id;
  TaskId task;
  std::uint16_t alternative = 0;
  std::span<const DeviceId> devices;         // by member
  std::span<const OperandBinding> operands;  // by access index
  std::span<const Bytes>
      scratch_offsets;  // one block a member (all its scratch arrays in order,
                        // each rounded up to the arena's alignment, then scratch_bytes)
  Bytes scratch_bytes;  // of each of these blocks
  std::int32_t priority = 0;
  std::int32_t milli_vcus = 1000;
  std::span<const CommandId> after;
};

enum class DropReason : std::uint8_t { kEvicted, kInvalidated, kRequested };

/// Informative: a replica's block may be reused once `after` has finished. Never completes itself.
struct DropReplica {
  ReplicaId replica;
  RegionId region;
  SpaceId space;
  Bytes offset, bytes;
  DropReason reason = DropReason::kInvalidated;
  std::span<const CommandId> after;
};

/// Nothing more will come. Sent once, when all commands have finished.
struct Finish {};

using Command = std::variant<StartCopy, LaunchTask, DropReplica, Finish>;

}  // namespace parley::core
