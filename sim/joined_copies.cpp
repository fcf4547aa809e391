// Small copies within a GPU that share a launch: one of them, the first to be issued, leads. It
// waits for what any of them waits for, moves the bytes of all, and all end with it.
#include <algorithm>
#include <utility>

#include "sim/simulation.h"

namespace parley::sim {

using core::CommandId;

bool Simulation::is_joinable(const core::StartCopy& copy) const {
  const core::HostCosts& costs = machine_.host();
  return costs.submitters == core::Submitters::kPerGpu &&
         copy.parts.size() <= HostThread::kMostJoinedParts &&
         costs.issue_joined > core::Duration(0) && !streams_.empty() && copy.from == copy.to &&
         copy.bytes <= costs.inline_copy && !machine_.space(copy.from).is_host;
}

/// Whether the copy, issued with the leader, may share its launch. The leader must be on a queue,
/// as what it waits for is. What the copy waits for must have been there before: else it may itself
/// wait for the leader, and both would wait for ever. All wait for what one does, so that one that
/// must wait joins those of its own task only.
bool Simulation::may_join(CommandId id, CommandId leader) {
  if (commands_.is_finished(leader)) return false;
  const InFlight& first = commands_[leader];
  if (first.followers == 0 || !first.is_entered || first.entered != now_) return false;
  const bool is_of_same_task = commands_[id].task == first.task;
  return std::ranges::all_of(commands_[id].after, [&](CommandId earlier) {
    if (commands_.is_finished(earlier)) return true;
    const InFlight& before = commands_[earlier];
    if (!before.is_entered || before.entered >= now_) return false;
    return is_of_same_task || before.queue == first.queue;
  });
}

/// The leader has counted it as something to wait for.
void Simulation::join(CommandId id, CommandId leader) {
  InFlight& copy = commands_[id];
  InFlight& first = commands_[leader];
  copy.leader = leader;
  copy.queue = first.queue;
  copy.is_entered = true;
  copy.entered = now_;
  copy.is_inline = true;  // no engine of its own
  streams_.join(id);
  first.joined.push_back(id);
  one_less_pending(id);  // its issue
}

/// One that was issued with the leader goes by itself.
void Simulation::disjoin(CommandId leader) {
  if (commands_.is_finished(leader) || commands_[leader].followers == 0) return;
  one_less_pending(leader);
}

/// All bytes are moved together.
void Simulation::start_joined(CommandId leader) {
  InFlight& first = commands_[leader];
  for (const CommandId id : first.joined) {
    InFlight& copy = commands_[id];
    copy.start = now_;
    residency_.arrive(now_, copy.first_arrival);
    first.flow_bytes = first.flow_bytes + copy.bytes;
  }
}

/// Their ends are found as the leader's is, which has just been told.
void Simulation::tell_joined(std::span<const CommandId> joined) {
  for (const CommandId id : joined) {
    const InFlight& copy = commands_[id];
    recorder_.copy_ended(id, copy, now_);
    tell({id, host_.submitter_of_copy(copy.from, copy.to), copy.start, now_, copy.queue, false},
         true);
  }
}

}  // namespace parley::sim
