// Copies of dirty replicas to their home slots before anything asks for it, so that an eviction
// finds them clean and the new owner of the memory need not wait for a write-back (compare the
// eager write-back of Lee, Tyson, Farrens 2000). Worth it only where an eviction is near and the
// bytes stay as they are: a space that has had to evict, or will have to, and is nearly full, a
// replica that no task known so far writes next. One copy at a time from each space, and only while
// the route home is expected to be idle, so that no fetch queues behind more than one of them.
#include <algorithm>

#include "core/engine/engine_state.h"

namespace parley::core {
namespace {

constexpr std::size_t kMostLooks = 8;  // at dirty replicas, per space and step

/// Whether evictions are near: there have been some, or must be as all devices together are too
/// small for the arrays; and less than a quarter of the space is free, or than two of its largest
/// replicas take.
bool is_short_of_room(const EngineState& state, const SpaceState& memory) {
  if (!memory.has_evicted && state.array_bytes <= state.device_bytes) return false;
  const Bytes capacity = memory.arena.capacity();
  const Bytes little = std::max(Bytes(capacity.count() / 4), memory.largest * 2);
  return capacity - memory.arena.used() < little;
}

bool is_live(const EngineState& state, ReplicaId id, RegionId region, SpaceId space) {
  const Replica& replica = state.directory.replica(id);
  return replica.is_live && !replica.is_home && replica.region == region && replica.space == space;
}

/// Pieces that no other replica holds.
std::vector<PieceId> sole_pieces(const EngineState& state, ReplicaId id) {
  std::vector<PieceId> sole;
  for (const PieceId piece : state.directory.pieces(state.directory.replica(id).region)) {
    if (state.directory.is_sole_holder(id, piece)) sole.push_back(piece);
  }
  return sole;
}

/// Whether the next task that accesses the region will change it: a copy made now would be wasted.
bool is_written_next(const EngineState& state, RegionId region) {
  const TaskId next = state.view.next_use(region);
  if (next.is_none()) return false;
  for (const Access& access : state.program.accesses(next)) {
    if (access.region == region && writes(access.mode)) return true;
  }
  return false;
}

void forget_first(EngineState& state, SpaceState& memory) {
  const auto [id, region] = memory.dirty.front();
  memory.dirty.pop_front();
  if (state.noted_dirty[id] == region) state.noted_dirty[id] = RegionId::none();
}

void write_back_one(EngineState& state, SpaceId space) {
  SpaceState& memory = state.spaces[space];
  for (std::size_t looks = std::min(kMostLooks, memory.dirty.size()); looks > 0; --looks) {
    const auto [id, region] = memory.dirty.front();
    if (!is_live(state, id, region, space)) {
      forget_first(state, memory);
      continue;
    }
    const ReplicaId home = state.directory.home(state.program.region(region).array);
    const RouteId route = state.machine.route_id(space, state.directory.replica(home).space);
    const std::vector<PieceId> sole = sole_pieces(state, id);
    if (sole.empty() || route.is_none()) {
      forget_first(state, memory);
      continue;
    }
    if (state.route_free_time(route) > state.now) return;
    if (is_written_next(state, region)) {
      memory.dirty.pop_front();
      memory.dirty.emplace_back(id, region);
      continue;
    }
    forget_first(state, memory);
    memory.early_write_back = state.commands.next_id();
    ++state.statistics.early_write_backs;
    give_copy(state, id, home, sole, CopyReason::kWriteBack, TaskId::none(), {});
    return;
  }
}

}  // namespace

void note_dirty(EngineState& state, ReplicaId id) {
  const Replica& replica = state.directory.replica(id);
  if (replica.is_home || state.machine.space(replica.space).is_host) return;
  if (state.noted_dirty.size() <= id.index()) state.noted_dirty.resize(id.index() + 1);
  if (state.noted_dirty[id] == replica.region) return;
  state.noted_dirty[id] = replica.region;
  state.spaces[replica.space].dirty.emplace_back(id, replica.region);
}

void write_back_early(EngineState& state) {
  if (state.issued_tasks == state.tasks.size()) return;  // nothing to come needs room
  for (std::size_t s = 0; s < state.spaces.size(); ++s) {
    const SpaceState& memory = state.spaces[SpaceId(s)];
    if (memory.dirty.empty() || !is_short_of_room(state, memory)) continue;
    const CommandId last = memory.early_write_back;
    if (!last.is_none() && !state.commands.is_finished(last)) continue;
    write_back_one(state, SpaceId(s));
  }
}

}  // namespace parley::core
