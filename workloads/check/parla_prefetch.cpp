// Two problems that show without running the protocol: slices that overlap, and prefetches that may
// come too early.
#include <algorithm>
#include <utility>

#include "core/graph/reachability.h"
#include "workloads/check/parla_run.h"

namespace parley::workloads {
namespace {

using core::Access;
using core::TaskId;

ParlaFinding finding_of(ParlaProblem problem, const ParlaWorkload& workload, TaskId task,
                        const Access& access) {
  ParlaFinding finding;
  finding.problem = problem;
  finding.task = task;
  finding.region = access.region;
  finding.view = access.view;
  finding.part = workload.program().region(access.region).box;
  finding.device = workload.name_of(workload.device(task, access.member));
  return finding;
}

/// Which of a task's direct dependencies its prefetches wait for. In both generations that is
/// decided from what the dependencies themselves have as operands, so that an array written two
/// tasks back is overlooked when the task in between does not name it.
class PrefetchHoles {
 public:
  PrefetchHoles(const ParlaWorkload& workload, const ParlaSink& sink)
      : workload_(workload),
        program_(workload.program()),
        sink_(sink),
        reachability_(workload.graph()),
        carries_(program_.task_count()) {
    for (std::size_t a = 0; a < program_.array_count(); ++a) {
      writers_.push_back(std::vector<TaskId>(workload.piece_count(core::ArrayId(a))));
    }
  }

  void run() {
    for (const TaskId task : workload_.graph().topological_order()) {
      // Parla evicts by a call in some task's body: it prefetches nothing, but does use the array.
      const bool is_eviction = program_.task(task).kind == core::TaskKind::kEvict;
      const auto accesses = program_.accesses(task);
      for (std::size_t i = 0; i < accesses.size() && !is_eviction; ++i) {
        if (core::reads(accesses[i].mode)) check(task, i, accesses[i]);
      }
      note(task, is_eviction);
    }
  }

 private:
  void check(TaskId task, std::size_t number, const Access& access) {
    const core::ArrayId array = program_.region(access.region).array;
    TaskId last;  // the writer seen last: many pieces have the same
    for (const std::uint32_t piece : workload_.operand(access).pieces) {
      const TaskId writer = writers_[array][piece];
      if (writer.is_none() || writer == last) continue;
      last = writer;
      if (is_on_same_device(task, access, writer)) continue;
      const bool is_hole_in_python = !is_awaited(task, access, writer, true);
      const bool is_hole_in_cpp = !is_awaited(task, access, writer, false);
      if (!is_hole_in_python && !is_hole_in_cpp) continue;
      ParlaFinding finding = finding_of(ParlaProblem::kPrefetchHole, workload_, task, access);
      finding.part = workload_.part(array, piece);
      finding.missed = writer;
      if (is_hole_in_python) sink_(ParlaGeneration::kPython, number, finding);
      if (!is_hole_in_cpp) return;
      sink_(ParlaGeneration::kCpp, number, finding);
      sink_(ParlaGeneration::kCppAsItStands, number, finding);
      return;
    }
  }

  [[nodiscard]] bool is_on_same_device(TaskId task, const Access& access, TaskId writer) const {
    const core::ArrayId array = program_.region(access.region).array;
    const auto device = workload_.device(task, access.member);
    for (const Access& other : program_.accesses(writer)) {
      if (program_.region(other.region).array == array && core::writes(other.mode) &&
          workload_.device(writer, other.member) == device) {
        return true;
      }
    }
    return false;
  }

  /// Whether the prefetch of `access` waits for `writer`, directly or behind another.
  bool is_awaited(TaskId task, const Access& access, TaskId writer, bool is_python) {
    const auto dependencies = workload_.graph().predecessors(task);
    return std::any_of(dependencies.begin(), dependencies.end(), [&](TaskId on) {
      const bool counts = is_python ? has_used(on, access) : carries(on, access);
      return counts && (on == writer || reachability_.reaches(writer, on));
    });
  }

  /// Parla 0.2: the dependency has this very operand; for a whole array, any slice of it will do.
  [[nodiscard]] bool has_used(TaskId on, const Access& access) const {
    const ParlaOperand operand = workload_.operand(access);
    const core::ArrayId array = program_.region(access.region).array;
    const auto theirs = program_.accesses(on);
    return std::any_of(theirs.begin(), theirs.end(), [&](const Access& other) {
      if (operand.is_whole) return program_.region(other.region).array == array;
      return other.region == access.region && other.view == access.view;
    });
  }

  /// parla-experimental: the dependency writes the array, or read it behind one that carries it.
  [[nodiscard]] bool carries(TaskId on, const Access& access) const {
    const core::ArrayId array = program_.region(access.region).array;
    const std::vector<core::ArrayId>& arrays = carries_[on];
    return std::find(arrays.begin(), arrays.end(), array) != arrays.end();
  }

  void note(TaskId task, bool is_eviction) {
    for (const Access& access : program_.accesses(task)) {
      const core::ArrayId array = program_.region(access.region).array;
      const auto dependencies = workload_.graph().predecessors(task);
      const bool is_carried = access.mode != core::AccessMode::kIn ||
                              std::any_of(dependencies.begin(), dependencies.end(),
                                          [&](TaskId on) { return carries(on, access); });
      if (is_carried) carries_[task].push_back(array);
    }
    if (is_eviction || !workload_.writes_contents(task)) return;
    for (const Access& access : program_.accesses(task)) {
      if (!core::writes(access.mode)) continue;
      std::vector<TaskId>& writers = writers_[program_.region(access.region).array];
      for (const std::uint32_t piece : workload_.operand(access).pieces) writers[piece] = task;
    }
  }

  const ParlaWorkload& workload_;
  const core::Program& program_;
  const ParlaSink& sink_;
  core::Reachability reachability_;
  core::IdVector<TaskId, std::vector<core::ArrayId>> carries_;
  core::IdVector<core::ArrayId, std::vector<TaskId>> writers_;  // by piece
};

}  // namespace

void find_prefetch_holes(const ParlaWorkload& workload, const ParlaSink& sink) {
  PrefetchHoles(workload, sink).run();
}

void find_overlaps(const ParlaWorkload& workload, const ParlaSink& sink) {
  const core::Program& program = workload.program();
  core::IdVector<core::RegionId, core::TaskId> first_user(program.region_count());
  std::vector<bool> is_written(program.array_count(), false);
  for (std::size_t t = 0; t < program.task_count(); ++t) {
    for (const Access& access : program.accesses(TaskId(t))) {
      if (core::writes(access.mode)) is_written[program.region(access.region).array.index()] = true;
    }
  }
  for (const TaskId task : workload.graph().topological_order()) {
    if (program.task(task).kind == core::TaskKind::kEvict) continue;
    const auto accesses = program.accesses(task);
    for (std::size_t i = 0; i < accesses.size(); ++i) {
      const core::RegionId region = accesses[i].region;
      // Slices of an array that nobody writes may overlap as they like.
      if (!is_written[program.region(region).array.index()]) continue;
      if (!first_user[region].is_none()) continue;
      first_user[region] = task;
      const core::RegionId other = workload.overlapping(region, first_user);
      if (other.is_none()) continue;
      ParlaFinding finding = finding_of(ParlaProblem::kOverlap, workload, task, accesses[i]);
      finding.missed = first_user[other];
      for (const ParlaGeneration generation : kParlaGenerations) sink(generation, i, finding);
    }
  }
}

}  // namespace parley::workloads
