// The replica that its space needs last in the plan's order makes room. Where the plan is followed
// (mapper fixed, order strict), nothing is prefetched and all replicas have one size, no evictor
// fetches less often: the optimum that others are measured by. What another space writes before
// this one needs it again is not needed at all.
#include "core/policy/next_use_queue.h"
#include "core/policy/registry.h"

namespace parley::core {
namespace {

class Belady final : public Evictor {
 public:
  explicit Belady(const PolicyParameters&) : queue_(forecast_by_plan()) {}

  void on_allocated(const View& view, ReplicaId replica) override { queue_.add(view, replica); }
  void on_used(const View& view, ReplicaId replica, TaskId) override { queue_.use(view, replica); }
  void on_dropped(const View&, ReplicaId replica) override { queue_.remove(replica); }

  ReplicaId victim(const View& view, SpaceId space, Bytes) override {
    ReplicaId farthest;
    queue_.visit_farthest(view, space, [&](std::uint32_t, ReplicaId replica) {
      farthest = replica;
      return false;
    });
    return farthest;
  }

 private:
  NextUseQueue queue_;
};

}  // namespace

PARLEY_POLICY(
    belady, Evictor, Belady,
    {"The replica that its space needs last in the order of the plan (--plan) makes room.",
     "MIN (Belady 1966)",
     {},
     PlanUse::kTasks})

}  // namespace parley::core
