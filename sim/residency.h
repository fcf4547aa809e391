// Bytes of replicas and scratch per memory space over time. A replica's bytes appear when the first
// command that uses it starts, and go when the commands that a DropReplica waits for have finished;
// a task's scratch is there while it runs. Home slots are counted from the start to the end: their
// memory is reserved for the whole run. As whoever reuses a block waits for those who used it
// before, the sum never exceeds a space's capacity.
//
// Replicas are told apart in the order of the commands, since their ids are used again.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/engine/command.h"
#include "core/journal/run_record.h"

namespace parley::sim {

class Residency {
 public:
  /// Samples are kept if `is_recorded`.
  Residency(std::size_t space_count, bool is_recorded);

  // ---- before the first command ----
  void reserve_home(core::SpaceId space, core::Bytes bytes);
  /// A replica outside the home slots that holds an array from the start.
  void place_initial(core::SpaceId space, core::Bytes offset, core::Bytes bytes);

  // ---- commands of a step, in their order ----
  static constexpr std::uint32_t kNone = 0xffffffff;
  /// A command uses `replica`, at `offset` in its space among other places. Returns `chain`, the
  /// command's arrivals so far (kNone: none), with the replica added if this is its first use.
  std::uint32_t use(core::ReplicaId replica, core::SpaceId space, core::Bytes offset,
                    std::uint32_t chain);
  /// Returns the number by which drop_done() is called once the command's `after` is done.
  std::uint32_t drop(const core::DropReplica& drop);
  /// The step's commands are all read. `bytes_of` tells the allocated bytes of a replica that
  /// exists after the step, 0 for a home slot.
  void end_of_step(const std::function<core::Bytes(core::ReplicaId)>& bytes_of);

  // ---- as time goes on ----
  void arrive(core::Time now, std::uint32_t chain);
  void drop_done(core::Time now, std::uint32_t number);

  /// Scratch comes with a task that starts, and goes, negative, with its end.
  void change(core::Time now, core::SpaceId space, core::Bytes by);

  [[nodiscard]] core::Bytes bytes(core::SpaceId space) const { return current_[space]; }
  [[nodiscard]] const core::IdVector<core::SpaceId, core::Bytes>& peak() const { return peak_; }
  [[nodiscard]] std::vector<core::ResidencySample> take_samples() { return std::move(samples_); }

 private:
  struct Arrival {
    core::SpaceId space;
    core::Bytes bytes;
    std::uint32_t next = kNone;
  };
  struct Drop {
    core::SpaceId space;
    core::Bytes bytes;
  };
  struct Initial {
    core::SpaceId space;
    core::Bytes offset, bytes;
    bool is_dropped = false;
  };
  struct Use {
    bool is_live = false;
    bool is_home = false;
    std::uint32_t unsized_arrival = kNone;  // its size is not known before the step's end
  };

  Initial* find_initial(core::SpaceId space, core::Bytes offset);
  Use& use_of(core::ReplicaId replica);

  bool is_recorded_;
  core::IdVector<core::SpaceId, core::Bytes> current_, peak_;
  std::vector<core::ResidencySample> samples_;
  std::vector<Initial> initial_;  // by space and offset; no two blocks overlap
  core::IdVector<core::ReplicaId, Use> uses_;
  std::vector<Arrival> arrivals_;
  std::uint32_t free_arrival_ = kNone;
  std::vector<core::ReplicaId> unsized_;
  std::vector<Drop> drops_;
  std::vector<std::uint32_t> free_drops_;
};

}  // namespace parley::sim
