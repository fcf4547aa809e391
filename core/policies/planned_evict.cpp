// The victims of the run that the plan was taken from, each after as many launches as there. Where
// that run evicted nothing (it had more memory), the replica that was used longest ago goes.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/policy/recency_list.h"
#include "core/policy/registry.h"

namespace parley::core {
namespace {

class PlannedVictims final : public Evictor {
 public:
  explicit PlannedVictims(const PolicyParameters&) {}

  void on_allocated(const View& view, ReplicaId replica) override {
    recency_.append(view, replica);
    const RegionId region = view.replica_region(replica);
    const SpaceId space = view.replica_space(replica);
    if (replicas_.empty()) replicas_.resize(view.machine().space_count());
    auto& by_region = replicas_[space.index()];
    if (region.index() >= by_region.size()) {
      by_region.resize(std::max(region.index() + 1, 2 * by_region.size()));
    }
    by_region[region.index()] = replica;
  }

  void on_used(const View& view, ReplicaId replica, TaskId) override {
    recency_.move_to_end(view, replica);
  }

  void on_dropped(const View& view, ReplicaId replica) override {
    recency_.remove(view, replica);
    replicas_[view.replica_space(replica).index()][view.replica_region(replica).index()] =
        ReplicaId::none();
  }

  ReplicaId victim(const View& view, SpaceId space, Bytes) override {
    if (next_.empty()) sort(view);
    std::vector<PlannedEviction>& planned = by_space_[space.index()];
    std::size_t& next = next_[space.index()];
    while (next < planned.size() && planned[next].position < view.launched_tasks()) ++next;
    if (next < planned.size() && planned[next].position == view.launched_tasks()) {
      const ReplicaId replica = find(planned[next]);
      if (!replica.is_none() && !view.is_pinned(replica)) {
        ++next;
        return replica;
      }
    }
    return recency_.oldest_unpinned(view, space);
  }

 private:
  void sort(const View& view) {
    by_space_.resize(view.machine().space_count());
    next_.resize(view.machine().space_count(), 0);
    for (const PlannedEviction& eviction : view.plan().evictions) {
      by_space_[eviction.space.index()].push_back(eviction);
    }
  }

  [[nodiscard]] ReplicaId find(const PlannedEviction& eviction) const {
    if (eviction.space.index() >= replicas_.size()) return ReplicaId::none();
    const auto& by_region = replicas_[eviction.space.index()];
    return eviction.region.index() < by_region.size() ? by_region[eviction.region.index()]
                                                      : ReplicaId::none();
  }

  RecencyList recency_;
  std::vector<std::vector<ReplicaId>> replicas_;  // by space and region
  std::vector<std::vector<PlannedEviction>> by_space_;
  std::vector<std::size_t> next_;  // by space
};

}  // namespace

PARLEY_POLICY_NAMED(planned_evict, "planned", Evictor, PlannedVictims,
                    {"Replicas make room that did in the run that the plan is of.",
                     "parley's own: a run replayed on another machine",
                     {},
                     PlanUse::kCopies})

}  // namespace parley::core
