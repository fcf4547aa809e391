// The largest replica makes room, so that few have to go; of equally large ones that used longest
// ago.
#include <cstdint>
#include <utility>

#include "core/policy/registry.h"
#include "core/policy/victim_order.h"

namespace parley::core {
namespace {

class LargestFirst final : public Evictor {
 public:
  explicit LargestFirst(const PolicyParameters&) {}

  void on_allocated(const View& view, ReplicaId replica) override {
    order_.insert(view, replica, {-view.replica_bytes(replica).count(), clock_++});
  }
  void on_used(const View& view, ReplicaId replica, TaskId) override {
    order_.change(view, replica, {order_.key(replica).first, clock_++});
  }
  void on_dropped(const View& view, ReplicaId replica) override { order_.remove(view, replica); }
  ReplicaId victim(const View& view, SpaceId space, Bytes) override {
    return order_.first_unpinned(view, space);
  }

 private:
  VictimOrder<std::pair<std::int64_t, std::uint64_t>> order_;  // bytes, negated; when last used
  std::uint64_t clock_ = 0;
};

}  // namespace

PARLEY_POLICY(largest_first, Evictor, LargestFirst,
              {"The largest replica makes room, then the one used longest ago.",
               "SIZE (Williams, Abrams, Standridge, Abdulla, Fox 1996)",
               {}})

}  // namespace parley::core
