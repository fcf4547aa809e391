// The replica whose region is needed last makes room (Belady 1966), as far as the submitted tasks
// tell: the distance is in submission order, not in time, and only tasks that access exactly this
// region count. Among replicas that no known task needs again, those are preferred that cost the
// least to write back.
//
// A region's next use moves on when a task that accesses it is issued, for its replicas in all
// spaces, of which the engine reports only the one used. So the replicas of a region are chained,
// and the regions touched since the last victim are filed again before the next.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "core/policy/registry.h"

namespace parley::core {
namespace {

class NextUse final : public Evictor {
 public:
  explicit NextUse(const PolicyParameters& parameters)
      : look_(static_cast<std::size_t>(parameters["look"])) {}

  void on_allocated(const View& view, ReplicaId replica) override {
    if (spaces_.empty()) spaces_.resize(view.machine().space_count());
    const RegionId region = view.replica_region(replica);
    grow(entries_, replica.index());
    grow(regions_, region.index());
    Entry& entry = entries_[replica.index()];
    entry = {region, view.replica_space(replica), view.next_use(region), ReplicaId::none(),
             regions_[region.index()].first};
    if (!entry.next.is_none()) entries_[entry.next.index()].previous = replica;
    regions_[region.index()].first = replica;
    spaces_[entry.space.index()].insert({entry.use, replica});
    touch(region);
  }

  void on_used(const View& view, ReplicaId replica, TaskId) override {
    touch(view.replica_region(replica));
  }

  void on_dropped(const View&, ReplicaId replica) override {
    const Entry& entry = entries_[replica.index()];
    spaces_[entry.space.index()].erase({entry.use, replica});
    if (!entry.next.is_none()) entries_[entry.next.index()].previous = entry.previous;
    (entry.previous.is_none() ? regions_[entry.region.index()].first
                              : entries_[entry.previous.index()].next) = entry.next;
  }

  ReplicaId victim(const View& view, SpaceId space, Bytes) override {
    if (spaces_.empty()) return ReplicaId::none();
    refile_touched(view);
    const Queue& queue = spaces_[space.index()];
    refile_passed(view, queue);
    for (auto it = queue.begin(); it != queue.end();) {
      if (view.is_pinned(it->second)) {
        ++it;
      } else if (refile(view, it->second)) {
        it = queue.begin();  // tasks were submitted that need it sooner
      } else {
        return it->first.is_none() ? cheapest(view, queue, it) : it->second;
      }
    }
    return ReplicaId::none();
  }

 private:
  /// Farthest use first; `none` is farther than all. Ties: the lowest replica.
  struct Farther {
    bool operator()(const std::pair<TaskId, ReplicaId>& a,
                    const std::pair<TaskId, ReplicaId>& b) const {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    }
  };
  using Queue = std::set<std::pair<TaskId, ReplicaId>, Farther>;
  static_assert(TaskId::kNone == static_cast<std::uint32_t>(-1), "none must compare as the last");

  struct Entry {
    RegionId region;
    SpaceId space;
    TaskId use;
    ReplicaId previous, next;  // of the same region
  };
  struct Chain {
    ReplicaId first;
    bool is_touched = false;
  };

  template <class T>
  static void grow(std::vector<T>& table, std::size_t index) {
    if (index >= table.size()) table.resize(std::max(index + 1, 2 * table.size()));
  }

  void touch(RegionId region) {
    if (regions_[region.index()].is_touched) return;
    regions_[region.index()].is_touched = true;
    touched_.push_back(region);
  }

  void refile_touched(const View& view) {
    for (const RegionId region : touched_) {
      Chain& chain = regions_[region.index()];
      chain.is_touched = false;
      for (ReplicaId r = chain.first; !r.is_none(); r = entries_[r.index()].next) refile(view, r);
    }
    touched_.clear();
  }

  /// A task that works in a home slot uses no replica, so its region is not touched: what is filed
  /// under a task that has been issued is filed too near.
  void refile_passed(const View& view, const Queue& queue) {
    while (!queue.empty()) {
      const auto [use, replica] = *queue.rbegin();
      if (use.is_none() || !view.is_issued(use) || !refile(view, replica)) return;
    }
  }

  /// Puts the replica where its present next use belongs; whether that changed anything.
  bool refile(const View& view, ReplicaId replica) {
    Entry& entry = entries_[replica.index()];
    const TaskId use = view.next_use(entry.region);
    if (use == entry.use) return false;
    Queue& queue = spaces_[entry.space.index()];
    auto node = queue.extract({entry.use, replica});  // moved, not allocated anew
    entry.use = use;
    node.value().first = use;
    queue.insert(std::move(node));
    return true;
  }

  /// Of the first `look` replicas never needed again, the one with the fewest bytes to write back.
  [[nodiscard]] ReplicaId cheapest(const View& view, const Queue& queue,
                                   Queue::const_iterator it) const {
    ReplicaId best = it->second;
    Bytes best_cost = view.sole_bytes(best);
    for (std::size_t seen = 1; seen < look_ && best_cost > Bytes(0); ++seen) {
      if (++it == queue.end() || !it->first.is_none()) break;
      if (view.is_pinned(it->second) || !view.next_use(view.replica_region(it->second)).is_none()) {
        continue;
      }
      const Bytes cost = view.sole_bytes(it->second);
      if (cost >= best_cost) continue;
      best = it->second;
      best_cost = cost;
    }
    return best;
  }

  std::size_t look_;
  std::vector<Entry> entries_;  // by replica
  std::vector<Chain> regions_;  // by region
  std::vector<Queue> spaces_;
  std::vector<RegionId> touched_;
};

}  // namespace

PARLEY_POLICY(next_use, Evictor, NextUse,
              {"The replica whose region the submitted tasks need last makes room.",
               "Belady 1966, with the order of submission for the future",
               {{"look", "replicas", 1, 1024, 8,
                 "among how many never needed again the cheapest to write back is sought", true}}})

}  // namespace parley::core
