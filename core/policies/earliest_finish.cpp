// Each task goes where it is expected to finish first: when the device is free and all operands are
// there, plus the task's own time. This is the processor choice of HEFT without insertion
// (Topcuoglu, Hariri, Wu 2002), made task by task at run time as StarPU's dmda does (Augonnet,
// Clet-Ortega, Thibault, Namyst 2010). The queue of a device and the copies ahead on a link come
// from the view, so nothing is integrated here. No memory is allocated per choice, but for the log
// of reasons, which doubles.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/policy/arrivals.h"
#include "core/policy/registry.h"

namespace parley::core {
namespace {

constexpr std::int64_t kUnknown = -1;

class EarliestFinish final : public Mapper {
 public:
  explicit EarliestFinish(const PolicyParameters& parameters)
      : beta_(parameters["beta"]), breaks_ties_by_data_(parameters["locality"] > 0.0) {}

  /// Ties: with `locality`, fewer bytes to move; then the lowest candidate.
  MapChoice choose(const View& view, TaskId task) override {
    const auto candidates = view.candidates(task);
    arrivals_.gather(view, task);
    MapChoice choice;
    Estimate best = estimate(view, task, candidates[0], kNoBound);
    std::int64_t others = kNoBound;
    std::int64_t best_missing = kUnknown;
    for (std::size_t i = 1; i < candidates.size(); ++i) {
      const Estimate next = estimate(view, task, candidates[i], best.cost);
      bool is_better = next.cost < best.cost;
      std::int64_t next_missing = kUnknown;
      if (next.cost == best.cost && breaks_ties_by_data_) {
        if (best_missing == kUnknown) {
          best_missing = missing_bytes(view, task, candidates[choice.candidate]);
        }
        next_missing = missing_bytes(view, task, candidates[i]);
        is_better = next_missing < best_missing;
      }
      others = std::min(others, is_better ? best.cost : next.cost);
      if (!is_better) continue;
      best = next;
      best_missing = next_missing;
      choice.candidate = i;
    }
    log(task, {best, others});
    return choice;
  }

  [[nodiscard]] std::string reason(const View& view, TaskId task) const override {
    if (task.index() >= log_.size()) return {};
    const Verdict& verdict = log_[task.index()];
    std::string names;
    for (const DeviceId device : view.devices_of(task)) {
      names += (names.empty() ? "" : " and ") + view.machine().device(device).name;
    }
    std::string text = "expected to finish at " + std::to_string(verdict.chosen.cost) + " ns on " +
                       names + " (free at " + std::to_string(verdict.chosen.free.ns()) +
                       " ns, operands there at " + std::to_string(verdict.chosen.arrival.ns()) +
                       " ns)";
    if (verdict.others != kNoBound) {
      text += "; elsewhere not before " + std::to_string(verdict.others) + " ns";
    }
    return text;
  }

 private:
  static constexpr std::int64_t kNoBound = Time::max().ns();

  struct Estimate {
    Time free, arrival;
    std::int64_t cost = 0;  // expected finish plus the weighted transfer time, ns
  };
  struct Verdict {
    Estimate chosen;
    std::int64_t others = kNoBound;  // lower bound of the other candidates' cost
  };

  /// What the candidate costs; once that is known to exceed `bound`, a lower bound of it.
  [[nodiscard]] Estimate estimate(const View& view, TaskId task, const Candidate& candidate,
                                  std::int64_t bound) const {
    const Duration duration = view.expected_duration(task, candidate);
    Estimate result{view.now(), view.now(), 0};
    for (const DeviceId device : candidate.devices) {
      result.free = std::max(result.free, view.expected_free(device));
    }
    result.cost = (result.free + duration).ns();
    if (result.cost > bound) return result;
    result.arrival = arrivals_.latest(candidate);
    result.cost = (std::max(result.free, result.arrival) + duration).ns();
    if (beta_ > 0.0) {
      const Duration transfers = transfer_time(view, task, candidate);
      result.cost += std::llround(beta_ * static_cast<double>(transfers.count()));
    }
    return result;
  }

  static Duration transfer_time(const View& view, TaskId task, const Candidate& candidate) {
    Duration sum;
    for (const Access& access : view.program().accesses(task)) {
      if (!reads(access.mode)) continue;
      const SpaceId space = view.machine().device(candidate.devices[access.member]).space;
      sum += transfer_time(view, access.region, space);
    }
    return sum;
  }

  /// Uncontended time of copying what is missing from the owner.
  static Duration transfer_time(const View& view, RegionId region, SpaceId to) {
    const Bytes missing = view.missing_bytes(region, to);
    const SpaceId from = view.owner(region);
    if (missing == Bytes(0) || from.is_none() || from == to) return Duration(0);
    const Machine& machine = view.machine();
    const RouteId direct = machine.route_id(from, to);
    if (!direct.is_none()) return machine.copy_duration(direct, missing);
    const SpaceId host = machine.host_of(to);
    return machine.copy_duration(machine.route_id(from, host), missing) +
           machine.copy_duration(machine.route_id(host, to), missing);
  }

  static std::int64_t missing_bytes(const View& view, TaskId task, const Candidate& candidate) {
    std::int64_t sum = 0;
    for (const Access& access : view.program().accesses(task)) {
      if (!reads(access.mode)) continue;
      const SpaceId space = view.machine().device(candidate.devices[access.member]).space;
      sum += view.missing_bytes(access.region, space).count();
    }
    return sum;
  }

  void log(TaskId task, const Verdict& verdict) {
    if (task.index() >= log_.size()) log_.resize(std::max(task.index() + 1, 2 * log_.size()));
    log_[task.index()] = verdict;
  }

  Arrivals arrivals_;
  double beta_;
  bool breaks_ties_by_data_;
  std::vector<Verdict> log_;  // by task
};

}  // namespace

PARLEY_POLICY(
    earliest_finish, Mapper, EarliestFinish,
    {"Each task goes where it is expected to finish first, copies and queues counted.",
     "HEFT's processor choice (Topcuoglu, Hariri, Wu 2002) task by task, as StarPU's dmda",
     {{"beta", "", 0, 100, 0, "weight of the transfer time added to the expected finish"},
      {"locality", "", 0, 1, 1, "1: of equal finishes, the one with fewer bytes to move", true}}})

}  // namespace parley::core
