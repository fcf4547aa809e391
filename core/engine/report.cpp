// What can be said of an engine: overviews, state changes, why nothing goes on, whether the books
// are right.
#include <algorithm>
#include <string>

#include "core/base/check.h"
#include "core/engine/engine_state.h"

namespace parley::core {
namespace {

/// The region in use that is exactly the piece, or none.
RegionId region_of_piece(const EngineState& state, PieceId piece) {
  const PieceMap& map = state.directory.map();
  for (const RegionId region : map.regions(piece)) {
    if (map.pieces(region).size() == 1) return region;
  }
  return RegionId::none();
}

/// Position of a box's first element, row-major.
std::vector<std::int64_t> first_index(const Box& box) {
  std::vector<std::int64_t> index;
  for (const Range& range : box.ranges()) index.push_back(range.start);
  return index;
}

PieceOverview overview_of_piece(const EngineState& state, PieceId piece) {
  const Directory& directory = state.directory;
  PieceOverview overview;
  const auto boxes = directory.map().boxes(piece);
  overview.boxes.assign(boxes.begin(), boxes.end());
  std::sort(overview.boxes.begin(), overview.boxes.end(),
            [](const Box& a, const Box& b) { return first_index(a) < first_index(b); });
  overview.text_region = region_of_piece(state, piece);
  overview.owner = directory.piece(piece).owner;
  const auto& holders = directory.piece(piece).holders;
  overview.states.assign(state.machine.space_count(), MsiState::kInvalid);
  for (const ReplicaId holder : holders) {
    overview.states[directory.replica(holder).space.index()] =
        holders.size() == 1 ? MsiState::kModified : MsiState::kShared;
  }
  return overview;
}

std::string phase_text(const EngineState& state, TaskId task) {
  const TaskState& task_state = state.tasks[task];
  switch (task_state.phase) {
    case TaskPhase::kUnknown:
      return "was never submitted";
    case TaskPhase::kWaiting: {
      if (!task_state.is_released) {
        return "waits for its release at " + std::to_string(state.program.task(task).release.ns()) +
               " ns";
      }
      for (const TaskId on : state.program.dependencies(task)) {
        if (state.view.is_issued(on)) continue;
        return "waits for \"" + std::string(state.program.task_name(on)) + "\" to be issued";
      }
      return "waits for " + std::to_string(task_state.pending) + " dependencies";
    }
    case TaskPhase::kReady:
      return !state.is_closed && state.policies.mapper->is_static()
                 ? "waits for submission to be closed (the mapper plans the whole program)"
                 : "was deferred by the mapper";
    case TaskPhase::kQueued:
      return "waits for the window of device " +
             state.machine.device(state.candidate_of(task).devices.front()).name;
    case TaskPhase::kIssued: {
      std::string text = "is issued as command " + std::to_string(task_state.launch.index());
      if (state.commands.is_stopped(task_state.launch))
        return text + ", which failed or was cancelled";
      for (const CommandId before : state.commands.record(task_state.launch).after) {
        if (state.commands.is_finished(before)) continue;
        return text + ", which waits for command " + std::to_string(before.index());
      }
      return text + ", which may start";
    }
    case TaskPhase::kFinished:
      return "has finished";
  }
  return "";
}

void check_piece(const EngineState& state, PieceId piece) {
  const Directory& directory = state.directory;
  const PieceState& piece_state = directory.piece(piece);
  const std::string name = "piece " + std::to_string(piece.index());
  PARLEY_CHECK(piece_state.owner.is_none() || !piece_state.holders.empty(),
               "invariant 1: " + name + " was written and has no valid replica");
  bool owner_holds = piece_state.owner.is_none();
  for (const ReplicaId holder : piece_state.holders) {
    const Replica& replica = directory.replica(holder);
    PARLEY_CHECK(replica.is_live, "invariant 2: " + name + " is valid in a dropped replica");
    PARLEY_CHECK(directory.cell(holder, piece).is_valid, name + ": holder without a valid cell");
    owner_holds |= replica.space == piece_state.owner;
  }
  PARLEY_CHECK(owner_holds, name + ": its owner does not hold it");
}

void check_space(const EngineState& state, SpaceId space) {
  const SpaceState& memory = state.spaces[space];
  memory.arena.check();
  Bytes used;
  for (const ReplicaId id : memory.replicas) {
    const Replica& replica = state.directory.replica(id);
    PARLEY_CHECK(replica.is_live && replica.space == space, "a replica is in the wrong list");
    PARLEY_CHECK(replica.pins == 0, "a pin outlasts its task's issue");
    PARLEY_CHECK(replica.offset == memory.arena.offset(replica.block), "a replica moved");
    used += replica.bytes;
    std::uint32_t valid = 0;
    for (const Cell& cell : replica.cells.items()) valid += cell.is_valid ? 1U : 0U;
    PARLEY_CHECK(valid == replica.valid_cells, "valid cells miscounted");
    PARLEY_CHECK(replica.cells.size() == state.directory.pieces(replica.region).size(),
                 "cells and pieces differ");
  }
  for (std::size_t a = 0; a < state.directory.array_count(); ++a) {
    const ArrayId array(a);
    if (state.directory.home_space(array) == space) {
      used += Arena::rounded(state.program.array(array).bytes);
    }
  }
  PARLEY_CHECK(used == memory.arena.used(),
               "invariant 6: " + std::to_string(used.count()) + " bytes in replicas, " +
                   std::to_string(memory.arena.used().count()) + " in the arena");
}

}  // namespace

std::string_view name_of(MsiState state) {
  switch (state) {
    case MsiState::kInvalid:
      return "INVALID";
    case MsiState::kShared:
      return "SHARED";
    case MsiState::kModified:
      return "MODIFIED";
  }
  return "";
}

MsiState Overview::state(SpaceId space) const {
  bool any_modified = false;
  bool any_shared = false;
  for (const PieceOverview& piece : pieces) {
    any_modified |= piece.states[space.index()] == MsiState::kModified;
    any_shared |= piece.states[space.index()] == MsiState::kShared;
  }
  if (any_shared) return MsiState::kShared;
  return any_modified ? MsiState::kModified : MsiState::kInvalid;
}

bool Overview::is_complete(SpaceId space) const {
  return std::all_of(pieces.begin(), pieces.end(), [&](const PieceOverview& piece) {
    return piece.states[space.index()] != MsiState::kInvalid;
  });
}

SpaceId Overview::owner() const {
  for (const PieceOverview& piece : pieces) {
    if (piece.owner != pieces.front().owner) return SpaceId::none();
  }
  return pieces.empty() ? SpaceId::none() : pieces.front().owner;
}

Overview overview_of(const EngineState& state, ArrayId array) {
  Overview overview;
  overview.array = array;
  for (const PieceId piece : state.directory.pieces(state.program.array(array).whole)) {
    overview.pieces.push_back(overview_of_piece(state, piece));
  }
  std::stable_sort(overview.pieces.begin(), overview.pieces.end(),
                   [](const PieceOverview& a, const PieceOverview& b) {
                     if (a.boxes.empty() || b.boxes.empty()) return a.boxes.size() < b.boxes.size();
                     return first_index(a.boxes.front()) < first_index(b.boxes.front());
                   });
  return overview;
}

void record_states(EngineState& state, ArrayId array, CommandId cause) {
  const PieceMap& map = state.directory.map();
  std::vector<StateChange> present(state.machine.space_count());
  std::vector<std::int64_t> valid(state.machine.space_count(), 0);
  std::vector<char> any_shared(state.machine.space_count(), 0);
  std::int64_t elements = 0;
  for (const PieceId piece : map.pieces(state.program.array(array).whole)) {
    elements += map.size(piece);
    const auto& holders = state.directory.piece(piece).holders;
    std::vector<SpaceId> counted;  // two replicas in one space count once
    for (const ReplicaId holder : holders) {
      const SpaceId space = state.directory.replica(holder).space;
      if (std::find(counted.begin(), counted.end(), space) != counted.end()) continue;
      counted.push_back(space);
      valid[space.index()] += map.size(piece);
      if (holders.size() > 1) any_shared[space.index()] = 1;
    }
  }
  auto& last = state.last_states[static_cast<std::uint32_t>(array.index())];
  last.resize(present.size());
  for (std::size_t s = 0; s < present.size(); ++s) {
    StateChange change{cause, array, SpaceId(s), MsiState::kInvalid, 0.0};
    if (valid[s] > 0) {
      change.state = any_shared[s] != 0 ? MsiState::kShared : MsiState::kModified;
      change.valid_share = static_cast<double>(valid[s]) / static_cast<double>(elements);
    }
    if (change.state == last[s].state && valid[s] == last[s].valid_elements) continue;
    change.valid_elements = valid[s];
    last[s] = change;
    state.state_changes.push_back(change);
  }
}

std::string stall_report(const EngineState& state) {
  constexpr std::size_t kMost = 10;
  std::string text;
  std::size_t waiting = 0;
  for (std::size_t t = 0; t < state.tasks.size(); ++t) {
    if (state.tasks[TaskId(t)].phase == TaskPhase::kFinished) continue;
    if (++waiting > kMost) continue;
    text += "  task \"" + std::string(state.program.task_name(TaskId(t))) + "\" " +
            phase_text(state, TaskId(t)) + "\n";
  }
  if (waiting > kMost) text += "  and " + std::to_string(waiting - kMost) + " more tasks\n";
  if (waiting == 0 && !state.is_closed) text += "  submission was not closed\n";
  return text;
}

void check_invariants(const EngineState& state) {
  for (std::size_t p = 0; p < state.directory.piece_count(); ++p) check_piece(state, PieceId(p));
  for (std::size_t s = 0; s < state.spaces.size(); ++s) check_space(state, SpaceId(s));
  for (std::size_t d = 0; d < state.devices.size(); ++d) {
    const DeviceState& device = state.devices[DeviceId(d)];
    PARLEY_CHECK(device.backlog.count() >= 0, "negative backlog");
  }
}

}  // namespace parley::core
