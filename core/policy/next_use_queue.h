// Replicas by when they are needed next, the farthest first. What "next" means a UseForecast says:
// in the order of submission, or in that of a plan.
//
// A region's next use moves on when a task that accesses it is issued, for its replicas in all
// spaces, of which the engine reports only the one used. So the replicas of a region are chained,
// and the regions touched since the last victim are filed again before the next.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "core/policy/view.h"

namespace parley::core {

/// When regions are needed, as positions in some order of the tasks.
class UseForecast {
 public:
  static constexpr std::uint32_t kNever = 0xffffffffU;
  virtual ~UseForecast() = default;
  /// Position of the next task, not issued yet, that needs the region where it is: in `space`.
  virtual std::uint32_t next(const View& view, RegionId region, SpaceId space) = 0;
  /// The task at a position that next() gave.
  [[nodiscard]] virtual TaskId task_at(const View& view, std::uint32_t position) const = 0;
};

/// The first task in the order of submission that accesses exactly this region, in any space.
std::unique_ptr<UseForecast> forecast_by_submission();
/// The first task in the order of the plan that accesses exactly this region in this space, unless
/// another space writes the region before: what is there then is of no use. Requires a plan.
std::unique_ptr<UseForecast> forecast_by_plan();

class NextUseQueue {
 public:
  explicit NextUseQueue(std::unique_ptr<UseForecast> forecast) : forecast_(std::move(forecast)) {}

  [[nodiscard]] const UseForecast& forecast() const { return *forecast_; }

  void add(const View& view, ReplicaId replica);
  void use(const View& view, ReplicaId replica) { touch(view.replica_region(replica)); }
  void remove(ReplicaId replica);

  /// Calls `visit(use, replica)` for the replicas of the space that may go, the farthest use first,
  /// ties by lowest replica, until it answers false.
  template <class Visit>
  void visit_farthest(const View& view, SpaceId space, Visit&& visit) {
    if (queues_.empty()) return;
    refile_touched(view);
    const Queue& queue = queues_[space.index()];
    refile_passed(view, queue);
    for (auto it = queue.begin(); it != queue.end();) {
      const auto [use, replica] = *it;
      if (!view.is_pinned(replica)) {
        if (refile(view, replica)) {  // tasks were submitted that need it sooner
          it = queue.begin();
          continue;
        }
        if (!visit(use, replica)) return;
      }
      ++it;
    }
  }

 private:
  struct Farther {
    bool operator()(const std::pair<std::uint32_t, ReplicaId>& a,
                    const std::pair<std::uint32_t, ReplicaId>& b) const {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    }
  };
  using Queue = std::set<std::pair<std::uint32_t, ReplicaId>, Farther>;

  struct Filed {
    RegionId region;
    SpaceId space;
    std::uint32_t use = UseForecast::kNever;
    ReplicaId previous, next;  // of the same region
  };
  struct Chain {
    ReplicaId first;
    bool is_touched = false;
  };

  void touch(RegionId region);
  void refile_touched(const View& view);
  void refile_passed(const View& view, const Queue& queue);
  bool refile(const View& view, ReplicaId replica);

  std::unique_ptr<UseForecast> forecast_;
  std::vector<Filed> filed_;    // by replica
  std::vector<Chain> regions_;  // by region
  std::vector<Queue> queues_;   // by space
  std::vector<RegionId> touched_;
};

}  // namespace parley::core
