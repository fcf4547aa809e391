// The streams of GPUs, as queues: what is on one runs in the order in which it was put there, each
// command after the one before it has ended, whether or not it could start earlier. A command that
// waits for something elsewhere so keeps those behind it waiting, too. Which stream a command goes
// to is what the executor chooses (exec/cuda/submitter.h):
//     a launch    behind a command that it waits for, where that is the last of its stream, else
//                 behind one that it follows through others, else to the stream with the fewest;
//                 one of a panel, or one that is more urgent than all that wait, to one of as many
//                 urgent streams instead of the ordinary ones
//     a copy      to the emptier of HostCosts::copy_streams for its pair of spaces and direction
//     a small one (HostCosts::inline_copy_bytes) to another space: behind the command that it waits
//                 for if that is the last of a stream for launches; from a host: to the first
//                 stream of a GPU without launches
// Only devices with `streams` have queues. A group is on a stream of its first device.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/machine/machine.h"
#include "sim/in_flight.h"

namespace parley::sim {

class StreamQueues {
 public:
  /// Both must outlive this.
  StreamQueues(const core::Machine& machine, InFlightTable& commands);

  /// Whether any device has streams: else nothing here is of use.
  [[nodiscard]] bool empty() const { return launch_queues_.empty(); }

  /// Whether all that the command waits for is on a queue, or has ended: else a thread that issues
  /// keeps it, as no stream waits for what is on none, nor for a task of the host.
  [[nodiscard]] bool may_enter(core::CommandId id) const;
  /// The command is put on a stream now, if it needs one: InFlight::queue, and is_inline of a copy
  /// that a kernel does. Returns whether it is behind another there.
  bool enter(core::CommandId id, bool is_panel);
  /// The command shares the launch of another, and is on its stream: what follows it follows what
  /// it does.
  void join(core::CommandId id);
  /// The one right behind it on its stream. Requires: it is first there, or on none.
  [[nodiscard]] std::optional<core::CommandId> behind(core::CommandId id) const;
  /// Streams of the GPU's thread that something is on.
  [[nodiscard]] std::uint32_t occupied(core::SpaceId gpu) const { return occupied_[gpu]; }
  /// The command has ended. Returns the one that was behind it. Requires: it is first on its
  /// stream.
  std::optional<core::CommandId> leave(core::CommandId id);

 private:
  struct Launches {
    std::uint32_t first = 0;    // queue
    std::uint32_t number = 0;   // among those with streams
    std::uint32_t entered = 0;  // commands, ever
    std::uint32_t streams = 0;  // ordinary ones; as many urgent ones follow
    std::size_t ordinary = 0;   // unfinished commands on ordinary streams
    std::int32_t last_priority = 0;
  };
  struct Queue {
    std::vector<core::CommandId> commands;      // unfinished, in order
    core::SpaceId gpu = core::SpaceId::none();  // whose it is
    Launches* launches = nullptr;               // whose stream for launches it is
    bool is_ordinary = false;                   // not one of the urgent ones
    std::uint32_t newest = 0;                   // what `entered` was with the last one
  };

  [[nodiscard]] Launches* launches_of(core::SpaceId space);
  [[nodiscard]] std::uint32_t least_full(std::uint32_t first, std::uint32_t end) const;
  [[nodiscard]] std::optional<std::uint32_t> queue_behind(const InFlight& command,
                                                          std::uint32_t first,
                                                          std::uint32_t end) const;
  [[nodiscard]] std::optional<std::uint32_t> queue_before(const Launches& launches,
                                                          const InFlight& command,
                                                          std::uint32_t first,
                                                          std::uint32_t end) const;
  void gather_newest(InFlight& command) const;
  [[nodiscard]] bool is_most_urgent(const Launches& launches, std::int32_t priority) const;
  std::uint32_t queue_of_launch(Launches& launches, const InFlight& command, bool is_panel);
  std::optional<std::uint32_t> inline_queue(const InFlight& copy);
  std::optional<std::uint32_t> queue_of_copy(InFlight& copy);
  std::uint32_t copy_queues(core::SpaceId gpu, core::SpaceId other, bool is_outgoing);

  const core::Machine& machine_;
  InFlightTable& commands_;
  std::vector<Queue> queues_;
  core::IdVector<core::SpaceId, std::uint32_t> occupied_;         // queues that are not empty
  std::unordered_map<std::size_t, Launches> launch_queues_;       // by space
  std::unordered_map<std::uint64_t, std::uint32_t> copy_queues_;  // by pair and direction
};

}  // namespace parley::sim
