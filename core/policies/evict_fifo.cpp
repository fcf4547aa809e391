// The replica that has been there longest makes room, used or not.
#include "core/policy/recency_list.h"
#include "core/policy/registry.h"

namespace parley::core {
namespace {

class FirstInFirstOut final : public Evictor {
 public:
  explicit FirstInFirstOut(const PolicyParameters&) {}

  void on_allocated(const View& view, ReplicaId replica) override {
    arrived_.append(view, replica);
  }
  void on_used(const View&, ReplicaId, TaskId) override {}
  void on_dropped(const View& view, ReplicaId replica) override { arrived_.remove(view, replica); }
  ReplicaId victim(const View& view, SpaceId space, Bytes) override {
    return arrived_.oldest_unpinned(view, space);
  }

 private:
  RecencyList arrived_;
};

}  // namespace

PARLEY_POLICY_NAMED(evict_fifo, "fifo", Evictor, FirstInFirstOut,
                    {"The replica that has been there longest makes room.",
                     "first in, first out (Belady 1966)",
                     {}})

}  // namespace parley::core
