// Which arrays have anything in which space: kept from when a policy first asks, as few do.
#include "core/engine/engine_state.h"

namespace parley::core {
namespace {

Presence& entry_of(const EngineState& state, ArrayId array, SpaceId space) {
  InlineList<Presence, 4>& all = state.present[array];
  for (Presence& entry : all.items()) {
    if (entry.space == space) return entry;
  }
  all.push_back({space});
  return all[all.size() - 1];
}

void plan(const EngineState& state, TaskId task, std::uint32_t change) {
  const Candidate& candidate = state.candidate_of(task);
  for (const Access& access : state.program.accesses(task)) {
    const ArrayId array = state.program.region(access.region).array;
    const SpaceId space = state.machine.device(candidate.devices[access.member]).space;
    entry_of(state, array, space).planned += change;
  }
}

}  // namespace

void count_replica(EngineState& state, ArrayId array, SpaceId space, bool is_new) {
  if (!state.keeps_presence) return;
  std::uint32_t& replicas = entry_of(state, array, space).replicas;
  replicas = is_new ? replicas + 1 : replicas - 1;
}

void plan_presence(EngineState& state, TaskId task, bool is_mapped) {
  if (!state.keeps_presence) return;
  plan(state, task, is_mapped ? 1U : static_cast<std::uint32_t>(-1));
}

std::span<const Presence> presence_of(const EngineState& state, ArrayId array) {
  if (!state.keeps_presence) {
    state.keeps_presence = true;
    state.present.resize(state.directory.array_count());
    for (std::size_t s = 0; s < state.spaces.size(); ++s) {
      for (const ReplicaId id : state.spaces[SpaceId(s)].replicas) {
        ++entry_of(state, state.directory.replica(id).array, SpaceId(s)).replicas;
      }
    }
    for (std::size_t t = 0; t < state.tasks.size(); ++t) {
      if (state.tasks[TaskId(t)].phase == TaskPhase::kQueued) plan(state, TaskId(t), 1);
    }
  }
  return state.present[array].items();
}

}  // namespace parley::core
