// What a policy may see: a read-only view of the engine's state, in issue order. Estimates are in
// virtual time and come from expected costs and uncontended routes plus what is already queued; a
// policy never integrates load itself.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/graph/program.h"
#include "core/machine/cost_model.h"
#include "core/machine/machine.h"
#include "core/policy/plan.h"

namespace parley::core {

class EngineState;

class View {
 public:
  explicit View(const EngineState& state) : state_(&state) {}

  [[nodiscard]] Time now() const;
  [[nodiscard]] const Program& program() const;
  [[nodiscard]] const Machine& machine() const;

  // ---- tasks ----
  /// Ways to run the task whose working set fits; never empty.
  [[nodiscard]] std::span<const Candidate> candidates(TaskId task) const;
  /// Whether every candidate is one device.
  [[nodiscard]] bool has_single_candidates(TaskId task) const;
  /// By space, the indices of the candidates on its devices, ascending. Requires: single
  /// candidates. Good until the mapper has chosen.
  using CandidatesBySpace = IdVector<SpaceId, std::vector<std::uint16_t>>;
  [[nodiscard]] const CandidatesBySpace& candidates_by_space(TaskId task) const;
  /// The least expected duration of all candidates.
  [[nodiscard]] Duration least_duration(TaskId task) const;
  [[nodiscard]] Duration expected_duration(TaskId task, const Candidate& candidate) const;
  /// The same of all candidates(task), in their order.
  [[nodiscard]] std::span<const Duration> expected_durations(TaskId task) const;
  /// Mean expected duration over the candidates.
  [[nodiscard]] Duration mean_duration(TaskId task) const;
  /// Longest chain of mean expected durations from the task's start to the end of the program
  /// (upward rank without communication: Topcuoglu, Hariri, Wu 2002). Before submission is closed:
  /// the task's own duration.
  [[nodiscard]] Duration bottom_level(TaskId task) const;
  [[nodiscard]] std::uint32_t launched_tasks() const;  // so far: the position in a plan's lists
  /// The command that launches the task: larger ones were issued later. None before it is issued.
  [[nodiscard]] CommandId launch_of(TaskId task) const;
  [[nodiscard]] bool is_issued(TaskId task) const;
  [[nodiscard]] bool is_finished(TaskId task) const;
  [[nodiscard]] bool is_submission_closed() const;
  /// The devices a task was mapped to; empty before.
  [[nodiscard]] std::span<const DeviceId> devices_of(TaskId task) const;

  // ---- the plan that was given with the run's options ----
  [[nodiscard]] bool has_plan() const;
  /// Requires, as all of the following: has_plan().
  [[nodiscard]] const Plan& plan() const;
  /// Position in plan().tasks, which are in the order of issue. Evictions on request have none.
  [[nodiscard]] std::uint32_t planned_rank(TaskId task) const;
  [[nodiscard]] std::size_t planned_candidate(TaskId task) const;  // index into candidates(task)
  [[nodiscard]] std::span<const DeviceId> planned_devices(TaskId task) const;

  // ---- devices ----
  /// When the device is expected to have done all that is mapped to it (issued or queued).
  [[nodiscard]] Time expected_free(DeviceId device) const;
  /// Expected duration of what is mapped to the device and not finished.
  [[nodiscard]] Duration backlog(DeviceId device) const;
  [[nodiscard]] std::uint32_t issued_tasks(DeviceId device) const;  // issued, not finished
  [[nodiscard]] std::uint32_t queued_tasks(DeviceId device) const;  // mapped, not issued
  [[nodiscard]] std::uint32_t mapped_tasks() const;  // mapped, not finished, on all devices
  [[nodiscard]] std::uint32_t mapped_copies(
      DeviceId device) const;  // unfinished copies into its space
  [[nodiscard]] std::span<const TaskId> queue(
      DeviceId device) const;  // unordered, mapped not issued

  // ---- data ----
  /// Bytes of the region that are not valid in `space`.
  [[nodiscard]] Bytes missing_bytes(RegionId region, SpaceId space) const;
  /// When the region's present contents can be complete in `space`: the writers' expected ends,
  /// plus copies of what is missing behind what their engines have queued.
  [[nodiscard]] Time expected_available(RegionId region, SpaceId space) const;
  /// Whether any replica overlapping the region's array is allocated in (or mapped to) `space`:
  /// Parla's notion of presence.
  [[nodiscard]] bool array_is_present(ArrayId array, SpaceId space) const;
  /// The space whose replica copies of the region's first piece are preferred from.
  [[nodiscard]] SpaceId owner(RegionId region) const;
  /// Expected time at which the route's engines have served all copies issued so far.
  [[nodiscard]] Time expected_route_free(SpaceId from, SpaceId to) const;
  /// Machine::copy_duration(); cheap for the bytes last asked for on the route.
  [[nodiscard]] Duration copy_duration(RouteId route, Bytes bytes) const;

  /// While a source is being chosen: the elements that are to be copied, in disjoint boxes.
  [[nodiscard]] std::span<const Box> sought_boxes() const;
  [[nodiscard]] ReplicaId sought_target() const;  // and into which replica

  // ---- replicas ----
  [[nodiscard]] RegionId replica_region(ReplicaId replica) const;
  [[nodiscard]] SpaceId replica_space(ReplicaId replica) const;
  [[nodiscard]] Bytes replica_bytes(ReplicaId replica) const;  // as allocated
  /// Pinned replicas (operands of the task being issued, home slots) cannot be victims.
  [[nodiscard]] bool is_pinned(ReplicaId replica) const;
  /// Whether no unfinished command uses it.
  [[nodiscard]] bool is_idle(ReplicaId replica) const;
  /// Bytes that only this replica holds: what eviction would have to write back.
  [[nodiscard]] Bytes sole_bytes(ReplicaId replica) const;
  /// First task not yet issued, in submission order, that accesses exactly this region; none if
  /// there is none. Amortised constant time.
  [[nodiscard]] TaskId next_use(RegionId region) const;

  /// For core's own parts of policies, such as Arrivals.
  [[nodiscard]] const EngineState& state() const { return *state_; }

 private:
  const EngineState* state_;
};

}  // namespace parley::core
