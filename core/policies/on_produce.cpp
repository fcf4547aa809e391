// A datum is on its way to every consumer as soon as its producer has been issued, if the
// consumer's place is known then, as a plan makes it; what is known later is sent as soon as the
// task is mapped. A region that several tasks write is sent when the last of them has been issued.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/policy/registry.h"

namespace parley::core {
namespace {

class OnProduce final : public Prefetcher {
 public:
  explicit OnProduce(const PolicyParameters&) {}

  void on_mapped(const View& view, TaskId task, std::vector<PrefetchRequest>& requests) override {
    const auto devices = view.devices_of(task);
    if (devices.empty()) return;
    for (const Access& access : view.program().accesses(task)) {
      if (reads(access.mode)) request(view, task, access, devices, requests);
    }
  }

  void on_issued(const View& view, TaskId task, std::vector<PrefetchRequest>& requests) override {
    if (!view.has_plan()) return;
    index(view.program());
    for (std::size_t i = first_[task.index()]; i < first_[task.index() + 1]; ++i) {
      const TaskId consumer = consumers_[i];
      if (view.program().task(consumer).kind == TaskKind::kEvict) continue;
      const auto devices = view.planned_devices(consumer);
      for (const Access& access : view.program().accesses(consumer)) {
        if (!reads(access.mode) || !feeds(view.program(), task, access.region)) continue;
        if (is_complete(view, consumer, access.region)) {
          request(view, consumer, access, devices, requests);
        }
      }
    }
  }

 private:
  static void request(const View& view, TaskId task, const Access& access,
                      std::span<const DeviceId> devices, std::vector<PrefetchRequest>& requests) {
    const SpaceId space = view.machine().device(devices[access.member]).space;
    if (view.missing_bytes(access.region, space) == Bytes(0)) return;
    requests.push_back({access.region, space, task});
  }

  /// Whether the task writes any of the region.
  static bool feeds(const Program& program, TaskId task, RegionId id) {
    const Region& region = program.region(id);
    for (const Access& access : program.accesses(task)) {
      if (!writes(access.mode)) continue;
      const Region& written = program.region(access.region);
      if (written.array != region.array) continue;
      if (access.region == id || intersection(written.box, region.box)) return true;
    }
    return false;
  }

  /// Whether all that the consumer waits for and that writes any of the region has been issued.
  static bool is_complete(const View& view, TaskId consumer, RegionId region) {
    const auto dependencies = view.program().dependencies(consumer);
    return std::all_of(dependencies.begin(), dependencies.end(), [&](TaskId on) {
      return view.is_issued(on) || !feeds(view.program(), on, region);
    });
  }

  /// Lists by task who depends on it; anew when the program has grown.
  void index(const Program& program) {
    const std::size_t tasks = program.task_count();
    if (first_.size() == tasks + 1) return;
    first_.assign(tasks + 1, 0);
    for (std::size_t t = 0; t < tasks; ++t) {
      for (const TaskId on : program.dependencies(TaskId(t))) ++first_[on.index() + 1];
    }
    for (std::size_t t = 0; t < tasks; ++t) first_[t + 1] += first_[t];
    consumers_.resize(first_.back());
    std::vector<std::size_t> next(first_.begin(), first_.end() - 1);
    for (std::size_t t = 0; t < tasks; ++t) {
      for (const TaskId on : program.dependencies(TaskId(t))) {
        consumers_[next[on.index()]++] = TaskId(t);
      }
    }
  }

  std::vector<std::size_t> first_;  // by task: where its part of consumers_ begins
  std::vector<TaskId> consumers_;
};

}  // namespace

PARLEY_POLICY(on_produce, Prefetcher, OnProduce,
              {"Data are copied to where a plan has their consumers as soon as they are produced.",
               "downloads of Estee's workers (Beranek, Bohm, Cima 2022)",
               {}})

}  // namespace parley::core
