// Issuing one task: room for its operands, fetches of what it reads, its launch, and then the
// effects of its writes. All reads of a task are fetched before any of its writes invalidates.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/engine/engine_state.h"
#include "core/engine/mutation.h"

namespace parley::core {
namespace {

const Operand* find_operand(const EngineState& state, RegionId region, SpaceId space) {
  for (const Operand& operand : state.operands) {
    if (operand.region == region && operand.space == space) return &operand;
  }
  return nullptr;
}

std::span<const OperandBinding> bind(EngineState& state, TaskId task, const Candidate& candidate) {
  const auto accesses = state.program.accesses(task);
  const auto bindings = state.pool.allocate<OperandBinding>(accesses.size());
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    const RegionId region = accesses[i].region;
    OperandBinding binding;
    binding.space = state.machine.device(candidate.devices[accesses[i].member]).space;
    if (const Operand* operand = find_operand(state, region, binding.space)) {
      const Replica& replica = state.directory.replica(operand->replica);
      binding.replica = operand->replica;
      binding.is_home_view = replica.is_home;
      binding.offset = replica.offset;
      if (replica.is_home) binding.offset += home_offset(state.program, region);
    }
    bindings[i] = binding;
  }
  return bindings;
}

/// Whether a write of `operand` leaves `holder` valid; only mutations make it so.
bool escapes_invalidation(const EngineState& state, const Operand& operand, ReplicaId holder,
                          bool is_last) {
  if (mutation_is_on(Mutation::kWriteKeepsOthers)) return true;
  if (mutation_is_on(Mutation::kWriteKeepsLastOther)) return is_last;
  return mutation_is_on(Mutation::kPartialOverlapStale) &&
         state.directory.replica(holder).region != operand.region;
}

/// Other replicas of what the operand writes become invalid; those left with nothing are dropped.
void invalidate_others(EngineState& state, const Operand& operand) {
  Directory& directory = state.directory;
  for (const PieceId piece : directory.pieces(operand.region)) {
    const auto& holders = directory.piece(piece).holders;
    // From the back, since each invalidation removes the holder.
    for (std::size_t i = holders.size(); i-- > 0;) {
      const ReplicaId other = holders[i];
      if (other == operand.replica) continue;
      if (escapes_invalidation(state, operand, other, i + 1 == holders.size())) continue;
      directory.set_invalid(other, piece);
      const Replica& replica = directory.replica(other);
      if (replica.valid_cells == 0 && !replica.is_home) {
        drop(state, other, DropReason::kInvalidated);
      }
    }
  }
}

void apply_effects(EngineState& state, CommandId launch) {
  Directory& directory = state.directory;
  for (const Operand& operand : state.operands) {
    if (!operand.is_read) continue;
    const bool is_on_host = state.machine.space(operand.space).is_host;
    for (const PieceId piece : directory.pieces(operand.region)) {
      if (!mutation_is_on(Mutation::kLaunchMarksNoReader)) {
        directory.add_reader(operand.replica, piece, launch, state.commands);
      }
      SpaceId& owner = directory.piece(piece).owner;
      if (!is_on_host && !owner.is_none() && state.machine.space(owner).is_host) {
        owner = operand.space;
      }
    }
  }
  for (const Operand& operand : state.operands) {
    if (!operand.is_written) continue;
    for (const PieceId piece : directory.pieces(operand.region)) {
      directory.set_valid(operand.replica, piece, launch);
      directory.piece(piece).owner = operand.space;
    }
    invalidate_others(state, operand);
    if (state.options.writes_back_early) note_dirty(state, operand.replica);
  }
}

void show(EngineState& state, TaskId task) {
  for (const Show& wanted : state.program.extras(task).show) {
    Overview overview = overview_of(state, wanted.array);
    overview.after = task;
    overview.is_print = wanted.is_print;
    state.overviews.push_back(std::move(overview));
  }
}

void close_accesses(EngineState& state, TaskId task) {
  if (!state.any_returns_home) return;
  for (const Access& access : state.program.accesses(task)) {
    const ArrayId array = state.program.region(access.region).array;
    --state.open_accesses[array];
    if (state.is_closed && state.open_accesses[array] == 0) bring_home(state, array);
  }
}

/// {"evict": ...}: the replicas in a space that overlap a region.
void issue_evict(EngineState& state, TaskId task) {
  Directory& directory = state.directory;
  const TaskExtras& extras = state.program.extras(task);
  const SpaceId space = *state.machine.find_space(extras.evict_space);
  const RegionId region = state.program.accesses(task).front().region;
  directory.activate(region);
  std::vector<ReplicaId> replicas;
  for (const PieceId piece : directory.pieces(region)) {
    for (const ReplicaId holder : directory.piece(piece).holders) {
      if (directory.replica(holder).space == space) replicas.push_back(holder);
    }
  }
  std::sort(replicas.begin(), replicas.end());
  replicas.erase(std::unique(replicas.begin(), replicas.end()), replicas.end());
  for (const ReplicaId id : replicas) {
    const auto pieces =
        directory.pieces(directory.replica(id).is_home ? region : directory.replica(id).region);
    const bool is_last = std::any_of(pieces.begin(), pieces.end(), [&](PieceId piece) {
      return directory.is_sole_holder(id, piece);
    });
    if (!directory.replica(id).is_home) {
      if (is_last && !extras.keep_last) continue;
      evict(state, id, DropReason::kRequested, task);
      continue;
    }
    // A home slot stays allocated; what others hold too becomes invalid in it.
    if (is_last) continue;
    for (const PieceId piece : pieces) {
      directory.set_invalid(id, piece);
      if (directory.piece(piece).owner == space) directory.choose_owner(piece);
    }
  }
  state.tasks[task].phase = TaskPhase::kFinished;
  ++state.finished_tasks;
}

CommandId give_launch(EngineState& state, TaskId task, const Candidate& candidate) {
  Directory& directory = state.directory;
  LaunchTask& command =
      std::get<LaunchTask>(state.output.emplace_back(std::in_place_type<LaunchTask>));
  command.id = state.commands.next_id();
  command.task = task;
  command.alternative = candidate.alternative;
  command.devices = state.pool.copy(std::span<const DeviceId>(candidate.devices));
  command.operands = bind(state, task, candidate);
  const auto offsets = state.pool.allocate<Bytes>(candidate.devices.size());
  for (std::size_t m = 0; m < candidate.devices.size(); ++m) {
    const SpaceId space = state.machine.device(candidate.devices[m]).space;
    const BlockId block = state.scratch[m].block;
    const Arena& arena = state.spaces[space].arena;
    offsets[m] = block.is_none() ? Bytes(0) : arena.offset(block);
    if (!block.is_none()) command.scratch_bytes = arena.size(block);
  }
  command.scratch_offsets = offsets;
  command.priority = state.program.task(task).priority;
  const Alternative& alternative =
      state.program.placement(state.program.task(task).placement)[candidate.alternative];
  command.milli_vcus = alternative.milli_vcus;

  CommandRecord& record = state.commands.draft();
  record.kind = CommandKind::kLaunch;
  record.task = task;
  for (const Operand& operand : state.operands) {
    const Replica& replica = directory.replica(operand.replica);
    for (const PieceId piece : directory.pieces(operand.region)) {
      const Cell& cell = directory.cell(operand.replica, piece);
      if (operand.is_read) directory.append_read_waits(cell, record.after);
      if (operand.is_written) directory.append_write_waits(replica, cell, record.after);
    }
  }
  for (const EngineState::ScratchBlock& scratch : state.scratch) {
    if (scratch.block.is_none() || mutation_is_on(Mutation::kIgnoresResidue)) continue;
    record.after.insert(record.after.end(), scratch.residue.begin(), scratch.residue.end());
  }
  append_timed_waits(state, task, record.after);
  compact(state, record.after);

  Time start = state.now;
  for (const CommandId before : record.after) {
    start = std::max(start, state.commands.expected_end(before, state.now));
  }
  for (const DeviceId device : candidate.devices) {
    start = std::max(start, state.devices[device].issued_free);
  }
  record.expected_end = start + state.duration_of(task);
  for (const DeviceId device : candidate.devices) {
    const std::int64_t slots = std::int64_t{1000} * state.machine.device(device).slots;
    const Duration share(state.duration_of(task).count() * command.milli_vcus / slots);
    state.devices[device].issued_free = start + share;
  }
  const CommandId id = state.commands.add();
  command.after = record.after;
  return id;
}

}  // namespace

void append_timed_waits(const EngineState& state, TaskId task, std::vector<CommandId>& after) {
  if (mutation_is_on(Mutation::kIgnoresExplicit)) return;
  for (const TaskId on : state.program.timed_dependencies(task)) {
    if (state.program.task(on).kind == TaskKind::kEvict) {
      append_timed_waits(state, on, after);  // an eviction launches nothing itself
    } else {
      PARLEY_CHECK(!state.tasks[on].launch.is_none(), "a dependency was not issued before");
      after.push_back(state.tasks[on].launch);
    }
  }
}

void issue_task(EngineState& state, TaskId task) {
  if (state.program.task(task).kind == TaskKind::kEvict) {
    issue_evict(state, task);
    show(state, task);
    close_accesses(state, task);
    on_task_issued(state, task);
    return;
  }
  const Candidate& candidate = state.candidate_of(task);
  if (const auto told = state.told_victims.empty()
                            ? state.told_victims.end()
                            : state.told_victims.find(static_cast<std::uint32_t>(task.index()));
      told != state.told_victims.end()) {
    state.preferred_victims = std::move(told->second);
    std::reverse(state.preferred_victims.begin(), state.preferred_victims.end());
    state.told_victims.erase(told);
  }
  stage(state, task, candidate);
  state.preferred_victims.clear();

  if (mutation_is_on(Mutation::kInvalidatesBeforeReads)) {
    for (const Operand& operand : state.operands) {
      if (operand.is_written && !operand.is_read) invalidate_others(state, operand);
    }
  }
  std::vector<CommandId> extra;
  if (state.program.task(task).is_lazy) append_timed_waits(state, task, extra);
  for (const Operand& operand : state.operands) {
    if (!operand.is_read) continue;
    if (operand.is_written && mutation_is_on(Mutation::kOutCopiesNothingValid)) continue;
    fetch(state, operand.replica, operand.region, CopyReason::kFetch, task, extra);
  }
  const CommandId launch = give_launch(state, task, candidate);
  state.tasks[task].launch = launch;
  ++state.launched_tasks;
  // Unpinned before the effects: an input that the task's own writes make invalid is dropped.
  unpin(state);
  for (const Operand& operand : state.operands) {
    if (!state.directory.replica(operand.replica).is_home) {
      state.policies.evictor->on_used(state.view, operand.replica, task);
    }
  }
  apply_effects(state, launch);
  for (std::size_t m = 0; m < state.scratch.size(); ++m) {
    if (state.scratch[m].block.is_none()) continue;
    const SpaceId space = state.machine.device(candidate.devices[m]).space;
    state.spaces[space].arena.free(state.scratch[m].block, std::span(&launch, 1), state.commands);
  }
  if (state.options.record_states) {
    for (const Operand& operand : state.operands) {
      record_states(state, state.program.region(operand.region).array, launch);
    }
  }
  show(state, task);
  close_accesses(state, task);
  on_task_issued(state, task);
}

void prefetch(EngineState& state, TaskId task) {
  for (const PrefetchRequest& request : state.requests) {
    const TaskId wanted_by = request.task.is_none() ? task : request.task;
    if (state.program.task(wanted_by).is_lazy) continue;
    Directory& directory = state.directory;
    directory.activate(request.region);
    if (directory.places(request.region).bytes == Bytes(0)) continue;
    ReplicaId replica = directory.find_or_home(request.region, request.space);
    const auto pieces = directory.pieces(request.region);
    const bool is_wanted = std::any_of(pieces.begin(), pieces.end(), [&](PieceId piece) {
      return !directory.piece(piece).holders.empty() &&
             (replica.is_none() || !directory.is_valid(replica, piece));
    });
    if (!is_wanted) continue;
    if (replica.is_none()) replica = try_allocate(state, request.region, request.space);
    if (replica.is_none()) continue;
    ++directory.replica(replica).pins;
    fetch(state, replica, request.region, CopyReason::kPrefetch, wanted_by, {});
    --directory.replica(replica).pins;
  }
  state.requests.clear();
}

void bring_home(EngineState& state, ArrayId array) {
  const Array& data = state.program.array(array);
  if (data.spec.at_end != AtEnd::kHome || state.is_home_again[array] != 0) return;
  const auto home = state.machine.find_space(data.spec.homes.front());
  Directory& directory = state.directory;
  if (home && *home != directory.home_space(array)) return;  // see bring_all_home
  state.is_home_again[array] = 1;
  if (data.bytes == Bytes(0)) return;
  fetch(state, directory.home(array), data.whole, CopyReason::kAtEnd, TaskId::none(), {});
}

void bring_all_home(EngineState& state) {
  Directory& directory = state.directory;
  std::vector<std::pair<SpaceId, ArrayId>> wanted;
  for (std::size_t a = 0; a < directory.array_count(); ++a) {
    const ArrayId array(a);
    bring_home(state, array);
    const Array& data = state.program.array(array);
    if (data.spec.at_end != AtEnd::kHome || state.is_home_again[array] != 0) continue;
    state.is_home_again[array] = 1;
    if (data.bytes == Bytes(0)) continue;
    wanted.emplace_back(*state.machine.find_space(data.spec.homes.front()), array);
  }
  // All of a space's arrays fit together, as they may have at the start; replicas of other regions
  // go first when the room is needed.
  std::sort(wanted.begin(), wanted.end());
  for (std::size_t begin = 0; begin < wanted.size();) {
    std::size_t end = begin;
    const SpaceId space = wanted[begin].first;
    bool is_placed = true;
    for (; end < wanted.size() && wanted[end].first == space; ++end) {
      const RegionId whole = state.program.array(wanted[end].second).whole;
      if (directory.find(whole, space).is_none() && try_allocate(state, whole, space).is_none()) {
        is_placed = false;
      }
    }
    if (!is_placed) {
      while (!state.spaces[space].replicas.empty()) {
        evict(state, state.spaces[space].replicas.back(), DropReason::kEvicted, TaskId::none());
      }
    }
    for (std::size_t i = begin; i < end; ++i) {
      const RegionId whole = state.program.array(wanted[i].second).whole;
      ReplicaId replica = directory.find(whole, space);
      if (replica.is_none()) replica = try_allocate(state, whole, space);
      PARLEY_CHECK(!replica.is_none(), "arrays that start in a space do not fit there at the end");
      fetch(state, replica, whole, CopyReason::kAtEnd, TaskId::none(), {});
    }
    begin = end;
  }
}

}  // namespace parley::core
