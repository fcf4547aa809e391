// The five policy interfaces. A policy is one file in core/policies/, one class and one
// registration line (registry.h); it keeps bookkeeping in members, returns a choice, and on request
// a reason. The engine checks every choice.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/policy/view.h"

namespace parley::core {

/// A replica named by what it holds and where; unlike ids, this outlives the replica.
struct ReplicaPlace {
  RegionId region;
  SpaceId space;
};

/// What a mapper says of one task.
struct MapChoice {
  bool is_deferred = false;           // ask again after the next event
  std::size_t candidate = 0;          // index into view.candidates(task)
  std::vector<ReplicaPlace> victims;  // to evict first, in this order, if room is needed then
};

/// Which device, or a whole plan in advance. Tasks are offered when all their dependencies have
/// been issued, most urgent (by the order policy) first.
class Mapper {
 public:
  virtual ~Mapper() = default;
  /// True: nothing is mapped before submission is closed, then plan() is called once.
  [[nodiscard]] virtual bool is_static() const { return false; }
  virtual void plan(const View&) {}
  virtual MapChoice choose(const View& view, TaskId task) = 0;
  /// Whether steal() is to be asked.
  [[nodiscard]] virtual bool can_steal() const { return false; }
  /// A device has nothing issued and nothing queued: a task queued elsewhere (not yet issued) to
  /// move here, of which choose() is then asked again; nothing to leave all as it is.
  virtual std::optional<TaskId> steal(const View&, DeviceId /*idle*/) { return std::nullopt; }
  virtual void on_finished(const View&, TaskId) {}
  /// Why the last choose() of this task answered as it did, in a sentence.
  [[nodiscard]] virtual std::string reason(const View&, TaskId) const { return {}; }
};

/// Which task of a device's queue is issued first.
class Order {
 public:
  virtual ~Order() = default;
  /// Larger keys first; ties by submission order. Asked once, when the task is queued; `device` is
  /// none while the task is not mapped yet.
  virtual std::int64_t key(const View& view, TaskId task, DeviceId device) = 0;
  /// True: pick() chooses at every issue instead (data-driven orders).
  [[nodiscard]] virtual bool is_dynamic() const { return false; }
  virtual std::size_t pick(const View&, DeviceId, std::span<const TaskId>) { return 0; }
  /// Asked when `task` would be issued next on its device: a task that must be issued before it,
  /// until which the device waits; none to let it go. The engine does not see circles.
  virtual TaskId held_until(const View&, TaskId) { return TaskId::none(); }
};

struct PrefetchRequest {
  RegionId region;
  SpaceId space;
  TaskId task;  // on whose behalf; none: the task that the prefetcher was asked about
};

/// Which copies are started before their task is issued. Requests that do not fit without eviction
/// are dropped.
class Prefetcher {
 public:
  virtual ~Prefetcher() = default;
  /// `task` was just mapped; appends requests.
  virtual void on_mapped(const View& view, TaskId task, std::vector<PrefetchRequest>& requests) = 0;
  /// `task` was just issued (its results have places); appends requests.
  virtual void on_issued(const View&, TaskId, std::vector<PrefetchRequest>&) {}
};

/// Which replica makes room. Called with every allocation, use and release, so that victims are
/// kept in an ordered structure.
class Evictor {
 public:
  virtual ~Evictor() = default;
  virtual void on_allocated(const View& view, ReplicaId replica) = 0;
  virtual void on_used(const View& view, ReplicaId replica, TaskId task) = 0;
  virtual void on_dropped(const View& view, ReplicaId replica) = 0;
  /// A replica of `space` that is not pinned, or none.
  virtual ReplicaId victim(const View& view, SpaceId space, Bytes needed) = 0;
};

/// A replica from which a piece can be copied directly.
struct SourceOption {
  ReplicaId replica;
  SpaceId space;
  Time expected_ready;
  bool is_owner = false;
};

/// Where to copy from. Options are in order of space, and never empty.
class Source {
 public:
  virtual ~Source() = default;
  virtual std::size_t choose(const View& view, std::span<const SourceOption> options, SpaceId to,
                             Bytes bytes) = 0;
};

}  // namespace parley::core
