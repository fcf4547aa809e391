// The prefetches of the run that the plan was taken from, each after as many launches as there.
// With mapper fixed and order strict, coherence then goes through the states of that run.
#include <cstddef>

#include "core/policy/registry.h"

namespace parley::core {
namespace {

class PlannedPrefetches final : public Prefetcher {
 public:
  explicit PlannedPrefetches(const PolicyParameters&) {}

  void on_mapped(const View& view, TaskId, std::vector<PrefetchRequest>& requests) override {
    request_due(view, requests);
  }
  void on_issued(const View& view, TaskId, std::vector<PrefetchRequest>& requests) override {
    request_due(view, requests);
  }

 private:
  void request_due(const View& view, std::vector<PrefetchRequest>& requests) {
    const std::vector<PlannedPrefetch>& planned = view.plan().prefetches;
    for (; next_ < planned.size() && planned[next_].position <= view.launched_tasks(); ++next_) {
      requests.push_back({planned[next_].region, planned[next_].space, planned[next_].task});
    }
  }

  std::size_t next_ = 0;
};

}  // namespace

PARLEY_POLICY_NAMED(planned_prefetch, "planned", Prefetcher, PlannedPrefetches,
                    {"Copies start early where they did in the run that the plan is of.",
                     "parley's own: a run replayed on another machine",
                     {},
                     PlanUse::kCopies})

}  // namespace parley::core
