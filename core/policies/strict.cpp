// Tasks are issued exactly in the plan's order, whatever else could go first. Over all devices,
// this fixes every state that the coherence directory goes through; on each device by itself,
// devices do not wait for each other beyond what data ask for. Issued is not started: of a window's
// tasks, those whose operands are there start first. A window of 1 makes starts follow the order as
// well.
#include <vector>

#include "core/policy/registry.h"

namespace parley::core {
namespace {

class Strict final : public Order {
 public:
  explicit Strict(const PolicyParameters& parameters) : is_global_(parameters["global"] > 0.0) {}

  std::int64_t key(const View& view, TaskId task, DeviceId) override {
    return -std::int64_t{view.planned_rank(task)};
  }

  TaskId held_until(const View& view, TaskId task) override {
    if (!is_global_) return held_by_devices(view, task);
    const std::uint32_t rank = view.planned_rank(task);
    if (rank == 0) return TaskId::none();
    const TaskId before = view.plan().tasks[rank - 1].task;
    return view.is_issued(before) ? TaskId::none() : before;
  }

 private:
  /// The first unissued task of those directly before this one on its devices.
  TaskId held_by_devices(const View& view, TaskId task) {
    if (first_.empty()) index(view);
    const std::uint32_t rank = view.planned_rank(task);
    for (std::size_t i = first_[rank]; i < first_[rank + 1]; ++i) {
      if (!before_[i].is_none() && !view.is_issued(before_[i])) return before_[i];
    }
    return TaskId::none();
  }

  void index(const View& view) {
    std::vector<TaskId> last(view.machine().device_count());
    for (const PlannedTask& planned : view.plan().tasks) {
      first_.push_back(before_.size());
      for (const DeviceId device : planned.devices) {
        before_.push_back(last[device.index()]);
        last[device.index()] = planned.task;
      }
    }
    first_.push_back(before_.size());
  }

  bool is_global_;
  std::vector<std::size_t> first_;  // by rank: where its part of before_ begins
  std::vector<TaskId> before_;      // by member: the task before on its device, or none
};

}  // namespace

PARLEY_POLICY(strict, Order, Strict,
              {"Tasks are issued exactly in the order of the plan (--plan).",
               "strict per-worker order of Estee (Beranek, Bohm, Cima 2022)",
               {{"global", "", 0, 1, 1,
                 "1: in one order over all devices; 0: on each device by itself", true}},
               PlanUse::kTasks})

}  // namespace parley::core
