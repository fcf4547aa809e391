// Everything an engine knows. Internal to core: policies see it through View, tests through
// Engine::state(). The parts of the engine are functions over it, one file each:
//   setup      what is checked and laid out before the first step, and when the program grows
//   schedule   ready tasks -> mapper -> queues of the devices -> window
//   staging    room for the operands of a task: allocation, eviction, compaction
//   transfer   copies between replicas, their sources, and what they wait for
//   issue      one task: staging, fetches, launch, effects of its writes
//   report     overviews, stalls, invariants
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/coherence/directory.h"
#include "core/engine/command_table.h"
#include "core/engine/engine.h"
#include "core/engine/step_pool.h"
#include "core/machine/cost_model.h"
#include "core/memory/arena.h"
#include "core/policy/policy.h"
#include "core/policy/view.h"

namespace parley::core {

/// Tasks that are alike for scheduling: same candidates, same expected durations.
struct TaskClass {
  std::vector<Candidate> candidates;  // those whose working set fits
  std::vector<Duration> durations;    // expected, by candidate
  Duration mean;
  TaskId representative;  // of which the durations were computed
  Duration least;         // of the durations
  /// Candidates of one device by its space, made when a policy first asks; empty if some candidate
  /// has several devices.
  bool is_indexed = false;
  IdVector<SpaceId, std::vector<std::uint16_t>> by_space;
};

enum class TaskPhase : std::uint8_t {
  kUnknown,  // not submitted yet
  kWaiting,  // for dependencies to be issued, or its release
  kReady,    // for a mapper's choice
  kQueued,   // for its device's window
  kIssued,
  kFinished,
};

struct TaskState {
  TaskPhase phase = TaskPhase::kUnknown;
  bool is_released = true;
  std::uint16_t candidate = 0;
  std::uint32_t pending = 0;  // dependencies not issued yet
  std::uint32_t task_class = 0;
  std::uint32_t first_edge = 0xffffffffU;
  CommandId launch;
};

/// A linked list of successors, of tasks submitted after the first.
struct Edge {
  TaskId to;
  std::uint32_t next;
};

/// Successors among the tasks submitted first, which mostly are all: those of a task lie side by
/// side, the last submitted first.
struct Successors {
  IdVector<TaskId, std::uint32_t> first;  // one entry more than tasks
  LongVector<TaskId> tasks;
};

/// A task in a heap, with its key beside it. Copied member by member, as they were written: a
/// processor waits for what it has just written in two parts before it reads both at once, which
/// heaps do all the time.
struct Ranked {
  Ranked(std::int64_t its_key, TaskId its_task) : key(its_key), task(its_task) {}
  Ranked(const Ranked& other) : key(other.key), task(other.task) {}
  Ranked& operator=(const Ranked& other) {
    key = other.key;
    task = other.task;
    return *this;
  }

  std::int64_t key;
  TaskId task;
};

struct DeviceState {
  std::uint32_t issued = 0;  // unfinished
  std::uint32_t queued = 0;
  Duration backlog;                    // expected work mapped and not finished, per slot
  Duration queued_backlog;             // the part of it that is not issued
  Time issued_free;                    // expected end of what is issued
  std::vector<Ranked> queue;           // a heap, unless the order is dynamic
  mutable std::vector<TaskId> listed;  // the queue's tasks, as policies see them
};

struct SpaceState {
  Arena arena;
  std::vector<ReplicaId> replicas;  // live compact ones, unordered; see replica_place
  std::uint32_t arriving = 0;       // unfinished copies into it
  Bytes largest_set;                // of a host: what one task takes at most besides home slots
  Bytes peak;                       // of the arena, scratch of the task being issued included
  std::int64_t slots = 0;           // of its devices: tasks of 1 vcu at a time
  // With EngineOptions::writes_back_early, of a GPU:
  std::deque<std::pair<ReplicaId, RegionId>> dirty;  // written and perhaps not home yet, the oldest
                                                     // first; replicas may be gone
  CommandId early_write_back;                        // the last one
  Bytes largest;                                     // replica that there has been
  bool has_evicted = false;
};

/// EngineOptions::plan, checked and by task.
struct PlannedPlace {
  std::uint32_t rank = 0xffffffffU;  // position in the plan's order; this: not in the plan
  std::uint16_t candidate = 0;
};

/// What some routes out of a space have in common.
struct Outlet {
  std::vector<CopyEngineId> engines;  // on all of them
  std::vector<RouteId> kinds;         // one of each that takes a time of its own; none: no route
  Bytes bytes = Bytes(-1);            // last asked for, and the time of the fastest copy of so many
  Duration fastest;
};

/// The routes out of a space, to others of its node and of other nodes, and those into it.
struct SpaceRoutes {
  bool is_known = false;
  Outlet near, far;
  std::vector<CopyEngineId> inward;  // engines on all routes into the space
};

/// Where any of an array is: compact replicas, and tasks mapped but not issued that access it.
struct Presence {
  SpaceId space;
  std::uint32_t replicas = 0, planned = 0;
};

/// One buffer of a task in one space: a region with both modes of all accesses to it.
struct Operand {
  RegionId region;
  SpaceId space;
  bool is_read = false, is_written = false;
  bool is_aside =
      false;  // on the home space, but not in the home slot (overlaps a written operand)
  ReplicaId replica;
};

struct PolicySet {
  std::unique_ptr<Mapper> mapper;
  std::unique_ptr<Order> order;
  std::unique_ptr<Prefetcher> prefetcher;
  std::unique_ptr<Evictor> evictor;
  std::unique_ptr<Source> source;
};

class EngineState {
 public:
  EngineState(const Program& program_in, const Machine& machine_in, EngineOptions options_in)
      : program(program_in),
        machine(machine_in),
        options(std::move(options_in)),
        directory(program_in, machine_in),
        view(*this) {}
  EngineState(const EngineState&) = delete;
  EngineState& operator=(const EngineState&) = delete;

  const Program& program;
  const Machine& machine;
  const EngineOptions options;
  PolicySet policies;

  Time now;
  CommandTable commands;
  Directory directory;
  View view;

  // tasks
  IdVector<TaskId, TaskState> tasks;
  Successors successors;
  LongVector<Edge> edges;
  mutable std::vector<TaskClass> classes;  // indexes in them are made when a policy first asks
  std::unordered_multimap<std::uint64_t, std::uint32_t> classes_by_hash;  // looked up only
  IdVector<PlacementId, std::vector<Candidate>> placements;               // resolved
  std::vector<TaskId> unsorted;  // ready, without a key yet
  std::vector<Ranked> ready;     // a heap
  std::vector<Ranked> deferred;  // by the mapper, until the next step
  std::size_t classified = 0, submitted = 0, issued_tasks = 0, finished_tasks = 0;
  std::uint32_t mapped_tasks = 0;
  bool is_closed = false, is_planned = false, is_finished = false, has_failed = false;
  bool is_paused = false;  // at a task that is observed, until all that was issued has finished
  std::vector<CommandId> stopped_commands;
  std::vector<SpaceId> lost_spaces;  // after a failure
  bool any_returns_home = false;     // some array has at_end "home"; else open_accesses is not kept
  IdVector<ArrayId, std::uint32_t> open_accesses;  // by tasks submitted and not issued
  IdVector<ArrayId, char> is_home_again;           // at_end "home" has been seen to
  std::unordered_map<std::uint32_t, std::vector<ReplicaPlace>> told_victims;  // by task
  // Indexes made when a policy first asks.
  mutable IdVector<TaskId, Duration> bottom_levels;
  mutable IdVector<RegionId, std::vector<TaskId>> uses;  // tasks by region, in submission order
  mutable IdVector<RegionId, std::size_t> next_use;      // position in `uses`
  mutable std::size_t indexed_uses = 0;                  // tasks in `uses` so far

  // devices and memory
  IdVector<DeviceId, DeviceState> devices;
  IdVector<SpaceId, SpaceState> spaces;
  IdVector<ReplicaId, std::uint32_t> replica_place;  // position in SpaceState::replicas
  IdVector<CopyEngineId, Time> engine_free;
  IdVector<RouteId, Time> route_free;                          // for routes without engines
  mutable IdVector<ArrayId, InlineList<Presence, 4>> present;  // empty until a policy asks
  mutable bool keeps_presence = false;
  std::vector<DeviceId> awake;   // may have something to issue
  std::vector<DeviceId> roused;  // those of the round that is under way
  IdVector<DeviceId, char> is_awake;
  std::vector<DeviceId>
      blocked;  // their next task, a group, waits for the window of another device
  /// Devices whose next task the order holds back until the task that is the key has been issued.
  std::unordered_map<std::uint32_t, std::vector<DeviceId>> held;
  IdVector<ReplicaId, RegionId> noted_dirty;  // what SpaceState::dirty names it with
  Bytes array_bytes, device_bytes;            // of all arrays; of all spaces that are no host's
  IdVector<TaskId, PlannedPlace> planned;     // empty without a plan
  std::uint32_t launched_tasks = 0;
  PieceId sought_piece;     // of which a source is being chosen
  ReplicaId sought_target;  // for this replica
  std::vector<InitialReplica> initial_replicas;
  bool only_idle_victims = false;

  // output of the step
  StepPool pool;
  std::vector<Command> output;

  EngineStatistics statistics;
  std::unordered_map<std::uint64_t, std::uint32_t> evicted_times;  // by (region, space)
  std::unordered_map<std::uint64_t, std::uint32_t> refetched_times;
  std::vector<Overview> overviews;
  std::vector<StateChange> state_changes;
  std::unordered_map<std::uint32_t, std::vector<StateChange>> last_states;  // by array

  // Of the task being issued; members so that their memory is kept from task to task.
  std::vector<Operand> operands;
  struct ScratchBlock {
    BlockId block;  // none: the member needs no scratch
    std::vector<CommandId> residue;
  };
  std::vector<ScratchBlock> scratch;  // by member
  std::vector<PrefetchRequest> requests;
  std::vector<ReplicaPlace> preferred_victims;  // told by the mapper, the first last
  std::vector<SourceOption> source_options;
  std::vector<CommandId> users;
  std::vector<CommandId> block_residue;  // of the block just allocated

  /// Machine::copy_duration(); that of the bytes last asked for on a route is remembered.
  [[nodiscard]] Duration copy_duration(RouteId route, Bytes bytes) const {
    RouteBrief& brief = brief_of(route);
    if (brief.bytes != bytes) {
      brief.bytes = bytes;
      brief.duration = machine.copy_duration(route, bytes);
    }
    return brief.duration;
  }
  /// When the route's engines are expected to have served all copies given so far.
  [[nodiscard]] Time route_free_time(RouteId route) const {
    const RouteBrief& brief = brief_of(route);
    Time free = now;
    if (brief.engine_count == 0) return std::max(free, route_free[route]);
    if (brief.engine_count > brief.engines.size()) {
      for (const auto& engines : machine.engines(route)) {
        for (const CopyEngineId engine : engines) free = std::max(free, engine_free[engine]);
      }
      return free;
    }
    for (std::uint32_t e = 0; e < brief.engine_count; ++e) {
      free = std::max(free, engine_free[brief.engines[e]]);
    }
    return free;
  }
  /// What estimates ask of a route, in one place. Where pairs of spaces are many, those that share
  /// an entry take it from each other: what a run uses of a million pairs is few.
  struct RouteBrief {
    RouteId route;  // none: nothing is known yet
    std::uint32_t engine_count = 0;
    std::array<CopyEngineId, 4> engines;  // if there are no more
    Bytes bytes = Bytes(-1);
    Duration duration;  // of copying `bytes`
  };
  static constexpr std::size_t kMostRouteBriefs = std::size_t{1} << 16;  // a power of two
  [[nodiscard]] RouteBrief& brief_of(RouteId id) const {
    if (route_briefs.empty()) {
      route_briefs.resize(std::min(kMostRouteBriefs, std::bit_ceil(machine.route_count())));
    }
    RouteBrief& brief = route_briefs[id.index() & (route_briefs.size() - 1)];
    if (brief.route != id) make_brief(id, brief);
    return brief;
  }
  void make_brief(RouteId id, RouteBrief& brief) const;
  mutable std::vector<RouteBrief> route_briefs;
  mutable IdVector<SpaceId, SpaceRoutes> space_routes;  // made when a policy first asks

  [[nodiscard]] const Candidate& candidate_of(TaskId task) const {
    const TaskState& state = tasks[task];
    return classes[state.task_class].candidates[state.candidate];
  }
  [[nodiscard]] Duration duration_of(TaskId task) const {
    const TaskState& state = tasks[task];
    return classes[state.task_class].durations[state.candidate];
  }
};

// ---- task classes ----
/// The host space in which an array has its home slot, and the spaces that hold it at the start.
struct Homes {
  SpaceId slot;
  std::vector<SpaceId> spaces;
};
/// Adds a fault for every name that the machine lacks.
Homes homes_of(const Machine& machine, const ArraySpec& spec, Faults& faults);
/// Candidates of placements that are new; faults of those without any.
void resolve_placements(EngineState& state, Faults& faults);
bool fits(const EngineState& state, TaskId task, const Candidate& candidate);

// ---- setup ----
Faults set_up(EngineState& state);
/// The candidates of a task, by its class; adds the class when it is new.
std::uint32_t class_of(EngineState& state, TaskId task);
/// Faults of tasks `first` up to `end` on this machine; nothing changes.
Faults check_tasks(const EngineState& state, TaskId first, TaskId end);
void admit_tasks(EngineState& state, TaskId end);
/// Bytes that the task needs at once in `space` besides home slots.
Bytes working_set(const EngineState& state, TaskId task, const Candidate& candidate, SpaceId space);
/// The task's buffers, merged by region and space.
void collect_operands(const EngineState& state, TaskId task, const Candidate& candidate,
                      std::vector<Operand>& operands);
Bytes scratch_bytes(const Alternative& alternative);

// ---- presence ----
/// Notes that a replica of the array came to the space or went.
void count_replica(EngineState& state, ArrayId array, SpaceId space, bool is_new);
/// Notes that a task was mapped to its candidate, or that it is mapped no longer.
void plan_presence(EngineState& state, TaskId task, bool is_mapped);
/// Where anything of the array is, or is planned. The first call counts all there is.
std::span<const Presence> presence_of(const EngineState& state, ArrayId array);

// ---- plan ----
/// Checks options.plan against the program's tasks, and files it by task.
Faults set_up_plan(EngineState& state);
/// Tasks of a program that has grown beyond its plan.
Faults check_plan_covers(const EngineState& state, TaskId first, TaskId end);

// ---- schedule ----
void on_task_submitted(EngineState& state, TaskId task);
/// Lists the successors of the first tasks submitted, all those before `end`.
void list_successors(EngineState& state, TaskId end);
void on_task_released(EngineState& state, TaskId task);
void on_task_issued(EngineState& state, TaskId task);
void on_task_finished(EngineState& state, TaskId task);
/// Maps and issues until nothing more can be done at this instant.
void decide(EngineState& state);
/// The tasks of a device's queue, in the order of its heap; valid until the next call for it.
std::span<const TaskId> listed_queue(const DeviceState& device);

// ---- staging ----
/// Room for all operands of the task on all its spaces, pinned, and for its scratch.
void stage(EngineState& state, TaskId task, const Candidate& candidate);
void unpin(EngineState& state);
/// A compact replica without eviction, or none.
ReplicaId try_allocate(EngineState& state, RegionId region, SpaceId space);
void evict(EngineState& state, ReplicaId replica, DropReason reason, TaskId task);
/// Drops a replica that has no valid cell left.
void drop(EngineState& state, ReplicaId replica, DropReason reason);

// ---- early write-back ----
/// A task has written the replica.
void note_dirty(EngineState& state, ReplicaId replica);
/// One copy home from each space whose link has nothing to do, where memory is short.
void write_back_early(EngineState& state);

// ---- transfer ----
/// Copies into `target` whatever of `region` is not valid there. `extra_after`: what lazy copies
/// wait for besides (a vector, not a span, which would pass through memory: mostly nothing is
/// missing, and it is not looked at).
void fetch(EngineState& state, ReplicaId target, RegionId region, CopyReason reason, TaskId task,
           const std::vector<CommandId>& extra_after);
/// Copies pieces valid in `source` to `target`; both hold them.
void give_copy(EngineState& state, ReplicaId source, ReplicaId target,
               std::span<const PieceId> pieces, CopyReason reason, TaskId task,
               std::span<const CommandId> extra_after);
/// Sorts, removes doubles and what has finished.
void compact(const EngineState& state, std::vector<CommandId>& after);

// ---- issue ----
void issue_task(EngineState& state, TaskId task);
void prefetch(EngineState& state, TaskId task);
/// "at_end": "home", once no task to come accesses the array; GPU homes when all is issued.
void bring_home(EngineState& state, ArrayId array);
void bring_all_home(EngineState& state);
/// Commands that the task's explicit dependencies (and those through 0-byte arrays) launched.
void append_timed_waits(const EngineState& state, TaskId task, std::vector<CommandId>& after);

// ---- report ----
Overview overview_of(const EngineState& state, ArrayId array);
void record_states(EngineState& state, ArrayId array, CommandId cause);
std::string stall_report(const EngineState& state);
void check_invariants(const EngineState& state);

}  // namespace parley::core
