// StarPU's "deque model data aware" scheduling: a task goes where alpha times the end of its
// execution plus beta times the time of its transfers is least. The end counts what the device
// still has to do and the task itself; transfers are what is missing there, at the links' own pace,
// from the owner. Unlike earliest_finish it adds transfers up instead of asking when they can be
// done: those that overlap with earlier tasks count as well, so that data stay where they are.
// StarPU's dmdas is this with `--order priority`, or `--order bottom_level` where a workload states
// no priorities.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/policy/registry.h"
#include "core/policy/transfer_time.h"

namespace parley::core {
namespace {

class Dmda final : public Mapper {
 public:
  explicit Dmda(const PolicyParameters& parameters)
      : alpha_(parameters["alpha"]), beta_(parameters["beta"]) {}

  /// Ties: the lowest candidate.
  MapChoice choose(const View& view, TaskId task) override {
    const auto candidates = view.candidates(task);
    MapChoice choice;
    double best = 0.0;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const double cost = alpha_ * end_ns(view, task, candidates[i]) +
                          beta_ * transfer_ns(view, task, candidates[i]);
      if (i > 0 && cost >= best) continue;
      best = cost;
      choice.candidate = i;
    }
    if (costs_.size() <= task.index()) costs_.resize(task.index() + 1);
    costs_[task.index()] = best;
    return choice;
  }

  [[nodiscard]] std::string reason(const View&, TaskId task) const override {
    if (task.index() >= costs_.size()) return {};
    return "least weighted sum of execution's end and transfers: " +
           std::to_string(std::llround(costs_[task.index()])) + " ns";
  }

 private:
  static double end_ns(const View& view, TaskId task, const Candidate& candidate) {
    Time free = view.now();
    for (const DeviceId device : candidate.devices) {
      free = std::max(free, view.expected_free(device));
    }
    return static_cast<double>((free + view.expected_duration(task, candidate)).ns());
  }

  static double transfer_ns(const View& view, TaskId task, const Candidate& candidate) {
    return static_cast<double>(transfer_time(view, task, candidate).count());
  }

  double alpha_, beta_;
  std::vector<double> costs_;  // by task, of what was chosen
};

}  // namespace

PARLEY_POLICY(
    dmda, Mapper, Dmda,
    {"Each task goes where the end of its execution and its transfers, weighted, come to least.",
     "StarPU's dmda (Augonnet, Clet-Ortega, Thibault, Namyst 2010; Augonnet, Thibault, Namyst, "
     "Wacrenier 2011)",
     {{"alpha", "", 0, 1000, 1, "weight of the expected end of execution"},
      {"beta", "", 0, 1000, 1, "weight of the time of the transfers"}}})

}  // namespace parley::core
