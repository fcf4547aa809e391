// What becomes of a command, from its arrival to its end: the part of Simulation that the loop in
// simulation.cpp calls.
#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "sim/copy_timing.h"
#include "sim/simulation.h"

namespace parley::sim {
namespace {

using core::CommandId;
using core::Duration;
using core::Time;

}  // namespace

// ---- commands arrive ----

void Simulation::accept(std::span<const core::Command> commands) {
  host_.begin_issue(now_, commands.size());
  for (const core::Command& command : commands) {
    std::visit(
        [&](const auto& known) {
          if constexpr (std::is_same_v<std::decay_t<decltype(known)>, core::Finish>) {
            is_finished_ = true;
          } else {
            accept(known);
          }
        },
        command);
  }
  residency_.end_of_step(bytes_of_);
}

void Simulation::accept(const core::StartCopy& copy) {
  InFlight& slot = commands_.add(copy.id);
  slot.is_copy = true;
  slot.is_inline = slot.is_entered = false;
  slot.followers = 0;
  slot.priority = copy.priority;
  slot.queue = InFlight::kNone;
  slot.task = copy.task;
  slot.array = copy.array;
  slot.from = copy.from;
  slot.to = copy.to;
  slot.route = copy.route;
  slot.bytes = copy.bytes;
  slot.reason = copy.reason;
  slot.pending =
      1 + commands_.wait_for(copy.after, {static_cast<std::uint32_t>(copy.id.index()), false});
  if (!copy.parts.empty()) {
    const core::CopyPart& part = copy.parts.front();
    slot.first_arrival =
        residency_.use(copy.source_replica, copy.from, part.source_offset, slot.first_arrival);
    slot.first_arrival =
        residency_.use(copy.target_replica, copy.to, part.target_offset, slot.first_arrival);
  }
  if (options_.record_tasks && options_.record_boxes) {
    for (const core::CopyPart& part : copy.parts) slot.boxes.emplace_back(part.box);
  }
  slot.parts = static_cast<std::uint32_t>(std::max<std::size_t>(1, copy.parts.size()));
  if (!streams_.empty()) slot.after.assign(copy.after.begin(), copy.after.end());
  const core::SpaceId submitter = host_.submitter_of_copy(copy.from, copy.to);
  const Duration extra = machine_.route(copy.route).issue;
  if (is_joinable(copy)) {
    host_.issue_joinable_copy(copy.id, submitter, slot.parts, extra);
    slot.parts = 1;  // one launch does them
  } else {
    host_.issue_copy(copy.id, submitter, slot.parts, extra);
  }
}

void Simulation::accept(const core::LaunchTask& launch) {
  InFlight& slot = commands_.add(launch.id);
  slot.is_copy = slot.is_entered = false;
  slot.queue = InFlight::kNone;
  slot.task = launch.task;
  slot.priority = launch.priority;
  slot.alternative = launch.alternative;
  slot.milli_vcus = launch.milli_vcus;
  slot.bytes = launch.scratch_bytes;
  slot.devices.assign(launch.devices.begin(), launch.devices.end());
  slot.pending =
      1 + commands_.wait_for(launch.after, {static_cast<std::uint32_t>(launch.id.index()), false});
  for (const core::OperandBinding& operand : launch.operands) {
    if (operand.replica.is_none()) continue;
    slot.first_arrival =
        residency_.use(operand.replica, operand.space, operand.offset, slot.first_arrival);
  }
  const core::DeviceId device = launch.devices.front();
  if (!streams_.empty()) slot.after.assign(launch.after.begin(), launch.after.end());
  host_.issue_launch(launch.id, host_.submitter_of_launch(device),
                     durations_.issue_extra(launch.task, launch.alternative, device));
}

std::span<const core::CopyEngineId> Simulation::engines_of(const InFlight& copy) const {
  if (copy.is_inline) return {};  // a kernel does it
  return machine_.route(copy.route).engines;
}

void Simulation::accept(const core::DropReplica& drop) {
  const std::uint32_t number = residency_.drop(drop);
  const std::uint32_t pending = commands_.wait_for(drop.after, {number, true});
  if (number >= drops_.size()) drops_.resize(number + 1);
  drops_[number] = pending;
  if (pending == 0) residency_.drop_done(now_, number);
}

/// It is issued.
void Simulation::become_visible(CommandId id) {
  InFlight& slot = commands_[id];
  slot.issued = now_;
  slot.all_issued = host_.issued_until();
  const CommandId leader = host_.issued_with();
  if (!leader.is_none() && may_join(id, leader)) return join(id, leader);
  if (!leader.is_none()) disjoin(leader);
  if (streams_.empty()) {
    one_less_pending(id);
  } else if (streams_.may_enter(id)) {
    slot.pending += slot.followers = host_.followers();
    enter_queue(id);
    enter_held();
  } else {
    held_.push_back(id);
  }
}

void Simulation::enter_queue(CommandId id) {
  InFlight& slot = commands_[id];
  slot.entered = now_;
  const bool is_panel = !slot.is_copy && durations_.is_of_panel(slot.task, slot.alternative);
  if (!streams_.enter(id, is_panel)) one_less_pending(id);  // else what is before it there counts
}

/// Those that threads kept, in the order in which they came: one may let others in.
void Simulation::enter_held() {
  for (bool has_entered = true; has_entered;) {
    has_entered = false;
    for (std::size_t i = 0; i < held_.size();) {
      const CommandId id = held_[i];
      if (!streams_.may_enter(id)) {
        ++i;
        continue;
      }
      held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
      enter_queue(id);
      has_entered = true;
    }
  }
}

void Simulation::one_less_pending(CommandId id) {
  InFlight& slot = commands_[id];
  if (--slot.pending > 0) return;
  if (slot.leader.is_none()) {
    wait_for_servers(id);
  } else {
    one_less_pending(slot.leader);
  }
}

void Simulation::wait_for_servers(CommandId id) {
  const InFlight& slot = commands_[id];
  const auto request = static_cast<std::uint32_t>(id.index());
  if (slot.is_copy) {
    copy_engines_.enqueue(copy_key(id), request, engines_of(slot), 1);
  } else {
    devices_.enqueue(launch_key(slot.priority, id), request, slot.devices, slot.milli_vcus);
  }
}

// ---- commands run ----

void Simulation::note_if_too_long(const InFlight& copy, Duration fixed) {
  if (!copy.has_flow && fixed <= core::kLongestDuration) return;
  const auto bytes = static_cast<double>(copy.flow_bytes.count());
  const Duration alone = copy.has_flow ? flow_duration(bytes, copy.rate_limit) : Duration(0);
  if (fixed + alone <= core::kLongestDuration || !too_long_.empty()) return;
  const core::Route& route = machine_.route(copy.route);
  too_long_ = "copy of " + std::to_string(copy.bytes.count()) + " bytes from \"" +
              machine_.space(route.from).name + "\" to \"" + machine_.space(route.to).name +
              "\" of machine \"" + machine_.name() + "\"";
}

void Simulation::start_copy(CommandId id) {
  InFlight& copy = commands_[id];
  copy.start = now_;
  residency_.arrive(now_, copy.first_arrival);
  copy.flow_bytes = copy.bytes;
  start_joined(id);
  const CopyTiming timing = copy_timing(machine_, copy.route, copy.flow_bytes);
  copy.has_flow = !timing.is_fixed_only;
  copy.rate_limit = timing.rate_limit;
  Duration fixed = timing.fixed;
  if (copy.parts > 1) {  // each is started by itself
    const Duration start = machine_.copy_duration(copy.route, core::Bytes(0));
    fixed = fixed + Duration(start.count() * (std::int64_t{copy.parts} - 1));
  }
  if (!options_.copy_noise.is_none()) {
    // As if there were more or fewer bytes: slow beside others too, and the same when alone.
    const double factor =
        options_.copy_noise.factor(options_.seed_of_noise(), NoiseStream::kCopies, id.index());
    fixed = scaled(fixed, factor);
    const double bytes = std::min(static_cast<double>(copy.flow_bytes.count()) * factor,
                                  static_cast<double>(core::kMostBytes.count()));
    copy.flow_bytes = core::Bytes(std::max<std::int64_t>(1, std::llround(bytes)));
  }
  note_if_too_long(copy, fixed);
  queue_.push(now_ + fixed, {OccurrenceKind::kFlowBegins, static_cast<std::uint32_t>(id.index())});
}

void Simulation::start_launch(CommandId id) {
  InFlight& launch = commands_[id];
  launch.start = now_;
  residency_.arrive(now_, launch.first_arrival);
  change_scratch(launch, launch.bytes);
  const Duration duration = durations_.of(launch.task, launch.alternative, launch.devices);
  if (duration > core::kLongestDuration && too_long_.empty()) {
    too_long_ = "task \"" + std::string(program_.task_name(launch.task)) + "\" on machine \"" +
                machine_.name() + "\"";
  }
  const core::DeviceId first = launch.devices.front();
  launch.is_rated =
      kernel_rates_.apply_to(launch.devices) && !durations_.is_recorded_on(launch.task, first);
  if (speeds_.has_power()) {
    launch.load =
        durations_.load(launch.task, launch.alternative, first) * launch.milli_vcus / 1000;
    speeds_.add_load(now_, launch.devices, launch.load);
  }
  if (launch.is_rated) {
    launch.whole = duration;
    launch.phase = 0;
    start_kernel(id);
    return;
  }
  queue_.push(now_ + duration, {OccurrenceKind::kTaskEnds, static_cast<std::uint32_t>(id.index())});
}

void Simulation::change_scratch(const InFlight& launch, core::Bytes by) {
  if (by == core::Bytes(0)) return;
  for (const core::DeviceId device : launch.devices) {
    residency_.change(now_, machine_.device(device).space, by);
  }
}

/// Of a rated launch. Those of a group are taken as one.
void Simulation::start_kernel(CommandId id) {
  const InFlight& launch = commands_[id];
  if (launch.devices.size() == 1 && machine_.device(launch.devices[0]).streams == 0) {
    kernel_rates_.start(now_, id, launch.devices, launch.whole, {});  // shares count with streams
    return;
  }
  const auto phases = launch.devices.size() > 1
                          ? std::span<const core::KernelPhase>()
                          : durations_.phases(launch.task, launch.alternative, launch.devices[0]);
  KernelRates::Use use{1.0, durations_.kind(launch.task, launch.alternative),
                       durations_.is_of_panel(launch.task, launch.alternative)};
  if (phases.empty()) {
    use.share = durations_.share(launch.task, launch.alternative, launch.devices);
    kernel_rates_.start(now_, id, launch.devices, launch.whole, use);
    return;
  }
  const core::KernelPhase& phase = phases[launch.phase];
  use.share = phase.share;
  kernel_rates_.start(now_, id, launch.devices, scaled(launch.whole, phase.part), use);
}

/// Whether there was another.
bool Simulation::start_next_kernel(CommandId id) {
  InFlight& launch = commands_[id];
  if (!launch.is_rated || launch.devices.size() > 1) return false;
  const std::size_t count =
      durations_.phases(launch.task, launch.alternative, launch.devices[0]).size();
  if (launch.phase + 1 >= count) return false;
  kernel_rates_.end(id, launch.devices);
  ++launch.phase;
  start_kernel(id);
  return true;
}

void Simulation::begin_flow(CommandId id) {
  InFlight& copy = commands_[id];
  if (!copy.has_flow) {
    end_copy(id);
    return;
  }
  const FlowId flow = network_.start(now_, copy.route, copy.flow_bytes, copy.rate_limit);
  copy.flow = flow;
  if (flow.index() >= flows_.size()) flows_.resize(flow.index() + 1);
  flows_[flow.index()] = {id, 0, false, copy.from, copy.to, 0.0};
}

void Simulation::end_flow(CommandId id) {
  const FlowId flow = commands_[id].flow;
  if (speeds_.has_interference()) tell_rate(flow, 0.0);
  network_.end(now_, flow);
  end_copy(id);
}

void Simulation::end_copy(CommandId id) {
  InFlight& copy = commands_[id];
  copy_engines_.release(engines_of(copy), 1);
  recorder_.copy_ended(id, copy, now_);
  tell_end(id, {id, host_.submitter_of_copy(copy.from, copy.to), copy.start, now_, copy.queue,
                !is_push(copy)});
  const std::vector<CommandId> joined = std::exchange(copy.joined, {});
  tell_joined(joined);
  finish(id);
  for (const CommandId other : joined) finish(other);
}

/// A small copy away from a GPU behind what made its source. Its end is signalled.
bool Simulation::is_push(const InFlight& command) const {
  return command.is_copy && command.is_inline && command.from != command.to;
}

/// To the host. The thread of a GPU does not ask for what a push is right behind: that would take
/// as long as the push does (exec/cuda/submitter_ends.cpp). It learns of it with the push. (It
/// does, too, if it finds both late; here it is always so. Of copies that share a launch it asks.
/// Tasks of the host start `handoff` after the true end.)
void Simulation::tell_end(CommandId id, const HostThread::Ended& ended) {
  InFlight& command = commands_[id];
  if (command.is_copy && command.has_told_with) {
    tell(command.told_with, command.is_told_copy);
    command.has_told_with = false;
  }
  if (ended.is_asked && command.joined.empty() && host_.has_submitters()) {
    const auto behind = streams_.behind(id);
    if (behind && is_push(commands_[*behind])) {
      InFlight& push = commands_[*behind];
      push.told_with = ended;
      push.told_with.is_asked = false;
      push.is_told_copy = command.is_copy;
      push.has_told_with = true;
      return;
    }
  }
  tell(ended, command.is_copy);
}

void Simulation::tell(HostThread::Ended ended, bool is_copy) {
  ended.found_from = now_;
  if (!streams_.empty()) ended.turn = host_.turn_among(streams_.occupied(ended.submitter));
  if (is_copy) {
    host_.copy_done(ended);
  } else {
    host_.task_done(ended);
  }
}

/// Its last kernel does not start before it is issued. Times recorded have that in them.
bool Simulation::is_issued_until_later(const InFlight& launch) const {
  return launch.all_issued > now_ &&
         !durations_.is_recorded_on(launch.task, launch.devices.front());
}

void Simulation::end_task(CommandId id) {
  if (start_next_kernel(id)) return;
  InFlight& launch = commands_[id];
  if (is_issued_until_later(launch)) {
    if (launch.is_rated) kernel_rates_.end(id, launch.devices);
    launch.is_rated = false;
    queue_.push(launch.all_issued,
                {OccurrenceKind::kTaskEnds, static_cast<std::uint32_t>(id.index())});
    return;
  }
  if (launch.is_rated) kernel_rates_.end(id, launch.devices);
  if (speeds_.has_power()) speeds_.add_load(now_, launch.devices, -launch.load);
  change_scratch(launch, core::Bytes(0) - launch.bytes);
  devices_.release(launch.devices, launch.milli_vcus);
  recorder_.task_ended(id, launch, now_);
  tell_end(id, {id, host_.submitter_of_launch(launch.devices.front()), launch.start, now_,
                launch.queue});
  finish(id);
  ++finished_tasks_;
  report_progress();
}

/// What waited for the command waits for one less, at once or when it has been told.
void Simulation::finish(CommandId id) {
  const core::HostCosts& costs = machine_.host();
  const bool tells_later = costs.event > Duration(0) || costs.handoff > Duration(0);
  if (tells_later) ended_ = commands_[id];  // its slot goes
  if (!streams_.empty() && commands_[id].leader.is_none()) {
    if (const auto next = streams_.leave(id)) one_less_pending(*next);
  }
  for (const Waiter& waiter : commands_.finish(id)) {
    if (waiter.is_drop) {
      if (--drops_[waiter.number] == 0) residency_.drop_done(now_, waiter.number);
      continue;
    }
    const CommandId waiting(waiter.number);
    const Duration delay = tells_later ? notification(ended_, commands_[waiting]) : Duration(0);
    if (delay == Duration(0)) {
      one_less_pending(waiting);
    } else {
      queue_.push(now_ + delay, {OccurrenceKind::kNotified, waiter.number});
    }
  }
  if (!held_.empty()) enter_held();
}

/// From the end of a command to the moment at which one that waited for it may start. What is on
/// one queue follows at once: launches of a device, copies of a pair of spaces.
Duration Simulation::notification(const InFlight& ended, const InFlight& waiter) const {
  const auto is_of_host = [&](const InFlight& command) {
    if (!command.is_copy) {
      return machine_.space(machine_.device(command.devices.front()).space).is_host;
    }
    return machine_.space(command.from).is_host && machine_.space(command.to).is_host;
  };
  const bool is_host = is_of_host(ended);
  if (is_host != is_of_host(waiter)) return machine_.host().handoff;
  if (is_host) return Duration(0);
  if (ended.queue != InFlight::kNone) {
    if (!waiter.is_entered) return Duration(0);  // what has ended before is not waited for
    return ended.queue == waiter.queue ? Duration(0) : machine_.host().event;
  }
  if (ended.is_copy != waiter.is_copy) return machine_.host().event;
  const bool shares_queue = ended.is_copy ? ended.from == waiter.from && ended.to == waiter.to
                                          : ended.devices == waiter.devices;
  return shares_queue ? Duration(0) : machine_.host().event;
}

void Simulation::report_progress() {
  constexpr std::size_t kEvery = 4096;
  if (options_.progress && finished_tasks_ % kEvery == 0) {
    options_.progress(finished_tasks_, program_.task_count());
  }
}

}  // namespace parley::sim
