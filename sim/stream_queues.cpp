#include "sim/stream_queues.h"

#include <algorithm>
#include <string>

#include "core/base/check.h"

namespace parley::sim {

using core::CommandId;
using core::SpaceId;

StreamQueues::StreamQueues(const core::Machine& machine, InFlightTable& commands)
    : machine_(machine), commands_(commands) {
  occupied_.resize(machine.space_count());
  for (std::size_t i = 0; i < machine.device_count(); ++i) {
    const core::Device& device = machine.device(core::DeviceId(i));
    if (device.streams == 0) continue;
    Launches launches;
    launches.first = static_cast<std::uint32_t>(queues_.size());
    launches.number = static_cast<std::uint32_t>(launch_queues_.size());
    launches.streams = static_cast<std::uint32_t>(device.streams * device.slots);
    queues_.resize(queues_.size() + 2 * std::size_t{launches.streams}, {{}, device.space});
    launch_queues_.try_emplace(device.space.index(), launches);
  }
  for (auto& [space, launches] : launch_queues_) {
    for (std::uint32_t i = 0; i < 2 * launches.streams; ++i) {
      queues_[launches.first + i].launches = &launches;
      queues_[launches.first + i].is_ordinary = i < launches.streams;
    }
  }
}

StreamQueues::Launches* StreamQueues::launches_of(SpaceId space) {
  const auto found = launch_queues_.find(space.index());
  return found == launch_queues_.end() ? nullptr : &found->second;
}

bool StreamQueues::may_enter(CommandId id) const {
  return std::ranges::all_of(commands_[id].after, [&](CommandId earlier) {
    return commands_.is_finished(earlier) || commands_[earlier].is_entered;
  });
}

bool StreamQueues::enter(CommandId id, bool is_panel) {
  InFlight& command = commands_[id];
  gather_newest(command);
  command.queue = InFlight::kNone;
  // What runs on the host is on no queue.
  command.is_entered =
      command.is_copy || !machine_.space(machine_.device(command.devices.front()).space).is_host;
  if (command.is_copy) {
    const auto queue = queue_of_copy(command);
    if (!queue) return false;
    command.queue = *queue;
  } else {
    Launches* launches = launches_of(machine_.device(command.devices.front()).space);
    if (launches == nullptr) return false;
    command.queue = queue_of_launch(*launches, command, is_panel);
  }
  Queue& queue = queues_[command.queue];
  if (Launches* launches = queue.launches) {
    command.newest[launches->number] = queue.newest = ++launches->entered;
    if (queue.is_ordinary) {
      launches->last_priority = command.priority;
      ++launches->ordinary;
    }
  }
  if (queue.commands.empty()) ++occupied_[queue.gpu];
  queue.commands.push_back(id);
  return queue.commands.size() > 1;
}

void StreamQueues::join(CommandId id) { gather_newest(commands_[id]); }

/// By GPU, the last of the commands on its streams for launches (counted from 1) that the command
/// follows.
void StreamQueues::gather_newest(InFlight& command) const {
  command.newest.assign(launch_queues_.size(), 0);
  for (const CommandId id : command.after) {
    if (commands_.is_finished(id)) continue;
    const std::vector<std::uint32_t>& earlier = commands_[id].newest;
    for (std::size_t i = 0; i < earlier.size(); ++i) {
      command.newest[i] = std::max(command.newest[i], earlier[i]);
    }
  }
}

std::optional<CommandId> StreamQueues::behind(CommandId id) const {
  const std::uint32_t queue = commands_[id].queue;
  if (queue == InFlight::kNone || queues_[queue].commands.size() < 2) return std::nullopt;
  return queues_[queue].commands[1];
}

std::optional<CommandId> StreamQueues::leave(CommandId id) {
  const InFlight& command = commands_[id];
  if (command.queue == InFlight::kNone) return std::nullopt;
  std::vector<CommandId>& queue = queues_[command.queue].commands;
  PARLEY_CHECK(!queue.empty() && queue.front() == id,
               "command " + std::to_string(id.index()) + " is not first on its stream");
  queue.erase(queue.begin());
  const Queue& stream = queues_[command.queue];
  if (stream.is_ordinary) --stream.launches->ordinary;
  if (!queue.empty()) return queue.front();
  --occupied_[stream.gpu];
  return std::nullopt;
}

std::uint32_t StreamQueues::least_full(std::uint32_t first, std::uint32_t end) const {
  std::uint32_t best = first;
  for (std::uint32_t i = first + 1; i < end; ++i) {
    if (queues_[i].commands.size() < queues_[best].commands.size()) best = i;
  }
  return best;
}

std::optional<std::uint32_t> StreamQueues::queue_behind(const InFlight& command,
                                                        std::uint32_t first,
                                                        std::uint32_t end) const {
  for (const CommandId id : command.after) {
    if (commands_.is_finished(id)) continue;
    const std::uint32_t queue = commands_[id].queue;
    if (queue < first || queue >= end) continue;
    const std::vector<CommandId>& others = queues_[queue].commands;
    if (!others.empty() && others.back() == id) return queue;
  }
  return std::nullopt;
}

/// The stream among [first, end) whose last command is one that the command follows.
std::optional<std::uint32_t> StreamQueues::queue_before(const Launches& launches,
                                                        const InFlight& command,
                                                        std::uint32_t first,
                                                        std::uint32_t end) const {
  const std::uint32_t newest = command.newest[launches.number];
  for (std::uint32_t i = first; newest > 0 && i < end; ++i) {
    if (queues_[i].newest == newest) return i;
  }
  return std::nullopt;
}

bool StreamQueues::is_most_urgent(const Launches& launches, std::int32_t priority) const {
  if (launches.ordinary == 0 || priority <= launches.last_priority) return false;
  for (std::uint32_t i = 0; i < launches.streams; ++i) {
    for (const CommandId id : queues_[launches.first + i].commands) {
      if (commands_[id].priority >= priority) return false;
    }
  }
  return true;
}

std::uint32_t StreamQueues::queue_of_launch(Launches& launches, const InFlight& command,
                                            bool is_panel) {
  std::uint32_t first = launches.first;
  if (is_panel || is_most_urgent(launches, command.priority)) first += launches.streams;
  const std::uint32_t end = first + launches.streams;
  if (const auto behind = queue_behind(command, first, end)) return *behind;
  return queue_before(launches, command, first, end).value_or(least_full(first, end));
}

std::optional<std::uint32_t> StreamQueues::inline_queue(const InFlight& copy) {
  if (copy.bytes > machine_.host().inline_copy || copy.from == copy.to) return std::nullopt;
  const bool is_from_host = machine_.space(copy.from).is_host;
  const Launches* launches = launches_of(is_from_host ? copy.to : copy.from);
  if (launches == nullptr) return std::nullopt;
  const std::uint32_t end = launches->first + 2 * launches->streams;
  if (!is_from_host) return queue_behind(copy, launches->first, end);
  const auto begin = queues_.begin();
  const bool has_launches = std::any_of(begin + launches->first, begin + end,
                                        [](const Queue& q) { return !q.commands.empty(); });
  return has_launches ? std::nullopt : std::optional(launches->first);
}

std::optional<std::uint32_t> StreamQueues::queue_of_copy(InFlight& copy) {
  copy.is_inline = false;
  if (const auto queue = inline_queue(copy)) {
    copy.is_inline = !machine_.space(copy.from).is_host;
    return queue;
  }
  const auto streams = static_cast<std::uint32_t>(machine_.host().copy_streams);
  const bool is_outgoing = !machine_.space(copy.from).is_host;
  const SpaceId gpu = is_outgoing ? copy.from : copy.to;
  if (streams == 0 || machine_.space(gpu).is_host) return std::nullopt;
  const std::uint32_t first = copy_queues(gpu, is_outgoing ? copy.to : copy.from, is_outgoing);
  return least_full(first, first + streams);
}

std::uint32_t StreamQueues::copy_queues(SpaceId gpu, SpaceId other, bool is_outgoing) {
  const auto next = static_cast<std::uint32_t>(queues_.size());
  const std::uint64_t key =
      (std::uint64_t{gpu.index()} << 32U) | (other.index() << 1U) | (is_outgoing ? 1U : 0U);
  const auto [at, is_new] = copy_queues_.try_emplace(key, next);
  if (is_new) {
    queues_.resize(queues_.size() + static_cast<std::size_t>(machine_.host().copy_streams),
                   {{}, gpu});
  }
  return at->second;
}

}  // namespace parley::sim
