// The replica that was used longest ago makes room.
#include "core/policy/recency_list.h"
#include "core/policy/registry.h"

namespace parley::core {
namespace {

class LeastRecentlyUsed final : public Evictor {
 public:
  explicit LeastRecentlyUsed(const PolicyParameters&) {}

  void on_allocated(const View& view, ReplicaId replica) override { used_.append(view, replica); }
  void on_used(const View& view, ReplicaId replica, TaskId) override {
    used_.move_to_end(view, replica);
  }
  void on_dropped(const View& view, ReplicaId replica) override { used_.remove(view, replica); }
  ReplicaId victim(const View& view, SpaceId space, Bytes) override {
    return used_.oldest_unpinned(view, space);
  }

 private:
  RecencyList used_;
};

}  // namespace

PARLEY_POLICY(lru, Evictor, LeastRecentlyUsed,
              {"The replica that was used longest ago makes room.",
               "the eviction manager of Parla's dev branch; StarPU's default",
               {}})

}  // namespace parley::core
