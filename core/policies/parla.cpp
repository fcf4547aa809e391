// Parla's mapping score, in both generations: local bytes count for a device, missing bytes and its
// share of the work against it.
//
// generation 2 (parla-experimental, 2025): per device
//     30 * local - 30 * missing - 10 * mapped_on_device / mapped
//   in bytes, so that any difference in bytes outweighs the load. All operands count, outputs too.
//   A later candidate of equal score wins; the search through an alternative's devices starts one
//   further each time. (The constant 50 that Parla adds changes no choice.)
// generation 1 (Parla 0.2, 2023): bytes are those of the whole array, over the device's memory;
//   outputs do not count; the load term is the device's share of the work, or -1 when that is below
//   an even share. The first candidate of the best score wins. (Parla 0.2 also asks that memory and
//   vcus be free at this moment; here waiting is the window's and the arena's business.)
//
// In both, an array counts as present wherever any slice of it is or is expected: the tracker looks
// at the root array only. A group's score is the mean of its members'. The work of a device is the
// tasks mapped to it and the copies into its space, unfinished.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/policy/registry.h"

namespace parley::core {
namespace {

class Parla final : public Mapper {
 public:
  explicit Parla(const PolicyParameters& parameters)
      : is_first_generation_(parameters["generation"] < 2.0),
        local_(parameters["local"]),
        missing_(parameters["missing"]),
        load_(parameters["load"] >= 0.0 ? parameters["load"] : (is_first_generation_ ? 1.0 : 10.0)),
        throttle_(static_cast<std::uint32_t>(parameters["throttle"])) {}

  MapChoice choose(const View& view, TaskId task) override {
    MapChoice choice;
    choice.is_deferred = throttle_ > 0 && view.mapped_tasks() >= throttle_;
    if (choice.is_deferred) return choice;
    const auto candidates = view.candidates(task);
    Search search;
    if (is_first_generation_) {
      const double work = work_of(view, candidates);
      for (std::size_t i = 0; i < candidates.size(); ++i) {
        search.offer(i, score(view, task, candidates[i], work, candidates.size()), false);
      }
    } else {
      search_alternatives(view, task, candidates, search);
    }
    choice.candidate = search.best;
    if (task.index() >= log_.size()) log_.resize(std::max(task.index() + 1, 2 * log_.size()));
    log_[task.index()] = search;
    return choice;
  }

  [[nodiscard]] std::string reason(const View&, TaskId task) const override {
    if (task.index() >= log_.size()) return {};
    const Search& search = log_[task.index()];
    std::string text = "score " + std::to_string(search.best_score);
    if (search.others > kLowest)
      text += "; the best of the others " + std::to_string(search.others);
    return text;
  }

 private:
  static constexpr double kLowest = -std::numeric_limits<double>::infinity();

  struct Search {
    std::size_t best = 0;
    double best_score = kLowest;
    double others = kLowest;

    void offer(std::size_t candidate, double score, bool later_wins) {
      const bool is_better = score > best_score || (later_wins && !(score < best_score));
      others = std::max(others, is_better ? best_score : score);
      if (!is_better) return;
      best = candidate;
      best_score = score;
    }
  };

  /// Alternatives in order; the devices of one from a start that moves on by one each time.
  void search_alternatives(const View& view, TaskId task, std::span<const Candidate> candidates,
                           Search& search) {
    const double work = total_work(view);
    for (std::size_t first = 0; first < candidates.size();) {
      std::size_t count = 1;
      while (first + count < candidates.size() &&
             candidates[first + count].alternative == candidates[first].alternative) {
        ++count;
      }
      if (count > 1) ++rotation_;
      for (std::size_t k = 0; k < count; ++k) {
        const std::size_t i = first + (rotation_ + k) % count;
        search.offer(i, score(view, task, candidates[i], work, candidates.size()), true);
      }
      first += count;
    }
  }

  [[nodiscard]] double score(const View& view, TaskId task, const Candidate& candidate, double work,
                             std::size_t candidate_count) const {
    double sum = 0.0;
    for (std::size_t member = 0; member < candidate.devices.size(); ++member) {
      const DeviceId device = candidate.devices[member];
      sum += data_score(view, task, member, view.machine().device(device).space) -
             load_ * load_term(view, device, work, candidate_count);
    }
    return sum / static_cast<double>(candidate.devices.size());
  }

  /// 30 * local - 30 * missing of one member's operands.
  [[nodiscard]] double data_score(const View& view, TaskId task, std::size_t member,
                                  SpaceId space) const {
    const Program& program = view.program();
    double local = 0.0;
    double missing = 0.0;
    for (const Access& access : program.accesses(task)) {
      if (access.member != member) continue;
      if (is_first_generation_ && access.mode == AccessMode::kOut) continue;
      const ArrayId array = program.region(access.region).array;
      const Bytes bytes =
          is_first_generation_ ? program.array(array).bytes : program.region(access.region).bytes;
      (view.array_is_present(array, space) ? local : missing) += static_cast<double>(bytes.count());
    }
    const double unit = is_first_generation_
                            ? static_cast<double>(view.machine().space(space).capacity.count())
                            : 1.0;
    return (local_ * local - missing_ * missing) / unit;
  }

  [[nodiscard]] double load_term(const View& view, DeviceId device, double work,
                                 std::size_t candidate_count) const {
    const double share = work > 0.0 ? device_work(view, device) / work : 0.0;
    if (!is_first_generation_) return share;
    return share * static_cast<double>(candidate_count) < 1.0 ? -1.0 : share;
  }

  static double device_work(const View& view, DeviceId device) {
    return static_cast<double>(view.issued_tasks(device)) +
           static_cast<double>(view.queued_tasks(device)) +
           static_cast<double>(view.mapped_copies(device));
  }

  static double total_work(const View& view) {
    double sum = 0.0;
    for (std::size_t d = 0; d < view.machine().device_count(); ++d) {
      sum += device_work(view, DeviceId(d));
    }
    return sum;
  }

  static double work_of(const View& view, std::span<const Candidate> candidates) {
    double sum = 0.0;
    for (const Candidate& candidate : candidates) {
      for (const DeviceId device : candidate.devices) sum += device_work(view, device);
    }
    return sum;
  }

  bool is_first_generation_;
  double local_, missing_, load_;
  std::uint32_t throttle_;
  std::size_t rotation_ = 0;
  std::vector<Search> log_;  // by task
};

}  // namespace

PARLEY_POLICY(
    parla, Mapper, Parla,
    {"Parla's score: bytes already there, minus bytes missing, minus the share of the work.",
     "Parla.py 0.2 (Lee et al. 2022) and parla-experimental (Ruys et al. 2025)",
     {{"generation", "", 1, 2, 2, "1: Parla 0.2, normalised bytes; 2: parla-experimental", true},
      {"local", "", 0, 1e6, 30, "weight of the bytes that are there"},
      {"missing", "", 0, 1e6, 30, "weight of the bytes that are not"},
      {"load", "", -1, 1e12, -1, "weight of the load; -1: the generation's own, 1 or 10"},
      {"throttle", "tasks", 0, 1e6, 0,
       "map nothing while so many are mapped and unfinished (Parla 0.2: 60); 0: no limit", true}}})

}  // namespace parley::core
