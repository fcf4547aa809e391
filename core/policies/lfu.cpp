// The replica that the fewest tasks have used since it came makes room; of equally used ones that
// whose last use, or arrival, is longest ago. Uses before an eviction are forgotten with it.
#include <cstdint>
#include <utility>

#include "core/policy/registry.h"
#include "core/policy/victim_order.h"

namespace parley::core {
namespace {

class LeastFrequentlyUsed final : public Evictor {
 public:
  explicit LeastFrequentlyUsed(const PolicyParameters&) {}

  void on_allocated(const View& view, ReplicaId replica) override {
    order_.insert(view, replica, {0, clock_++});
  }
  void on_used(const View& view, ReplicaId replica, TaskId) override {
    order_.change(view, replica, {order_.key(replica).first + 1, clock_++});
  }
  void on_dropped(const View& view, ReplicaId replica) override { order_.remove(view, replica); }
  ReplicaId victim(const View& view, SpaceId space, Bytes) override {
    return order_.first_unpinned(view, space);
  }

 private:
  VictimOrder<std::pair<std::uint64_t, std::uint64_t>> order_;  // uses, when last
  std::uint64_t clock_ = 0;
};

}  // namespace

PARLEY_POLICY(
    lfu, Evictor, LeastFrequentlyUsed,
    {"The replica that was used by the fewest tasks makes room, then the one used longest "
     "ago.",
     "least frequently used (Coffman, Denning, Operating Systems Theory, 1973)",
     {}})

}  // namespace parley::core
