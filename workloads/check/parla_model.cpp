#include "workloads/check/parla_model.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "workloads/check/parla_run.h"

namespace parley::workloads {
namespace {

/// Joins what the generations have in common, and keeps the first findings of each problem.
class FindingCollector {
 public:
  void add(ParlaGeneration generation, std::size_t access, ParlaFinding finding) {
    const auto problem = static_cast<std::size_t>(finding.problem);
    ++report_.counts[static_cast<std::size_t>(generation)][problem];
    if (finding.problem == ParlaProblem::kNeedlessCopy && generation == ParlaGeneration::kCpp) {
      report_.needless_bytes += finding.bytes;
    }
    const std::uint64_t key =
        (std::uint64_t{finding.task.index()} << 32U) | (access << 8U) | problem;
    if (seen_.insert(key).second) ++report_.totals[problem];
    const auto kept = kept_.find(key);
    if (kept != kept_.end()) {
      report_.findings[kept->second].generations[static_cast<std::size_t>(generation)] = true;
    } else if (kept_of_[problem] < ParlaReport::kMostFindings) {
      ++kept_of_[problem];
      kept_.emplace(key, report_.findings.size());
      finding.generations[static_cast<std::size_t>(generation)] = true;
      report_.findings.push_back(std::move(finding));
    }
  }

  ParlaReport take(const core::TaskGraph& graph) && {
    core::IdVector<core::TaskId, std::size_t> position(graph.task_count());
    std::size_t next = 0;
    for (const core::TaskId task : graph.topological_order()) position[task] = next++;
    std::stable_sort(report_.findings.begin(), report_.findings.end(),
                     [&](const ParlaFinding& a, const ParlaFinding& b) {
                       return position[a.task] < position[b.task];
                     });
    return std::move(report_);
  }

 private:
  ParlaReport report_;
  std::unordered_map<std::uint64_t, std::size_t> kept_;  // looked up only
  std::unordered_set<std::uint64_t> seen_;               // likewise
  std::array<std::size_t, kParlaProblems> kept_of_{};
};

bool is_stale_read(ParlaProblem problem) {
  switch (problem) {
    case ParlaProblem::kMissingWriteBack:
    case ParlaProblem::kStaleSlice:
    case ParlaProblem::kStaleMerge:
    case ParlaProblem::kStaleWhole:
    case ParlaProblem::kOldVersion:
      return true;
    case ParlaProblem::kOverlap:
    case ParlaProblem::kSilentOutput:
    case ParlaProblem::kPrefetchHole:
    case ParlaProblem::kNeedlessCopy:
    case ParlaProblem::kFailure:
      return false;
  }
  return false;
}

}  // namespace

ParlaReport run_parla_model(const ParlaWorkload& workload) {
  FindingCollector collector;
  const auto collect = [&](ParlaGeneration generation, std::size_t access, ParlaFinding finding) {
    collector.add(generation, access, std::move(finding));
  };
  find_overlaps(workload, collect);
  run_protocol(workload, ParlaGeneration::kPython, collect);
  std::unordered_set<std::uint64_t> stale;  // reads that are stale even with outputs announced
  const auto place = [](core::TaskId task, std::size_t access) {
    return (std::uint64_t{task.index()} << 32U) | access;
  };
  run_protocol(workload, ParlaGeneration::kCpp,
               [&](ParlaGeneration generation, std::size_t access, ParlaFinding finding) {
                 if (is_stale_read(finding.problem)) stale.insert(place(finding.task, access));
                 collector.add(generation, access, std::move(finding));
               });
  run_protocol(
      workload, ParlaGeneration::kCppAsItStands,
      [&](ParlaGeneration generation, std::size_t access, ParlaFinding finding) {
        if (is_stale_read(finding.problem) && !stale.contains(place(finding.task, access))) {
          finding.problem = ParlaProblem::kSilentOutput;
        }
        collector.add(generation, access, std::move(finding));
      });
  find_prefetch_holes(workload, collect);
  return std::move(collector).take(workload.graph());
}

bool ParlaReport::is_right(ParlaGeneration generation) const {
  for (std::size_t p = 0; p < kParlaProblems; ++p) {
    const auto problem = static_cast<ParlaProblem>(p);
    if (is_wrong_result(problem) && count(generation, problem) > 0) return false;
  }
  return true;
}

}  // namespace parley::workloads
