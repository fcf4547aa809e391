// Room for the operands of a task: allocation, eviction, and, where memory is too fragmented, the
// compaction that cannot fail. Staging never waits: reused bytes are ordered by residue.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/engine/engine_state.h"
#include "core/engine/mutation.h"

namespace parley::core {
namespace {

std::uint64_t place_key(const Replica& replica) {
  return std::uint64_t{replica.region.index()} << 32U | replica.space.index();
}

ReplicaId add_replica(EngineState& state, RegionId region, SpaceId space, BlockId block,
                      std::span<const CommandId> residue) {
  SpaceState& memory = state.spaces[space];
  state.directory.activate(region);
  const ReplicaId id = state.directory.create(region, space, block, memory.arena.offset(block),
                                              memory.arena.size(block), residue);
  if (state.replica_place.size() <= id.index()) state.replica_place.resize(id.index() + 1, 0);
  state.replica_place[id] = static_cast<std::uint32_t>(memory.replicas.size());
  memory.replicas.push_back(id);
  memory.largest = std::max(memory.largest, memory.arena.size(block));
  count_replica(state, state.directory.places(region).array, space, true);
  if (!state.evicted_times.empty()) {
    const auto evicted = state.evicted_times.find(place_key(state.directory.replica(id)));
    if (evicted != state.evicted_times.end()) {
      ++state.statistics.refetches;
      state.statistics.refetched_bytes += state.program.region(region).bytes;
      ++state.refetched_times[evicted->first];
    }
  }
  if (state.policies.evictor) state.policies.evictor->on_allocated(state.view, id);
  return id;
}

bool is_victim(const EngineState& state, ReplicaId id, SpaceId space) {
  const Replica& replica = state.directory.replica(id);
  return replica.is_live && replica.space == space && !state.view.is_pinned(id);
}

/// Evicts the first of the replicas that the mapper told for this space and that can go.
bool evict_told(EngineState& state, SpaceId space, TaskId task) {
  std::vector<ReplicaPlace>& told = state.preferred_victims;
  for (std::size_t i = told.size(); i-- > 0;) {
    if (told[i].space != space) continue;
    const ReplicaId id = state.directory.find(told[i].region, space);
    told.erase(told.begin() + static_cast<std::ptrdiff_t>(i));
    if (id.is_none() || !is_victim(state, id, space)) continue;
    evict(state, id, DropReason::kEvicted, task);
    return true;
  }
  return false;
}

/// Evicts one replica of the space, as the mapper or the evictor says. False: none is left.
bool evict_one(EngineState& state, SpaceId space, Bytes needed, TaskId task) {
  if (evict_told(state, space, task)) return true;
  ReplicaId victim;
  if (state.options.evict_idle_only) {
    state.only_idle_victims = true;
    victim = state.policies.evictor->victim(state.view, space, needed);
    state.only_idle_victims = false;
  }
  if (victim.is_none()) victim = state.policies.evictor->victim(state.view, space, needed);
  if (victim.is_none()) return false;
  PARLEY_CHECK(is_victim(state, victim, space), "the evictor chose a replica that cannot go");
  evict(state, victim, DropReason::kEvicted, task);
  return true;
}

/// A block of the space, evicting for it. Nothing: not even then.
std::optional<BlockId> take_block(EngineState& state, SpaceId space, Bytes bytes, TaskId task,
                                  std::vector<CommandId>& residue,
                                  Arena::Prefers prefers = Arena::Prefers::kBestFit) {
  Arena& arena = state.spaces[space].arena;
  for (;;) {
    if (auto block = arena.allocate(bytes, state.commands, residue, prefers)) return block;
    if (!evict_one(state, space, bytes, task)) return std::nullopt;
  }
}

/// What staging one space has taken so far.
struct Taken {
  std::vector<ReplicaId> replicas;
  std::vector<std::size_t> scratch;  // members
};

bool try_stage(EngineState& state, SpaceId space, TaskId task, Bytes scratch_size,
               const Candidate& candidate, Taken& taken) {
  for (Operand& operand : state.operands) {
    if (operand.space != space) continue;
    state.directory.activate(operand.region);
    operand.replica = operand.is_aside ? state.directory.find(operand.region, space)
                                       : state.directory.find_or_home(operand.region, space);
    if (!operand.replica.is_none()) ++state.directory.replica(operand.replica).pins;
  }
  for (Operand& operand : state.operands) {
    if (operand.space != space || !operand.replica.is_none()) continue;
    state.block_residue.clear();
    const auto block = take_block(state, space, state.directory.bytes_of(operand.region), task,
                                  state.block_residue);
    if (!block) return false;
    operand.replica = add_replica(state, operand.region, space, *block, state.block_residue);
    ++state.directory.replica(operand.replica).pins;
    taken.replicas.push_back(operand.replica);
  }
  if (scratch_size == Bytes(0)) return true;
  // Scratch is free again once its task is issued: the next task would get the same bytes, and
  // wait.
  const Arena::Prefers prefers =
      state.spaces[space].slots > 1 ? Arena::Prefers::kLongestUnused : Arena::Prefers::kBestFit;
  for (std::size_t m = 0; m < candidate.devices.size(); ++m) {
    if (state.machine.device(candidate.devices[m]).space != space) continue;
    state.scratch[m].residue.clear();
    const auto block =
        take_block(state, space, scratch_size, task, state.scratch[m].residue, prefers);
    if (!block) return false;
    state.scratch[m].block = *block;
    taken.scratch.push_back(m);
  }
  return true;
}

/// Gives back what was just taken, with what its bytes still owe.
void roll_back(EngineState& state, SpaceId space, Taken& taken) {
  Arena& arena = state.spaces[space].arena;
  const bool forgets = mutation_is_on(Mutation::kRollbackLosesResidue);
  for (const std::size_t member : taken.scratch) {
    EngineState::ScratchBlock& scratch = state.scratch[member];
    if (forgets) scratch.residue.clear();
    arena.free(scratch.block, scratch.residue, state.commands);
    scratch.block = BlockId::none();
  }
  for (Operand& operand : state.operands) {
    if (operand.space != space || operand.replica.is_none()) continue;
    --state.directory.replica(operand.replica).pins;
    operand.replica = ReplicaId::none();
  }
  for (const ReplicaId replica : taken.replicas) {
    if (forgets) state.directory.replica(replica).residue.clear();
    drop(state, replica, DropReason::kInvalidated);
  }
  taken = {};
}

void stage_space(EngineState& state, SpaceId space, TaskId task, Bytes scratch_size,
                 const Candidate& candidate) {
  Taken taken;
  SpaceState& here = state.spaces[space];
  if (try_stage(state, space, task, scratch_size, candidate, taken)) {
    here.peak = std::max(here.peak, here.arena.used());
    return;
  }
  // Enough bytes, but in pieces: empty the whole space, the task's own operands too, and place the
  // working set from the start. It was checked to fit.
  roll_back(state, space, taken);
  ++state.statistics.compactions;
  while (!here.replicas.empty()) evict(state, here.replicas.back(), DropReason::kEvicted, task);
  const bool is_placed = try_stage(state, space, task, scratch_size, candidate, taken);
  PARLEY_CHECK(is_placed, "a working set that fits could not be placed in an empty space");
  here.peak = std::max(here.peak, here.arena.used());
}

}  // namespace

void stage(EngineState& state, TaskId task, const Candidate& candidate) {
  collect_operands(state, task, candidate, state.operands);
  const std::size_t members = candidate.devices.size();
  state.scratch.resize(members);
  for (EngineState::ScratchBlock& scratch : state.scratch) scratch.block = BlockId::none();
  const Alternative& alternative =
      state.program.placement(state.program.task(task).placement)[candidate.alternative];
  const Bytes scratch_size = scratch_bytes(alternative);
  for (std::size_t m = 0; m < members; ++m) {
    const SpaceId space = state.machine.device(candidate.devices[m]).space;
    bool is_done = false;
    for (std::size_t other = 0; other < m; ++other) {
      is_done |= state.machine.device(candidate.devices[other]).space == space;
    }
    if (!is_done) stage_space(state, space, task, scratch_size, candidate);
  }
}

void unpin(EngineState& state) {
  for (const Operand& operand : state.operands) {
    if (!operand.replica.is_none()) --state.directory.replica(operand.replica).pins;
  }
}

ReplicaId try_allocate(EngineState& state, RegionId region, SpaceId space) {
  state.block_residue.clear();
  const auto block = state.spaces[space].arena.allocate(state.directory.bytes_of(region),
                                                        state.commands, state.block_residue);
  if (!block) return ReplicaId::none();
  return add_replica(state, region, space, *block, state.block_residue);
}

void drop(EngineState& state, ReplicaId id, DropReason reason) {
  const Replica& replica = state.directory.replica(id);
  const SpaceId space = replica.space;
  const RegionId region = replica.region;
  const BlockId block = replica.block;
  SpaceState& memory = state.spaces[space];
  if (state.policies.evictor) state.policies.evictor->on_dropped(state.view, id);
  const ReplicaId moved = memory.replicas.back();
  memory.replicas[state.replica_place[id]] = moved;
  state.replica_place[moved] = state.replica_place[id];
  memory.replicas.pop_back();
  count_replica(state, replica.array, space, false);

  std::vector<CommandId>& users = state.users;
  users.clear();
  state.directory.destroy(id, users);
  compact(state, users);
  DropReplica& command =
      std::get<DropReplica>(state.output.emplace_back(std::in_place_type<DropReplica>));
  command.replica = id;
  command.region = region;
  command.space = space;
  command.offset = memory.arena.offset(block);
  command.bytes = memory.arena.size(block);
  command.reason = reason;
  command.after = state.pool.copy(std::span<const CommandId>(users));
  memory.arena.free(block, users, state.commands);
}

namespace {

/// After `space` has lost a replica: the owner changes if no other there holds the piece.
void update_owner(Directory& directory, PieceId piece, SpaceId space) {
  if (mutation_is_on(Mutation::kEvictTrustsClean)) return;
  if (directory.piece(piece).owner != space) return;
  for (const ReplicaId holder : directory.piece(piece).holders) {
    if (directory.replica(holder).space == space) return;
  }
  directory.choose_owner(piece);
}

}  // namespace

void evict(EngineState& state, ReplicaId id, DropReason reason, TaskId task) {
  Directory& directory = state.directory;
  const Replica& replica = directory.replica(id);
  const auto pieces = directory.pieces(replica.region);
  std::vector<PieceId> sole;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (!replica.cells[i].is_valid || !directory.is_sole_holder(id, pieces[i])) continue;
    const bool is_owner = directory.piece(pieces[i]).owner == replica.space;
    if (mutation_is_on(Mutation::kEvictTrustsClean) && !is_owner) continue;
    sole.push_back(pieces[i]);
  }
  if (!sole.empty() && !mutation_is_on(Mutation::kEvictDropsSoleCopy)) {
    const ReplicaId home = directory.home(replica.array);
    give_copy(state, id, home, sole, CopyReason::kWriteBack, task, {});
  }
  for (const PieceId piece : std::vector<PieceId>(pieces.begin(), pieces.end())) {
    directory.set_invalid(id, piece);
    update_owner(directory, piece, directory.replica(id).space);
  }
  if (state.options.record_states && state.commands.count() > 0) {
    record_states(state, directory.replica(id).array, CommandId(state.commands.count() - 1));
  }
  if (reason == DropReason::kEvicted) {
    ++state.statistics.evictions;
    state.spaces[replica.space].has_evicted = true;
    ++state.evicted_times[place_key(directory.replica(id))];
  }
  drop(state, id, reason);
}

}  // namespace parley::core
