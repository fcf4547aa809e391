// Locality work stealing: a task is queued on the device that ran the task which made it ready,
// where its data are; a device with nothing to do takes one from its nearest neighbour that has
// any. The first tasks are dealt out in turn.
#include <algorithm>
#include <cstddef>
#include <optional>

#include "core/policy/registry.h"

namespace parley::core {
namespace {

class LocalityWorkStealing final : public Mapper {
 public:
  explicit LocalityWorkStealing(const PolicyParameters&) {}

  MapChoice choose(const View& view, TaskId task) override {
    const auto candidates = view.candidates(task);
    MapChoice choice;
    if (task == stolen_) {
      choice.candidate = index_on(view, task, thief_).value_or(0);
      stolen_ = TaskId::none();
      return choice;
    }
    if (const std::optional<std::size_t> candidate = where_released(view, task)) {
      choice.candidate = *candidate;
    } else {
      choice.candidate = next_++ % candidates.size();
    }
    return choice;
  }

  [[nodiscard]] bool can_steal() const override { return true; }

  /// Of the nearest device behind the idle one, around, that has a task which may run here: the one
  /// submitted first.
  std::optional<TaskId> steal(const View& view, DeviceId idle) override {
    const std::size_t devices = view.machine().device_count();
    for (std::size_t step = 1; step < devices; ++step) {
      const DeviceId victim((idle.index() + step) % devices);
      // One that runs nothing keeps a task that cannot be issued yet: it would go to and fro.
      if (view.issued_tasks(victim) == 0) continue;
      std::optional<TaskId> first;
      for (const TaskId task : view.queue(victim)) {
        if ((!first || task < *first) && index_on(view, task, idle)) first = task;
      }
      if (!first) continue;
      stolen_ = *first;
      thief_ = idle;
      return first;
    }
    return std::nullopt;
  }

 private:
  /// The first candidate that the device takes part in.
  static std::optional<std::size_t> index_on(const View& view, TaskId task, DeviceId device) {
    const auto candidates = view.candidates(task);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (candidates[i].devices.front() == device) return i;
    }
    return std::nullopt;
  }

  /// On the device of the task issued last of those that it depends on.
  static std::optional<std::size_t> where_released(const View& view, TaskId task) {
    TaskId last;
    for (const TaskId on : view.program().dependencies(task)) {
      if (view.launch_of(on).is_none()) continue;  // an eviction
      if (last.is_none() || view.launch_of(on) > view.launch_of(last)) last = on;
    }
    if (last.is_none()) return std::nullopt;
    return index_on(view, task, view.devices_of(last).front());
  }

  std::size_t next_ = 0;
  TaskId stolen_;
  DeviceId thief_;
};

}  // namespace

PARLEY_POLICY(
    lws, Mapper, LocalityWorkStealing,
    {"Tasks queue where what they waited for ran; idle devices take them from neighbours.",
     "StarPU's lws (locality work stealing); Blumofe, Leiserson 1999",
     {}})

}  // namespace parley::core
