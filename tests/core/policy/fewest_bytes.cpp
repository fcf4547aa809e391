// Each task goes where the fewest bytes are missing, unless that device has too much to do already.
#include "core/policy/registry.h"

namespace parley::core {
namespace {

class FewestBytes final : public Mapper {
 public:
  explicit FewestBytes(const PolicyParameters& parameters)
      : most_tasks_(static_cast<std::uint32_t>(parameters["most"])) {}

  MapChoice choose(const View& view, TaskId task) override {
    const auto candidates = view.candidates(task);
    MapChoice choice;
    Bytes best = Bytes::max();
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const DeviceId device = candidates[i].devices.front();
      if (view.issued_tasks(device) + view.queued_tasks(device) >= most_tasks_) continue;
      const Bytes missing = missing_bytes(view, task, candidates[i]);
      if (missing >= best) continue;  // of equal ones the first
      best = missing;
      choice.candidate = i;
    }
    choice.is_deferred = best == Bytes::max();  // all are busy: ask again later
    return choice;
  }

 private:
  static Bytes missing_bytes(const View& view, TaskId task, const Candidate& candidate) {
    Bytes sum;
    for (const Access& access : view.program().accesses(task)) {
      const DeviceId device = candidate.devices[access.member];
      if (reads(access.mode)) {
        sum += view.missing_bytes(access.region, view.machine().device(device).space);
      }
    }
    return sum;
  }

  std::uint32_t most_tasks_;
};

}  // namespace

PARLEY_POLICY(fewest_bytes, Mapper, FewestBytes,
              {"Each task goes where the fewest bytes are missing, up to so many tasks a device.",
               "an example",
               {{"most", "tasks", 1, 1e6, 16, "what a device may have to do", true}}})

}  // namespace parley::core
