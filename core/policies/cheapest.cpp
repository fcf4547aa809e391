// The replica that costs the fewest bytes for the time that it frees its room makes room: what must
// be written back, and what must be fetched again for the next use, over how far off that is. Time
// is in tasks still to be issued before that one, in the order of a plan, or of submission without
// one. Sought among the `look` replicas needed last: a ratio that changes with time has no order to
// keep.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/policy/next_use_queue.h"
#include "core/policy/registry.h"

namespace parley::core {
namespace {

class Cheapest final : public Evictor {
 public:
  explicit Cheapest(const PolicyParameters& parameters)
      : look_(static_cast<std::size_t>(parameters["look"])), queue_(forecast_by_submission()) {}

  void on_allocated(const View& view, ReplicaId replica) override {
    if (!has_begun_ && view.has_plan()) queue_ = NextUseQueue(forecast_by_plan());
    has_begun_ = true;
    queue_.add(view, replica);
  }
  void on_used(const View& view, ReplicaId replica, TaskId) override { queue_.use(view, replica); }
  void on_dropped(const View&, ReplicaId replica) override { queue_.remove(replica); }

  /// What no unfinished command uses goes first: its room is free at once. Ties: the farther use,
  /// then the lowest replica.
  ReplicaId victim(const View& view, SpaceId space, Bytes) override {
    ReplicaId best;
    std::pair<bool, double> least;
    std::size_t seen = 0;
    queue_.visit_farthest(view, space, [&](std::uint32_t use, ReplicaId replica) {
      const std::pair cost(!view.is_idle(replica), cost_of(view, use, replica));
      if (best.is_none() || cost < least) {
        best = replica;
        least = cost;
      }
      return ++seen < look_ && least > std::pair(false, 0.0);
    });
    return best;
  }

 private:
  /// Bytes for each task until the next use.
  [[nodiscard]] double cost_of(const View& view, std::uint32_t use, ReplicaId replica) const {
    Bytes bytes = view.sole_bytes(replica);
    if (use == UseForecast::kNever) {
      return static_cast<double>(bytes.count()) / static_cast<double>(UseForecast::kNever);
    }
    if (reads_there(view, use, replica)) bytes += view.replica_bytes(replica);
    const std::uint32_t issued = view.launched_tasks();
    const double tasks = use > issued ? use - issued : 1.0;
    return static_cast<double>(bytes.count()) / std::max(tasks, 1.0);
  }

  /// Whether the next use needs the contents; what only writes fetches nothing.
  [[nodiscard]] bool reads_there(const View& view, std::uint32_t use, ReplicaId replica) const {
    const RegionId region = view.replica_region(replica);
    const auto accesses = view.program().accesses(queue_.forecast().task_at(view, use));
    return std::any_of(accesses.begin(), accesses.end(), [&](const Access& access) {
      return access.region == region && reads(access.mode);
    });
  }

  std::size_t look_;
  NextUseQueue queue_;
  bool has_begun_ = false;
};

}  // namespace

PARLEY_POLICY(
    cheapest, Evictor, Cheapest,
    {"The replica with the fewest bytes to write back and fetch again, for the tasks until its "
     "next use, makes room.",
     "cost over size and distance, as in GreedyDual-Size (Cao, Irani 1997), with a known future",
     {{"look", "replicas", 1, 100000, 64, "among how many needed last the cheapest is sought",
       true}}})

}  // namespace parley::core
