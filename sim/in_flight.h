// The commands that a driver has been given and has not finished, by id, and who waits for them.
// Ids ascend without gaps, so a command is found by its number; slots come in chunks that are used
// again once all their commands have finished, so the storage follows the commands in flight rather
// than the length of the run. Nothing is allocated per command in the long run.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/engine/command.h"
#include "core/graph/box.h"
#include "sim/host_thread.h"
#include "sim/network.h"

namespace parley::sim {

/// Who waits for a command: another command, or a dropped replica.
struct Waiter {
  std::uint32_t number = 0;  // a command id, or the number of a drop
  bool is_drop = false;
};

/// What must be kept of a command until it has finished; its own spans do not last as long.
struct InFlight {
  static constexpr std::uint32_t kNone = 0xffffffff;

  bool is_finished = true;
  bool is_copy = false;
  bool has_flow = false;    // a copy, once started: more than its fixed part
  bool is_rated = false;    // a launch, once started: KernelRates knows it
  bool is_entered = false;  // where there are streams: on a queue, or past it
  bool is_inline = false;   // a copy, once visible: on a stream for launches, by a kernel
  bool has_told_with = false, is_told_copy = false;  // told_with; whether that was a copy
  core::CopyReason reason = core::CopyReason::kFetch;
  std::uint16_t alternative = 0;  // of a launch
  std::int32_t priority = 0;
  std::uint32_t pending = 0;  // unfinished commands that it waits for, and its own issue
  std::uint32_t first_waiter = kNone;
  std::uint32_t first_arrival = kNone;  // replicas whose bytes appear when it starts
  core::TaskId task;
  std::int32_t milli_vcus = 0;  // of a launch, as the next
  double load = 0.0;            // part of its devices' peak; only where power counts
  core::RouteId route;          // of a copy, as all that follows but `devices`
  core::SpaceId from, to;
  core::ArrayId array;
  core::Bytes bytes;  // of a launch: its scratch on each of its devices
  std::uint32_t parts = 1;
  std::uint32_t followers = 0;  // issued with it, whether or not they share its launch
  core::Bytes flow_bytes;       // that flow: other than `bytes` with noise
  double rate_limit = 0.0;
  FlowId flow;  // once it has begun
  core::Time issued, start;
  core::Time entered;                   // where there are streams, once is_entered
  core::CommandId leader;               // of a copy, once visible: whose launch it shares, or none
  HostThread::Ended told_with;          // of a copy: the end before it, told with its own
  core::Duration whole;                 // of a launch, once started: all its kernels, alone
  std::uint32_t phase = 0;              // which of them runs
  core::Time all_issued;                // of a launch: the last of its kernels, too
  std::uint32_t queue = kNone;          // its stream, once visible (StreamQueues)
  std::vector<core::CommandId> after;   // as told; only where there are streams, as the next
  std::vector<std::uint32_t> newest;    // by GPU: what it follows there (StreamQueues)
  std::vector<core::DeviceId> devices;  // of a launch
  std::vector<core::Box> boxes;         // of a copy, if copies are recorded
  std::vector<core::CommandId> joined;  // copies that share its launch
};

class InFlightTable {
 public:
  /// A slot for the command that follows the last one added: waiters, arrivals and lists are empty,
  /// all else is as an earlier user left it.
  InFlight& add(core::CommandId id);
  /// Requires: added and not finished.
  InFlight& operator[](core::CommandId id) {
    return chunks_[id.index() / kChunk]->slots[id.index() % kChunk];
  }
  [[nodiscard]] bool is_finished(core::CommandId id) const {
    const Chunk* chunk = chunks_[id.index() / kChunk].get();
    return chunk == nullptr || chunk->slots[id.index() % kChunk].is_finished;
  }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
  [[nodiscard]] std::size_t chunks_in_use() const;

  /// `waiter` waits for those of `after` that have not finished. Returns how many.
  std::uint32_t wait_for(std::span<const core::CommandId> after, Waiter waiter);
  /// The command is finished: its slot is free. Returns those that waited for it, each as often as
  /// it named the command, in the order of their calls of wait_for; valid until the next call.
  std::span<const Waiter> finish(core::CommandId id);

 private:
  static constexpr std::size_t kChunk = 256;
  struct Chunk {
    std::array<InFlight, kChunk> slots;
    std::size_t finished = 0;
  };
  struct WaiterNode {
    Waiter waiter;
    std::uint32_t next = InFlight::kNone;
  };

  std::vector<std::unique_ptr<Chunk>> chunks_;  // by id / kChunk; null once all have finished
  std::vector<std::unique_ptr<Chunk>> spare_;
  std::vector<WaiterNode> nodes_;
  std::uint32_t free_node_ = InFlight::kNone;
  std::vector<Waiter> released_;
  std::size_t next_id_ = 0;
  std::size_t in_flight_ = 0;
};

}  // namespace parley::sim
