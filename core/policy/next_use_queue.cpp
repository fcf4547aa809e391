#include "core/policy/next_use_queue.h"

#include <algorithm>
#include <cstddef>

namespace parley::core {
namespace {

template <class T>
void grow(std::vector<T>& table, std::size_t index) {
  if (index >= table.size()) table.resize(std::max(index + 1, 2 * table.size()));
}

class SubmissionForecast final : public UseForecast {
 public:
  std::uint32_t next(const View& view, RegionId region, SpaceId) override {
    const TaskId task = view.next_use(region);
    return task.is_none() ? kNever : static_cast<std::uint32_t>(task.index());
  }
  [[nodiscard]] TaskId task_at(const View&, std::uint32_t position) const override {
    return TaskId(position);
  }
};

class PlanForecast final : public UseForecast {
 public:
  /// Constant time but for uses in other spaces between two writes.
  std::uint32_t next(const View& view, RegionId region, SpaceId space) override {
    if (!is_indexed_) index(view);
    if (region.index() >= uses_.size()) return kNever;
    Uses& uses = uses_[region.index()];
    // Arrays that start on a GPU are allocated before the engine knows any task, or has checked the
    // plan.
    while (view.launched_tasks() > 0 && uses.passed < uses.list.size() &&
           view.is_issued(task_at(view, uses.list[uses.passed].position))) {
      ++uses.passed;
    }
    for (std::size_t i = uses.passed; i < uses.list.size(); ++i) {
      if (uses.list[i].space == space) return uses.list[i].position;
      if (uses.list[i].writes) return kNever;
    }
    return kNever;
  }

  [[nodiscard]] TaskId task_at(const View& view, std::uint32_t position) const override {
    return view.plan().tasks[position].task;
  }

 private:
  struct Use {
    std::uint32_t position = 0;
    SpaceId space;
    bool writes = false;
  };
  struct Uses {
    std::vector<Use> list;  // in the plan's order
    std::size_t passed = 0;
  };

  void index(const View& view) {
    is_indexed_ = true;
    uses_.resize(view.program().region_count());
    const std::vector<PlannedTask>& tasks = view.plan().tasks;
    for (std::uint32_t position = 0; position < tasks.size(); ++position) {
      for (const Access& access : view.program().accesses(tasks[position].task)) {
        if (access.member >= tasks[position].devices.size()) continue;  // will be refused
        const DeviceId device = tasks[position].devices[access.member];
        uses_[access.region.index()].list.push_back(
            {position, view.machine().device(device).space, writes(access.mode)});
      }
    }
  }

  bool is_indexed_ = false;
  std::vector<Uses> uses_;  // by region
};

}  // namespace

std::unique_ptr<UseForecast> forecast_by_submission() {
  return std::make_unique<SubmissionForecast>();
}
std::unique_ptr<UseForecast> forecast_by_plan() { return std::make_unique<PlanForecast>(); }

void NextUseQueue::add(const View& view, ReplicaId replica) {
  if (queues_.empty()) queues_.resize(view.machine().space_count());
  const RegionId region = view.replica_region(replica);
  const SpaceId space = view.replica_space(replica);
  grow(filed_, replica.index());
  grow(regions_, region.index());
  Chain& chain = regions_[region.index()];
  filed_[replica.index()] = {region, space, forecast_->next(view, region, space), ReplicaId::none(),
                             chain.first};
  const Filed& filed = filed_[replica.index()];
  if (!filed.next.is_none()) filed_[filed.next.index()].previous = replica;
  chain.first = replica;
  queues_[space.index()].insert({filed.use, replica});
  touch(region);
}

void NextUseQueue::remove(ReplicaId replica) {
  const Filed& filed = filed_[replica.index()];
  queues_[filed.space.index()].erase({filed.use, replica});
  if (!filed.next.is_none()) filed_[filed.next.index()].previous = filed.previous;
  (filed.previous.is_none() ? regions_[filed.region.index()].first
                            : filed_[filed.previous.index()].next) = filed.next;
}

void NextUseQueue::touch(RegionId region) {
  if (regions_[region.index()].is_touched) return;
  regions_[region.index()].is_touched = true;
  touched_.push_back(region);
}

void NextUseQueue::refile_touched(const View& view) {
  for (const RegionId region : touched_) {
    Chain& chain = regions_[region.index()];
    chain.is_touched = false;
    for (ReplicaId r = chain.first; !r.is_none(); r = filed_[r.index()].next) refile(view, r);
  }
  touched_.clear();
}

/// A task that works in a home slot uses no replica, so its region is not touched: what is filed
/// under a task that has been issued is filed too near.
void NextUseQueue::refile_passed(const View& view, const Queue& queue) {
  while (!queue.empty()) {
    const auto [use, replica] = *queue.rbegin();
    if (use == UseForecast::kNever || !view.is_issued(forecast_->task_at(view, use))) return;
    if (!refile(view, replica)) return;
  }
}

/// Puts the replica where its present next use belongs; whether that changed anything.
bool NextUseQueue::refile(const View& view, ReplicaId replica) {
  Filed& filed = filed_[replica.index()];
  const std::uint32_t use = forecast_->next(view, filed.region, filed.space);
  if (use == filed.use) return false;
  Queue& queue = queues_[filed.space.index()];
  auto node = queue.extract({filed.use, replica});  // moved, not allocated anew
  filed.use = use;
  node.value().first = use;
  queue.insert(std::move(node));
  return true;
}

}  // namespace parley::core
