#include "core/policy/view.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/engine/engine_state.h"
#include "core/graph/task_graph.h"

namespace parley::core {

void EngineState::make_brief(RouteId id, RouteBrief& brief) const {
  brief = {};
  brief.route = id;
  for (const auto& engines : machine.engines(id)) {
    for (const CopyEngineId engine : engines) {
      if (brief.engine_count < brief.engines.size()) brief.engines[brief.engine_count] = engine;
      ++brief.engine_count;
    }
  }
}

Time View::now() const { return state_->now; }
const Program& View::program() const { return state_->program; }
const Machine& View::machine() const { return state_->machine; }

// ---- tasks ----

std::span<const Candidate> View::candidates(TaskId task) const {
  return state_->classes[state_->tasks[task].task_class].candidates;
}

namespace {

const TaskClass& indexed_class(const EngineState& state, TaskId task) {
  const TaskClass& known = state.classes[state.tasks[task].task_class];
  if (known.is_indexed) return known;
  TaskClass& fresh = state.classes[state.tasks[task].task_class];
  fresh.is_indexed = true;
  fresh.least = *std::ranges::min_element(fresh.durations);
  const auto has_many = [](const Candidate& candidate) { return candidate.devices.size() != 1; };
  if (std::ranges::any_of(fresh.candidates, has_many)) return fresh;
  fresh.by_space.resize(state.machine.space_count());
  for (std::size_t i = 0; i < fresh.candidates.size(); ++i) {
    const SpaceId space = state.machine.device(fresh.candidates[i].devices.front()).space;
    fresh.by_space[space].push_back(static_cast<std::uint16_t>(i));
  }
  return fresh;
}

}  // namespace

bool View::has_single_candidates(TaskId task) const {
  return !indexed_class(*state_, task).by_space.empty();
}

const View::CandidatesBySpace& View::candidates_by_space(TaskId task) const {
  return indexed_class(*state_, task).by_space;
}

Duration View::least_duration(TaskId task) const { return indexed_class(*state_, task).least; }

Duration View::expected_duration(TaskId task, const Candidate& candidate) const {
  const TaskClass& task_class = state_->classes[state_->tasks[task].task_class];
  return task_class.durations[static_cast<std::size_t>(&candidate - task_class.candidates.data())];
}

std::span<const Duration> View::expected_durations(TaskId task) const {
  return state_->classes[state_->tasks[task].task_class].durations;
}

Duration View::mean_duration(TaskId task) const {
  return state_->classes[state_->tasks[task].task_class].mean;
}

Duration View::bottom_level(TaskId task) const {
  if (!state_->is_closed) return mean_duration(task);
  if (state_->bottom_levels.size() != state_->tasks.size()) {
    IdVector<TaskId, Duration> durations(state_->tasks.size());
    for (std::size_t t = 0; t < durations.size(); ++t) {
      durations[TaskId(t)] = mean_duration(TaskId(t));
    }
    state_->bottom_levels = TaskGraph(state_->program).bottom_levels(durations);
  }
  return state_->bottom_levels[task];
}

bool View::is_issued(TaskId task) const {
  const TaskPhase phase = state_->tasks[task].phase;
  return phase == TaskPhase::kIssued || phase == TaskPhase::kFinished;
}

bool View::is_finished(TaskId task) const {
  return state_->tasks[task].phase == TaskPhase::kFinished;
}

bool View::is_submission_closed() const { return state_->is_closed; }

std::span<const DeviceId> View::devices_of(TaskId task) const {
  const TaskPhase phase = state_->tasks[task].phase;
  if (phase != TaskPhase::kQueued && phase != TaskPhase::kIssued && phase != TaskPhase::kFinished) {
    return {};
  }
  if (state_->program.task(task).kind == TaskKind::kEvict) return {};
  return state_->candidate_of(task).devices;
}

CommandId View::launch_of(TaskId task) const { return state_->tasks[task].launch; }

std::uint32_t View::launched_tasks() const { return state_->launched_tasks; }

// ---- plan ----

bool View::has_plan() const { return state_->options.plan != nullptr; }
const Plan& View::plan() const { return *state_->options.plan; }
std::uint32_t View::planned_rank(TaskId task) const { return state_->planned[task].rank; }
std::size_t View::planned_candidate(TaskId task) const { return state_->planned[task].candidate; }

std::span<const DeviceId> View::planned_devices(TaskId task) const {
  return plan().tasks[planned_rank(task)].devices;
}

// ---- devices ----

Time View::expected_free(DeviceId id) const {
  const DeviceState& device = state_->devices[id];
  return std::max(state_->now, device.issued_free) + device.queued_backlog;
}

Duration View::backlog(DeviceId id) const { return state_->devices[id].backlog; }
std::uint32_t View::issued_tasks(DeviceId id) const { return state_->devices[id].issued; }
std::uint32_t View::queued_tasks(DeviceId id) const { return state_->devices[id].queued; }
std::uint32_t View::mapped_tasks() const { return state_->mapped_tasks; }

std::uint32_t View::mapped_copies(DeviceId device) const {
  return state_->spaces[state_->machine.device(device).space].arriving;
}

std::span<const TaskId> View::queue(DeviceId id) const { return listed_queue(state_->devices[id]); }

// ---- data ----

Bytes View::missing_bytes(RegionId id, SpaceId space) const {
  const Directory& directory = state_->directory;
  const ReplicaId replica = directory.find_or_home(id, space);
  if (const PieceId piece = directory.only_piece(id); !piece.is_none()) {
    const bool is_there = !replica.is_none() && directory.is_valid(replica, piece);
    return is_there ? Bytes(0) : directory.places(id).bytes;
  }
  const Region& region = state_->program.region(id);
  if (region.bytes == Bytes(0)) return Bytes(0);
  if (replica.is_none() || !directory.map().is_active(id)) return region.bytes;
  const std::int64_t element = state_->program.array(region.array).element_bytes;
  Bytes missing;
  for (const PieceId piece : directory.pieces(id)) {
    if (!directory.cell(replica, piece).is_valid) {
      missing += Bytes(directory.map().size(piece) * element);
    }
  }
  return missing;
}

Time View::expected_available(RegionId id, SpaceId space) const {
  const Directory& directory = state_->directory;
  const Region& region = state_->program.region(id);
  Time latest = state_->now;
  if (region.bytes == Bytes(0)) return latest;
  const ReplicaId target = directory.find_or_home(id, space);
  const std::int64_t element = state_->program.array(region.array).element_bytes;
  Duration copying;
  for (const PieceId piece : directory.pieces(id)) {
    if (!target.is_none()) {
      const Cell& cell = directory.cell(target, piece);
      if (cell.is_valid) {
        if (!cell.writer.is_none()) {
          latest = std::max(latest, state_->commands.expected_end(cell.writer, state_->now));
        }
        continue;
      }
    }
    const Bytes bytes(directory.map().size(piece) * element);
    Time best = Time::max();
    Duration best_copy;
    for (const ReplicaId holder : directory.piece(piece).holders) {
      const SpaceId from = directory.replica(holder).space;
      Time ready = state_->now;
      Duration copy;
      const auto add_leg = [&](RouteId route) {
        ready = std::max(ready, state_->route_free_time(route));
        copy += state_->copy_duration(route, bytes);
      };
      const RouteId direct = state_->machine.route_id(from, space);
      if (!direct.is_none()) {
        add_leg(direct);
      } else {  // to the home slot, and on from there
        const SpaceId home = directory.replica(directory.home(region.array)).space;
        add_leg(state_->machine.route_id(from, home));
        add_leg(state_->machine.route_id(home, space));
      }
      const CommandId writer = directory.cell(holder, piece).writer;
      if (!writer.is_none()) {
        ready = std::max(ready, state_->commands.expected_end(writer, state_->now));
      }
      if (best == Time::max() || ready + copy < best + best_copy) {
        best = ready;
        best_copy = copy;
      }
    }
    if (best == Time::max()) continue;  // not written yet
    latest = std::max(latest, best);
    copying += best_copy;
  }
  return latest + copying;
}

bool View::array_is_present(ArrayId array, SpaceId space) const {
  const Directory& directory = state_->directory;
  const Replica& home = directory.replica(directory.home(array));
  if (home.space == space && home.valid_cells > 0) return true;
  for (const Presence& entry : presence_of(*state_, array)) {
    if (entry.space == space) return entry.replicas + entry.planned > 0;
  }
  return false;
}

SpaceId View::owner(RegionId region) const {
  const auto pieces = state_->directory.pieces(region);
  return pieces.empty() ? SpaceId::none() : state_->directory.piece(pieces.front()).owner;
}

Time View::expected_route_free(SpaceId from, SpaceId to) const {
  const RouteId route = state_->machine.route_id(from, to);
  if (route.is_none()) return Time::max();
  return state_->route_free_time(route);
}

Duration View::copy_duration(RouteId route, Bytes bytes) const {
  return state_->copy_duration(route, bytes);
}

std::span<const Box> View::sought_boxes() const {
  return state_->directory.map().boxes(state_->sought_piece);
}

ReplicaId View::sought_target() const { return state_->sought_target; }

// ---- replicas ----

RegionId View::replica_region(ReplicaId id) const { return state_->directory.replica(id).region; }
SpaceId View::replica_space(ReplicaId id) const { return state_->directory.replica(id).space; }
Bytes View::replica_bytes(ReplicaId id) const { return state_->directory.replica(id).bytes; }

bool View::is_pinned(ReplicaId id) const {
  const Replica& replica = state_->directory.replica(id);
  return replica.pins > 0 || replica.is_home || (state_->only_idle_victims && !is_idle(id));
}

bool View::is_idle(ReplicaId id) const {
  for (const Cell& cell : state_->directory.replica(id).cells.items()) {
    if (!cell.writer.is_none() && !state_->commands.is_finished(cell.writer)) return false;
    for (const CommandId reader : cell.readers) {
      if (!state_->commands.is_finished(reader)) return false;
    }
  }
  return true;
}

Bytes View::sole_bytes(ReplicaId id) const {
  const Directory& directory = state_->directory;
  const Replica& replica = directory.replica(id);
  const std::int64_t element = state_->program.array(replica.array).element_bytes;
  Bytes total;
  for (const PieceId piece : directory.pieces(replica.region)) {
    if (directory.is_sole_holder(id, piece)) {
      total += Bytes(directory.map().size(piece) * element);
    }
  }
  return total;
}

TaskId View::next_use(RegionId region) const {
  auto& uses = state_->uses;
  for (; state_->indexed_uses < state_->submitted; ++state_->indexed_uses) {
    const TaskId task(state_->indexed_uses);
    for (const Access& access : state_->program.accesses(task)) {
      if (uses.size() <= access.region.index()) {
        uses.resize(state_->program.region_count());
        state_->next_use.resize(state_->program.region_count(), 0);
      }
      if (uses[access.region].empty() || uses[access.region].back() != task) {
        uses[access.region].push_back(task);
      }
    }
  }
  if (region.index() >= uses.size()) return TaskId::none();
  const std::vector<TaskId>& list = uses[region];
  // Tasks of other devices may be issued out of order; what has been passed stays passed.
  std::size_t& position = state_->next_use[region];
  while (position < list.size() && is_issued(list[position])) ++position;
  return position < list.size() ? list[position] : TaskId::none();
}

}  // namespace parley::core
