// What is checked and laid out before the first step, and when the program grows.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/engine/engine_state.h"
#include "core/engine/mutation.h"

namespace parley::core {
namespace {

std::string in_bytes(Bytes bytes) { return std::to_string(bytes.count()) + " bytes"; }

/// Faults of tasks or arrays, gathered by what is wrong, in the order of the first of each.
class FaultGroups {
 public:
  explicit FaultGroups(std::string noun) : noun_(std::move(noun)) {}

  void add(const Fault& fault) {
    const auto [group, is_new] = groups_.try_emplace(fault.what, faults_.size());
    if (is_new) {
      faults_.push_back(fault);
      counts_.push_back(0);
    }
    ++counts_[group->second];
  }
  /// `task "x" and 7 more tasks` in the place of where.
  [[nodiscard]] Faults take() {
    for (std::size_t i = 0; i < faults_.size(); ++i) {
      if (counts_[i] == 1) continue;
      faults_[i].where += " and " + std::to_string(counts_[i] - 1) + " more " + noun_ +
                          (counts_[i] == 2 ? "" : "s");
    }
    return std::move(faults_);
  }
  [[nodiscard]] std::size_t size() const { return faults_.size(); }

 private:
  std::string noun_;
  Faults faults_;
  std::vector<std::size_t> counts_;
  std::map<std::string, std::size_t> groups_;
};

bool has_contents(const Array& array) {
  return array.spec.initial.kind != Initial::Kind::kNone && array.bytes > Bytes(0);
}

void add_array(EngineState& state, ArrayId id, bool is_late) {
  const Array& array = state.program.array(id);
  Faults faults;
  const Homes homes = homes_of(state.machine, array.spec, faults);
  state.array_bytes += Arena::rounded(array.bytes);
  Bytes offset;
  if (array.bytes > Bytes(0)) {
    Arena& arena = state.spaces[homes.slot].arena;
    offset = arena.offset(arena.extend(array.bytes));
  }
  state.directory.add_array(id, homes.slot, offset);
  state.replica_place.resize(state.directory.replica_slots(), 0);
  state.any_returns_home |= array.spec.at_end == AtEnd::kHome;
  state.open_accesses.push_back(0);
  state.is_home_again.push_back(0);
  if (state.keeps_presence) state.present.push_back({});
  if (!has_contents(array)) return;
  const PieceId piece = state.directory.pieces(array.whole).front();
  for (const SpaceId space : homes.spaces) {
    if (space == homes.slot || is_late) {
      state.directory.set_valid(state.directory.home(id), piece, CommandId::none());
      state.directory.piece(piece).owner = homes.slot;
      state.initial_replicas.push_back({id, homes.slot, offset});
      if (is_late) break;
      continue;
    }
    if (state.machine.space(space).is_host) {
      // Room of its own, which becomes free when the replica is dropped.
      Arena& arena = state.spaces[space].arena;
      arena.free(arena.extend(array.bytes), {}, state.commands);
    }
    const ReplicaId replica = try_allocate(state, array.whole, space);
    PARLEY_CHECK(!replica.is_none(), "initial replicas were checked to fit");
    state.directory.set_valid(replica, piece, CommandId::none());
    state.initial_replicas.push_back({id, space, state.directory.replica(replica).offset});
  }
  state.directory.piece(piece).owner = homes.spaces.front();
}

/// Largest working sets on hosts of tasks of classes `first` on: what one task takes there besides
/// home slots (operands that must not alias, arrays of other nodes, scratch).
IdVector<SpaceId, Bytes> host_sets(const EngineState& state, std::size_t first) {
  IdVector<SpaceId, Bytes> largest(state.spaces.size());
  for (std::size_t c = first; c < state.classes.size(); ++c) {
    for (const Candidate& candidate : state.classes[c].candidates) {
      for (const DeviceId device : candidate.devices) {
        const SpaceId space = state.machine.device(device).space;
        if (!state.machine.space(space).is_host) continue;
        largest[space] = std::max(
            largest[space], working_set(state, state.classes[c].representative, candidate, space));
      }
    }
  }
  return largest;
}

/// Bytes of all regions of arrays whose home is another host, by host.
IdVector<SpaceId, Bytes> foreign_bytes(const EngineState& state) {
  IdVector<SpaceId, Bytes> at_home(state.spaces.size());
  Bytes total;
  for (std::size_t r = 0; r < state.program.region_count(); ++r) {
    const Region& region = state.program.region(RegionId(r));
    const Bytes bytes = Arena::rounded(region.bytes);
    at_home[state.directory.home_space(region.array)] += bytes;
    total += bytes;
  }
  for (std::size_t s = 0; s < at_home.size(); ++s)
    at_home[SpaceId(s)] = total - at_home[SpaceId(s)];
  return at_home;
}

/// Tasks that hold memory of a space at once: those that run on its devices, and as many that are
/// issued behind them.
std::int64_t tasks_at_once(const EngineState& state, SpaceId space) {
  std::int64_t tasks = 0;
  for (std::size_t d = 0; d < state.machine.device_count(); ++d) {
    const Device& device = state.machine.device(DeviceId(d));
    if (device.space != space) continue;
    const std::int64_t most = 2 * std::int64_t{device.slots};
    tasks += state.options.window == 0 ? most : std::min<std::int64_t>(most, state.options.window);
  }
  return tasks;
}

/// Gives hosts room for replicas besides home slots, `sets` as host_sets() says: one contiguous
/// area. The largest set must fit. Where the host has more, and the program does not grow, the
/// area holds the sets of all tasks at once and everything of other hosts, as each has it but once.
void lay_out_work_areas(EngineState& state, const IdVector<SpaceId, Bytes>& sets, Faults& faults) {
  IdVector<SpaceId, Bytes> foreign;
  for (std::size_t s = 0; s < state.machine.space_count(); ++s) {
    const SpaceId id(s);
    if (sets[id] == Bytes(0)) continue;
    const MemorySpace& space = state.machine.space(id);
    SpaceState& host = state.spaces[id];
    const Bytes room = space.capacity - host.arena.capacity();
    if (sets[id] > room) {
      faults.push_back({"space \"" + space.name + "\"",
                        "home slots (" + in_bytes(host.arena.capacity()) +
                            ") and the largest working set of a host task (" + in_bytes(sets[id]) +
                            ") exceed its " + in_bytes(space.capacity)});
      continue;
    }
    host.largest_set = sets[id];
    Bytes area = sets[id];
    if (!state.options.program_grows) {
      if (foreign.empty()) foreign = foreign_bytes(state);
      // No product: it might not fit in 64 bits.
      const std::int64_t most = tasks_at_once(state, id);
      area = sets[id].count() > room.count() / most
                 ? room
                 : std::min(room, Bytes(sets[id].count() * most) + foreign[id]);
      area = Bytes(area.count() / Arena::kAlignment * Arena::kAlignment);
    }
    host.arena.free(host.arena.extend(area), {}, state.commands);
  }
}

/// The same for what a program has grown by, of classes `first` on: an area of its own where a
/// working set is larger than all before.
void extend_work_areas(EngineState& state, std::size_t first) {
  const IdVector<SpaceId, Bytes> sets = host_sets(state, first);
  for (std::size_t s = 0; s < sets.size(); ++s) {
    SpaceState& host = state.spaces[SpaceId(s)];
    if (sets[SpaceId(s)] <= host.largest_set) continue;
    host.largest_set = sets[SpaceId(s)];
    host.arena.free(host.arena.extend(host.largest_set), {}, state.commands);
  }
}

void check_arrays(const EngineState& state, Faults& faults) {
  IdVector<SpaceId, Bytes> home(state.machine.space_count());
  IdVector<SpaceId, Bytes> initial(state.machine.space_count());
  FaultGroups homeless("array");
  for (std::size_t a = 0; a < state.program.array_count(); ++a) {
    const Array& array = state.program.array(ArrayId(a));
    Faults unknown;
    const Homes homes = homes_of(state.machine, array.spec, unknown);
    for (const Fault& fault : unknown) homeless.add(fault);
    home[homes.slot] += Arena::rounded(array.bytes);
    if (!has_contents(array)) continue;
    for (const SpaceId space : homes.spaces) {
      if (space != homes.slot) initial[space] += Arena::rounded(array.bytes);
    }
  }
  for (Fault& fault : homeless.take()) faults.push_back(std::move(fault));
  for (std::size_t s = 0; s < state.machine.space_count(); ++s) {
    const SpaceId id(s);
    const MemorySpace& space = state.machine.space(id);
    const Bytes needed = home[id] + initial[id];
    if (needed <= space.capacity) continue;
    faults.push_back({"space \"" + space.name + "\"",
                      (space.is_host ? "the home slots of all arrays take "
                                     : "the arrays that start there take ") +
                          in_bytes(needed) + "; it has " + in_bytes(space.capacity)});
  }
}

}  // namespace

namespace {

/// What keeps a task of which no candidate fits from running: both figures.
Fault does_not_fit(const EngineState& state, TaskId task, std::span<const Candidate> candidates) {
  // Of every candidate the member that falls short most; of these the nearest to fitting.
  Bytes needed, has;
  Bytes least_shortage = Bytes::max();
  for (const Candidate& candidate : candidates) {
    Bytes shortage, candidate_needs, candidate_has;
    for (const DeviceId device : candidate.devices) {
      const SpaceId space = state.machine.device(device).space;
      const Bytes wanted = working_set(state, task, candidate, space);
      const Bytes capacity = state.machine.space(space).capacity;
      if (wanted - capacity < shortage) continue;
      shortage = wanted - capacity;
      candidate_needs = wanted;
      candidate_has = capacity;
    }
    if (shortage >= least_shortage) continue;
    least_shortage = shortage;
    needed = candidate_needs;
    has = candidate_has;
  }
  return {"task \"" + std::string(state.program.task_name(task)) + "\"",
          "its operands and scratch take " + in_bytes(needed) +
              " at once, more than any device that it may run on has (at most " + in_bytes(has) +
              ")"};
}

/// Whether an evict entry names a space of the machine.
std::optional<Fault> check_evict(const EngineState& state, TaskId task) {
  if (state.program.task(task).kind != TaskKind::kEvict) return std::nullopt;
  const std::string& name = state.program.extras(task).evict_space;
  if (state.machine.find_space(name)) return std::nullopt;
  return Fault{"task \"" + std::string(state.program.task_name(task)) + "\"",
               "evicts from \"" + name + "\": the machine has no such space; it has " +
                   names_text(state.machine.space_names())};
}

constexpr std::size_t kMostFaults = 100;

/// Gives tasks up to `end` their classes. Faults of tasks alike are one.
Faults classify(EngineState& state, TaskId end) {
  FaultGroups faults("task");
  if (state.tasks.size() < end.index()) state.tasks.resize(end.index());
  for (; state.classified < end.index(); ++state.classified) {
    const TaskId task(state.classified);
    state.tasks[task].task_class = class_of(state, task);
    if (faults.size() >= kMostFaults) continue;
    if (const auto fault = check_evict(state, task)) faults.add(*fault);
    if (state.classes[state.tasks[task].task_class].candidates.empty()) {
      faults.add(does_not_fit(state, task, state.placements[state.program.task(task).placement]));
    }
  }
  return faults.take();
}

}  // namespace

Faults check_tasks(const EngineState& state, TaskId first, TaskId end) {
  FaultGroups unfit("task");
  for (std::size_t t = first.index(); t < end.index() && unfit.size() < kMostFaults; ++t) {
    const TaskId task(t);
    const PlacementId placement = state.program.task(task).placement;
    const std::vector<Candidate> candidates =
        placement.index() < state.placements.size()
            ? state.placements[placement]
            : resolve(state.program.placement(placement), state.machine, nullptr);
    if (const auto fault = check_evict(state, task)) unfit.add(*fault);
    const bool any_fits = std::any_of(candidates.begin(), candidates.end(),
                                      [&](const Candidate& c) { return fits(state, task, c); });
    if (!any_fits) unfit.add(does_not_fit(state, task, candidates));
  }
  Faults faults = check_plan_covers(state, first, end);
  for (Fault& fault : unfit.take()) faults.push_back(std::move(fault));
  return faults;
}

Faults set_up(EngineState& state) {
  Faults faults;
  resolve_placements(state, faults);
  if (!faults.empty()) return faults;
  check_arrays(state, faults);
  if (!faults.empty()) return faults;
  for (std::size_t s = 0; s < state.machine.space_count(); ++s) {
    const MemorySpace& space = state.machine.space(SpaceId(s));
    state.spaces.push_back({Arena(Bytes(0), space.is_host ? Bytes(0) : space.capacity), {}, 0, {}});
    if (!space.is_host) state.device_bytes += state.spaces[SpaceId(s)].arena.capacity();
  }
  for (std::size_t d = 0; d < state.machine.device_count(); ++d) {
    const Device& device = state.machine.device(DeviceId(d));
    state.spaces[device.space].slots += device.slots;
  }
  state.devices.resize(state.machine.device_count());
  state.is_awake.resize(state.machine.device_count(), 0);
  state.engine_free.resize(state.machine.spec().engines.size());
  state.route_free.resize(state.machine.route_count());
  for (std::size_t a = 0; a < state.program.array_count(); ++a) {
    add_array(state, ArrayId(a), false);
  }
  // Classes and work areas are laid out now, so that drivers know their slabs; tasks are admitted
  // by events.
  faults = classify(state, TaskId(state.program.task_count()));
  if (!faults.empty()) return faults;
  faults = set_up_plan(state);
  if (!faults.empty()) return faults;
  lay_out_work_areas(state, host_sets(state, 0), faults);
  return faults;
}

void admit_tasks(EngineState& state, TaskId end) {
  PARLEY_CHECK(end.index() <= state.program.task_count(), "tasks submitted before they exist");
  Faults faults;
  resolve_placements(state, faults);
  PARLEY_CHECK(faults.empty(), "submitted tasks were not checked: " + faults.front().what);
  for (std::size_t a = state.directory.array_count(); a < state.program.array_count(); ++a) {
    add_array(state, ArrayId(a), true);
  }
  const std::size_t known = state.classes.size();
  faults = classify(state, end);
  PARLEY_CHECK(faults.empty(), "submitted tasks were not checked: " + faults.front().where + ": " +
                                   faults.front().what);
  extend_work_areas(state, known);
  if (state.submitted == 0) list_successors(state, end);
  for (; state.submitted < end.index(); ++state.submitted) {
    on_task_submitted(state, TaskId(state.submitted));
  }
}

}  // namespace parley::core
