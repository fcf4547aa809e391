// The replica whose region is needed last makes room (Belady 1966), as far as the submitted tasks
// tell: the distance is in submission order, not in time, and only tasks that access exactly this
// region count. Belady counts misses; here waiting and write-backs cost as well (compare
// clean-first LRU: Park, Jung, Kang, Kim, Lee 2006). So of the `look` replicas needed last, one
// that no unfinished command uses goes first, then the one that moves the fewest bytes, back home
// and here again.
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
    ReplicaId best;
    Cost least;
    std::size_t seen = 0;
    for (auto it = queue.begin(); it != queue.end() && seen < look_ && least != Cost::none();) {
      const auto [use, replica] = *it;
      if (!view.is_pinned(replica)) {
        if (refile(view, replica)) {  // tasks were submitted that need it sooner
          it = queue.begin();
          continue;
        }
        ++seen;
        const Cost cost = cost_of(view, use, replica);
        if (best.is_none() || cost < least) {
          best = replica;
          least = cost;
        }
      }
      ++it;
    }
    return best;
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

  struct Cost {
    bool is_in_use = true;
    Bytes bytes = Bytes::max();
    static constexpr Cost none() { return {false, Bytes(0)}; }
    auto operator<=>(const Cost&) const = default;
  };

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

  /// First whether the new owner of the memory must wait, then the bytes that evicting it moves:
  /// back home, and here again for the next use.
  static Cost cost_of(const View& view, TaskId use, ReplicaId replica) {
    const Bytes back_home = view.sole_bytes(replica);
    return {!view.is_idle(replica),
            use.is_none() ? back_home : back_home + view.replica_bytes(replica)};
  }

  std::size_t look_;
  std::vector<Entry> entries_;  // by replica
  std::vector<Chain> regions_;  // by region
  std::vector<Queue> spaces_;
  std::vector<RegionId> touched_;
};

}  // namespace

PARLEY_POLICY(
    next_use, Evictor, NextUse,
    {"Of the replicas needed last, one that is idle and moves the fewest bytes makes room.",
     "Belady 1966 in the order of submission, with costs as in clean-first LRU (Park et al. 2006)",
     {{"look", "replicas", 1, 100000, 64, "among how many needed last the cheapest is sought",
       true}}})

}  // namespace parley::core
