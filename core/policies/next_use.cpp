// The replica whose region is needed last makes room (Belady 1966), as far as the submitted tasks
// tell: the distance is in submission order, not in time, and only tasks that access exactly this
// region count. Belady counts misses; here waiting and write-backs cost as well (compare
// clean-first LRU: Park, Jung, Kang, Kim, Lee 2006). So of the `look` replicas needed last, one
// that no unfinished command uses goes first, then the one that moves the fewest bytes, back home
// and here again.
#include <compare>
#include <cstddef>

#include "core/policy/next_use_queue.h"
#include "core/policy/registry.h"

namespace parley::core {
namespace {

class NextUse final : public Evictor {
 public:
  explicit NextUse(const PolicyParameters& parameters)
      : look_(static_cast<std::size_t>(parameters["look"])), queue_(forecast_by_submission()) {}

  void on_allocated(const View& view, ReplicaId replica) override { queue_.add(view, replica); }
  void on_used(const View& view, ReplicaId replica, TaskId) override { queue_.use(view, replica); }
  void on_dropped(const View&, ReplicaId replica) override { queue_.remove(replica); }

  ReplicaId victim(const View& view, SpaceId space, Bytes) override {
    ReplicaId best;
    Cost least;
    std::size_t seen = 0;
    queue_.visit_farthest(view, space, [&](std::uint32_t use, ReplicaId replica) {
      const Cost cost = cost_of(view, use, replica);
      if (best.is_none() || cost < least) {
        best = replica;
        least = cost;
      }
      return ++seen < look_ && least != Cost::none();
    });
    return best;
  }

 private:
  struct Cost {
    bool is_in_use = true;
    Bytes bytes = Bytes::max();
    static constexpr Cost none() { return {false, Bytes(0)}; }
    auto operator<=>(const Cost&) const = default;
  };

  /// First whether the new owner of the memory must wait, then the bytes that evicting it moves:
  /// back home, and here again for the next use.
  static Cost cost_of(const View& view, std::uint32_t use, ReplicaId replica) {
    const Bytes back_home = view.sole_bytes(replica);
    return {!view.is_idle(replica),
            use == UseForecast::kNever ? back_home : back_home + view.replica_bytes(replica)};
  }

  std::size_t look_;
  NextUseQueue queue_;
};

}  // namespace

PARLEY_POLICY(
    next_use, Evictor, NextUse,
    {"Of the replicas needed last, one that is idle and moves the fewest bytes makes room.",
     "Belady 1966 in the order of submission, with costs as in clean-first LRU (Park et al. 2006)",
     {{"look", "replicas", 1, 100000, 64, "among how many needed last the cheapest is sought",
       true}}})

}  // namespace parley::core
