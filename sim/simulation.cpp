#include "sim/simulation.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/policy/view.h"

namespace parley::sim {
namespace {

using core::CommandId;
using core::Duration;
using core::Time;

core::IdVector<core::DeviceId, std::int64_t> device_units(const core::Machine& machine) {
  core::IdVector<core::DeviceId, std::int64_t> units;
  for (const core::Device& device : machine.spec().devices) {
    // As many urgent streams again.
    units.push_back(std::int64_t{1000} * device.slots * std::max(1, 2 * device.streams));
  }
  return units;
}

core::IdVector<core::CopyEngineId, std::int64_t> engine_units(const core::Machine& machine) {
  core::IdVector<core::CopyEngineId, std::int64_t> units;
  for (const core::CopyEngine& engine : machine.spec().engines) units.push_back(engine.slots);
  return units;
}

}  // namespace

Simulation::Simulation(const core::Program& program, const core::Machine& machine,
                       core::Engine& engine, const SimOptions& options, Durations& durations)
    : program_(program),
      machine_(machine),
      engine_(engine),
      options_(options),
      durations_(durations),
      host_(machine, options.host_slowdown),
      streams_(machine, commands_),
      devices_(device_units(machine)),
      copy_engines_(engine_units(machine)),
      network_(machine),
      speeds_(machine, options.has_power),
      kernel_rates_(machine, speeds_.changes()),
      residency_(machine.space_count(), options.record_residency),
      recorder_(machine, options.record_tasks) {
  // Between steps only home slots are pinned.
  bytes_of_ = [view = core::View(engine_.state())](core::ReplicaId replica) {
    return view.is_pinned(replica) ? core::Bytes(0) : view.replica_bytes(replica);
  };
}

void Simulation::place_initial_replicas() {
  for (std::size_t i = 0; i < program_.array_count(); ++i) {
    const core::ArrayId array(i);
    residency_.reserve_home(engine_.home_space(array), program_.array(array).bytes);
  }
  for (const core::InitialReplica& replica : engine_.initial_replicas()) {
    const bool is_home = replica.space == engine_.home_space(replica.array) &&
                         replica.offset == engine_.home_slot(replica.array);
    if (is_home) continue;
    residency_.place_initial(replica.space, replica.offset, program_.array(replica.array).bytes);
  }
}

void Simulation::list_releases() {
  for (std::size_t i = 0; i < program_.task_count(); ++i) {
    const core::TaskId task(i);
    if (program_.task(task).release > Time(0)) {
      releases_.push_back({program_.task(task).release, task});
    }
  }
  std::ranges::stable_sort(releases_, {}, &Release::at);
}

// ---- the loop ----

core::Result<core::RunRecord> Simulation::run() {
  place_initial_replicas();
  list_releases();
  host_.submit_all(core::TaskId(program_.task_count()));
  while (!is_finished_) {
    const Time next = next_time();
    PARLEY_CHECK(next != Time::max(), stall_text());
    if (!too_long_.empty())
      return core::Fault{too_long_, "takes more than 1e6 s, the most that is simulated"};
    if (next > Time(0) + core::kLongestRun) {
      return core::Fault{"workload \"" + program_.name() + "\"",
                         "takes more than 1e9 s of simulated time on machine \"" + machine_.name() +
                             "\": tasks too long, or links too slow"};
    }
    advance_to(next);
  }
  PARLEY_CHECK(commands_.in_flight() == 0, "the engine finished before its commands");
  core::RunRecord record = recorder_.take();
  record.deciding = host_.deciding();
  record.commands = host_.commands();
  record.peak_bytes = residency_.peak();
  record.residency = residency_.take_samples();
  return record;
}

Time Simulation::next_time() const {
  const Time release = next_release_ < releases_.size() ? releases_[next_release_].at : Time::max();
  const Time empty = speeds_.has_power() ? speeds_.next_empty() : Time::max();
  return std::min({queue_.next_time(), host_.next_visible(), host_.next_step(), release, empty});
}

/// Everything of one instant.
void Simulation::advance_to(Time now) {
  now_ = now;
  do {
    happen();
    start_commands();
    settle_network();
    settle_kernels();
  } while (queue_.next_time() == now_ || decide());
}

/// What is due now, apart from decisions.
void Simulation::happen() {
  while (queue_.next_time() == now_) {
    const Occurrence occurrence = queue_.pop();
    switch (occurrence.kind) {
      case OccurrenceKind::kFlowBegins:
        begin_flow(CommandId(occurrence.subject));
        break;
      case OccurrenceKind::kFlowEnds:
        end_flow(CommandId(occurrence.subject));
        break;
      case OccurrenceKind::kTaskEnds:
        end_task(CommandId(occurrence.subject));
        break;
      case OccurrenceKind::kNotified:
        one_less_pending(CommandId(occurrence.subject));
        break;
    }
  }
  while (host_.next_visible() == now_) {
    become_visible(host_.take_visible());
  }
  while (next_release_ < releases_.size() && releases_[next_release_].at == now_) {
    host_.task_released(now_, releases_[next_release_++].task);
  }
}

void Simulation::start_commands() {
  for (const std::uint32_t id : copy_engines_.start_ready()) start_copy(CommandId(id));
  for (const std::uint32_t id : devices_.start_ready()) start_launch(CommandId(id));
}

void Simulation::settle_network() {
  for (const Network::Retimed& retimed : network_.settle(now_)) {
    if (speeds_.has_interference()) tell_rate(retimed.flow, network_.rate(retimed.flow));
    FlowEntry& flow = flows_[retimed.flow.index()];
    if (flow.has_end) {
      queue_.move(flow.end, retimed.end);
    } else {
      const auto subject = static_cast<std::uint32_t>(flow.copy.index());
      flow.end = queue_.push(retimed.end, {OccurrenceKind::kFlowEnds, subject});
      flow.has_end = true;
    }
  }
}

void Simulation::tell_rate(FlowId flow, double rate) {
  FlowEntry& entry = flows_[flow.index()];
  if (rate >= Network::kFastest) rate = 0.0;  // over at once: nobody notices
  speeds_.add_traffic(entry.from, entry.to, rate - entry.rate);
  entry.rate = rate;
}

void Simulation::settle_kernels() {
  if (speeds_.changes()) {
    for (const DeviceSpeeds::Change& change : speeds_.settle(now_)) {
      kernel_rates_.set_speed(change.device, change.speed);
    }
  }
  for (const KernelRates::Retimed& retimed : kernel_rates_.settle(now_)) {
    if (!retimed.is_new) {
      queue_.move(kernel_ends_[retimed.number], retimed.end);
      continue;
    }
    if (retimed.number >= kernel_ends_.size()) kernel_ends_.resize(retimed.number + 1);
    const auto subject = static_cast<std::uint32_t>(retimed.launch.index());
    kernel_ends_[retimed.number] = queue_.push(retimed.end, {OccurrenceKind::kTaskEnds, subject});
  }
}

/// One step of the engine, if the host is free and knows of anything. Returns whether it took one.
bool Simulation::decide() {
  if (host_.next_step() > now_) return false;
  const std::span<const core::Event> events = host_.take_events(now_);
  if (options_.observer != nullptr) options_.observer->on_events(now_, events);
  const std::span<const core::Command> commands = engine_.step(now_, events);
  if (options_.observer != nullptr) options_.observer->on_step(now_, events, commands);
  accept(commands);
  return true;
}

std::string Simulation::stall_text() const {
  return "stalled at " + std::to_string(now_.ns()) + " ns with " +
         std::to_string(commands_.in_flight()) + " commands in flight and " +
         std::to_string(finished_tasks_) + " of " + std::to_string(program_.task_count()) +
         " tasks finished: " + engine_.stall_report();
}

}  // namespace parley::sim
