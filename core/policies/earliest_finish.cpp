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
#include <span>
#include <string>
#include <vector>

#include "core/policy/arrivals.h"
#include "core/policy/registry.h"
#include "core/policy/transfer_time.h"

namespace parley::core {
namespace {

constexpr std::int64_t kUnknown = -1;

class EarliestFinish final : public Mapper {
 public:
  explicit EarliestFinish(const PolicyParameters& parameters)
      : beta_(parameters["beta"]),
        breaks_ties_by_data_(parameters["locality"] > 0.0),
        scans_all_(parameters["scan"] > 0.0) {}

  /// Ties: with `locality`, fewer bytes to move; then the lowest candidate.
  MapChoice choose(const View& view, TaskId task) override {
    candidates_ = view.candidates(task);
    durations_ = view.expected_durations(task);
    const bool is_many =
        candidates_.size() > kFew && !scans_all_ && view.has_single_candidates(task);
    arrivals_.gather(view, task, is_many);
    best_ = {};
    if (!is_many) {
      for (std::size_t i = 0; i < candidates_.size(); ++i) consider(view, task, i, false);
    } else {
      consider_many(view, task);
    }
    log(task, {best_.estimate, best_.others});
    MapChoice choice;
    choice.candidate = best_.candidate;
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
  static constexpr std::size_t kFew = 8;  // candidates: so many are all looked at

  struct Estimate {
    Time free, arrival;
    std::int64_t cost = 0;  // expected finish plus the weighted transfer time, ns
  };
  struct Verdict {
    Estimate chosen;
    std::int64_t others = kNoBound;  // lower bound of the other candidates' cost
  };

  struct Best {
    std::size_t candidate = 0;
    Estimate estimate{Time(0), Time(0), kNoBound};
    std::int64_t missing = kUnknown;
    std::int64_t others = kNoBound;
  };

  /// Takes the candidate if it beats the best so far. Any order of candidates gives the same
  /// choice.
  void consider(const View& view, TaskId task, std::size_t i, bool is_rough) {
    const Candidate& candidate = candidates_[i];
    const std::int64_t bound = best_.estimate.cost;
    const Estimate next = estimate(view, task, i, bound, is_rough);
    bool is_better = next.cost < bound;
    std::int64_t missing = kUnknown;
    if (next.cost == bound && bound != kNoBound) {
      is_better = i < best_.candidate;
      if (breaks_ties_by_data_) {
        if (best_.missing == kUnknown) {
          best_.missing = missing_bytes(view, task, candidates_[best_.candidate]);
        }
        missing = missing_bytes(view, task, candidate);
        if (missing != best_.missing) is_better = missing < best_.missing;
      }
    }
    best_.others = std::min(best_.others, is_better ? bound : next.cost);
    if (!is_better) return;
    best_.candidate = i;
    best_.estimate = next;
    best_.missing = missing;
  }

  /// The same choice as by looking at all, when the candidates are many single devices: bounds rule
  /// out nearly all of them. First come those where the read with the fewest holders lies. A device
  /// outside the spaces that hold anything has everything to fetch: one bound holds for all of
  /// these, and in a tie, as equally many bytes are missing, the first of them wins. Other devices
  /// are left out by nodes, then one by one.
  void consider_many(const View& view, TaskId task) {
    is_seen_.assign(candidates_.size(), 0);
    all_missing_ = kUnknown;
    by_space_ = &view.candidates_by_space(task);
    for (const SpaceId space : arrivals_.rarest_spaces()) consider_space(view, task, space);
    const std::int64_t elsewhere = (arrivals_.least_elsewhere() + view.least_duration(task)).ns();
    if (elsewhere > best_.estimate.cost) {
      for (const SpaceId space : arrivals_.spaces()) consider_space(view, task, space);
      for (const Node& node : nodes(view.machine()))
        consider_space(view, task, node.spaces.front());
      best_.others = std::min(best_.others, elsewhere);
      return;
    }
    for (const Node& node : nodes(view.machine())) {
      const Time soonest = arrivals_.least_in_node(node.spaces.front());
      const std::int64_t least = (soonest + view.least_duration(task)).ns();
      consider_space(view, task, node.spaces.front());  // the host: bounds do not hold for it
      if (least > best_.estimate.cost) {
        best_.others = std::min(best_.others, least);
        continue;
      }
      for (const SpaceId space : node.spaces) consider_space(view, task, space);
    }
  }

  void consider_space(const View& view, TaskId task, SpaceId space) {
    for (const std::uint16_t i : (*by_space_)[space]) {
      if (is_seen_[i] != 0) continue;
      is_seen_[i] = 1;
      const Time free = view.expected_free(candidates_[i].devices.front());
      const Time start = std::max(free, arrivals_.least_at(space));
      const std::int64_t least = (start + durations_[i]).ns();
      const bool is_beaten =
          least > best_.estimate.cost ||
          (least == best_.estimate.cost && !arrivals_.holds_any(space) && loses_tie(view, task, i));
      if (is_beaten) {
        best_.others = std::min(best_.others, least);
      } else {
        consider(view, task, i, true);
      }
    }
  }

  /// Whether a candidate that has everything to fetch loses to the best at the same cost.
  bool loses_tie(const View& view, TaskId task, std::size_t i) {
    if (breaks_ties_by_data_) {
      if (all_missing_ == kUnknown) all_missing_ = missing_bytes(view, task, candidates_[i]);
      if (best_.missing == kUnknown) {
        best_.missing = missing_bytes(view, task, candidates_[best_.candidate]);
      }
      if (best_.missing != all_missing_) return best_.missing < all_missing_;
    }
    return i > best_.candidate;
  }

  /// The spaces of a node, its host first.
  struct Node {
    std::vector<SpaceId> spaces;
  };

  const std::vector<Node>& nodes(const Machine& machine) {
    if (!nodes_.empty()) return nodes_;
    std::vector<std::size_t> number(machine.space_count());
    for (std::size_t s = 0; s < machine.space_count(); ++s) {
      if (!machine.space(SpaceId(s)).is_host) continue;
      number[s] = nodes_.size();
      nodes_.push_back({{SpaceId(s)}});
    }
    for (std::size_t s = 0; s < machine.space_count(); ++s) {
      if (machine.space(SpaceId(s)).is_host) continue;
      nodes_[number[machine.host_of(SpaceId(s)).index()]].spaces.emplace_back(s);
    }
    return nodes_;
  }

  /// What the candidate costs; once that is known to exceed `bound`, a lower bound of it:
  /// when the device is too late, and if `is_rough` when some operand is.
  [[nodiscard]] Estimate estimate(const View& view, TaskId task, std::size_t i, std::int64_t bound,
                                  bool is_rough) const {
    const Candidate& candidate = candidates_[i];
    const Duration duration = durations_[i];
    Estimate result{view.now(), view.now(), 0};
    for (const DeviceId device : candidate.devices) {
      result.free = std::max(result.free, view.expected_free(device));
    }
    result.cost = (result.free + duration).ns();
    if (result.cost > bound) return result;
    const Time latest = is_rough ? Time(bound) - duration : Time::max();
    result.arrival = arrivals_.latest(candidate, latest);
    result.cost = (std::max(result.free, result.arrival) + duration).ns();
    if (beta_ > 0.0) {
      const Duration transfers = transfer_time(view, task, candidate);
      result.cost += std::llround(beta_ * static_cast<double>(transfers.count()));
    }
    return result;
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
  bool scans_all_;
  // Of the task that is being mapped:
  std::span<const Candidate> candidates_;
  std::span<const Duration> durations_;                // by candidate
  const View::CandidatesBySpace* by_space_ = nullptr;  // if candidates are many
  Best best_;
  std::vector<char> is_seen_;            // by candidate
  std::int64_t all_missing_ = kUnknown;  // at a device that has everything to fetch
  std::vector<Node> nodes_;
  LongVector<Verdict> log_;  // by task
};

}  // namespace

PARLEY_POLICY(
    earliest_finish, Mapper, EarliestFinish,
    {"Each task goes where it is expected to finish first, copies and queues counted.",
     "HEFT's processor choice (Topcuoglu, Hariri, Wu 2002) task by task, as StarPU's dmda",
     {{"beta", "", 0, 100, 0, "weight of the transfer time added to the expected finish"},
      {"locality", "", 0, 1, 1, "1: of equal finishes, the one with fewer bytes to move", true},
      {"scan", "", 0, 1, 0, "1: look at every device, even if it cannot be chosen; no other choice",
       true}}})

}  // namespace parley::core
