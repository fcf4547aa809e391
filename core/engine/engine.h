// The engine: a pure, deterministic state machine that turns events into commands. It owns the
// directory, the arenas and the policies; it reads no clock, file or random device and starts no
// thread. Two engines that see the same events give the same commands. Not shared between threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/units.h"
#include "core/coherence/overview.h"
#include "core/engine/command.h"
#include "core/engine/event.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "core/policy/plan.h"

namespace parley::core {

/// What decides. Policies as text, "name" or "name:parameter=value,..."; "" is the default.
struct EngineOptions {
  std::string mapper, order, prefetch, evict, source;
  std::uint32_t window = 8;      // issued, unfinished tasks a device; 0 = unlimited
  std::uint64_t seed = 1;        // for policies that draw random numbers
  bool evict_idle_only = false;  // prefer victims that no unfinished command uses
  /// Copy the only valid bytes of a GPU's replicas home while the link has nothing else to do, so
  /// that evicting them finds them clean: where memory is short (engine/early_write_back.cpp).
  bool writes_back_early = false;
  bool check_invariants = false;  // after every step
  bool record_states = false;     // keep state_changes()
  /// A task that shows values or expects any is issued alone: when all before it has finished, and
  /// with nothing after it until it has. What an executing driver then finds in locations() is what
  /// the task left.
  bool pauses_at_shown = false;
  /// Tasks and arrays will be added after the start: hosts keep their memory for them, and have for
  /// replicas no more than the largest working set of a task.
  bool program_grows = false;
  /// Another run's decisions, for the policies that follow a plan (shared by the runs of a
  /// comparison; nobody changes it). Checked by Engine::create.
  std::shared_ptr<const Plan> plan;
};

struct EngineStatistics {
  std::uint64_t steps = 0;
  std::uint64_t tasks_issued = 0, tasks_finished = 0;
  std::uint64_t copies = 0, prefetches = 0, evictions = 0, compactions = 0;
  Bytes bytes_copied, written_back_bytes;
  std::uint64_t refetches = 0;  // a replica brought back after its eviction
  Bytes refetched_bytes;        // of such replicas, each time
  std::uint64_t early_write_backs = 0;
};

/// A replica that was evicted and brought back, and how often.
struct Thrashing {
  /// From so many times on it is reported: one return may pay, a third shows a working set that
  /// does not fit.
  static constexpr std::uint32_t kReportedTimes = 3;
  RegionId region;
  SpaceId space;
  std::uint32_t times = 0;
  Bytes bytes;  // all these times
};

/// Where the elements of a box lie at present (logically: once their writer has finished).
struct PieceLocation {
  Box box;
  SpaceId space;
  Bytes offset;  // of the replica's first element in the slab
  RegionId replica_region;
  bool is_home_view = false;
};

/// An array's contents that a driver puts in place before the run.
struct InitialReplica {
  ArrayId array;
  SpaceId space;
  Bytes offset;
};

/// A piece of which no completely written replica is left after a failure, in a space not lost.
struct LostPiece {
  ArrayId array;
  Box box;
};

class EngineState;
class PolicyRegistry;

/// Whether EngineOptions::pauses_at_shown concerns the task.
bool is_observed(const Program& program, TaskId task);

class Engine {
 public:
  /// Checks that the program can run: names of devices and spaces, working sets against capacities
  /// (with both figures), home slots against host memory. The program may still grow, and must
  /// outlive the engine, as must the machine.
  static Result<std::unique_ptr<Engine>> create(const Program& program, const Machine& machine,
                                                const EngineOptions& options);
  /// The same with the caller's policies besides or instead of those of core/policies.
  static Result<std::unique_ptr<Engine>> create(const Program& program, const Machine& machine,
                                                const EngineOptions& options,
                                                const PolicyRegistry& registry);
  ~Engine();

  /// Handles all events of one instant, then decides. The first step must bring TasksSubmitted.
  /// `now` never decreases. Commands stay valid until the next step.
  std::span<const Command> step(Time now, std::span<const Event> events);

  /// Why tasks `first` up to, excluding, `end` of a program that has grown cannot run here; to be
  /// asked before their TasksSubmitted. Nothing changes.
  [[nodiscard]] Faults check_tasks(TaskId first, TaskId end) const;

  [[nodiscard]] bool is_finished() const;  // Finish was given
  [[nodiscard]] const EngineStatistics& statistics() const;
  /// Replicas that came back at least Thrashing::kReportedTimes times, most bytes first.
  [[nodiscard]] std::vector<Thrashing> thrashing() const;
  /// Where arrays lie at the start. Arrays added later are appended by the step that brings the
  /// first task after them, always in their home slot; a driver fills them before it performs that
  /// step's commands.
  [[nodiscard]] std::vector<InitialReplica> initial_replicas() const;
  [[nodiscard]] SpaceId home_space(ArrayId array) const;
  [[nodiscard]] Bytes home_slot(ArrayId array) const;  // offset in the home space's slab
  /// Bytes of the slab that a driver must provide for a space. A host's grows in steps that bring
  /// late arrays.
  [[nodiscard]] Bytes slab_bytes(SpaceId space) const;
  /// Bytes allocated in a space after the last step; of a host space with all home slots.
  [[nodiscard]] Bytes allocated_bytes(SpaceId space) const;
  /// Most bytes allocated in a space when a task was issued, its scratch included; so far.
  [[nodiscard]] Bytes most_allocated_bytes(SpaceId space) const;
  /// Current places of all initialised elements of an array; boxes are disjoint. After a failure:
  /// completely written ones only, without what is lost.
  [[nodiscard]] std::vector<PieceLocation> locations(ArrayId array) const;
  /// Snapshots asked for by tasks' `show`, in issue order.
  [[nodiscard]] const std::vector<Overview>& overviews() const;
  [[nodiscard]] Overview overview(ArrayId array) const;
  [[nodiscard]] const std::vector<StateChange>& state_changes() const;
  /// Why nothing can go on: what each waiting task waits for. "" when nothing waits.
  [[nodiscard]] std::string stall_report() const;
  /// After CommandFailed: what lies in `space` can no longer be read. locations() and lost_pieces()
  /// know of it; no event, so that a replay need not tell it.
  void lose_space(SpaceId space);
  /// After CommandFailed: commands that will never run, and what is lost.
  [[nodiscard]] std::vector<CommandId> cancelled() const;
  [[nodiscard]] std::vector<LostPiece> lost_pieces() const;
  /// Mapper's words on a mapped task; "" when it gives none.
  [[nodiscard]] std::string mapping_reason(TaskId task) const;
  /// Throws InvariantViolation naming the rule (design: invariants 1, 2, 5, 6, 8).
  void check_invariants() const;
  /// Read access for tests and reports.
  [[nodiscard]] const EngineState& state() const { return *state_; }

 private:
  explicit Engine(std::unique_ptr<EngineState> state);
  std::unique_ptr<EngineState> state_;
};

}  // namespace parley::core
