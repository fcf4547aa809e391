#include "workloads/check/parla_run.h"

#include <utility>

namespace parley::workloads {
namespace {

using core::Access;
using core::TaskId;
using Device = ParlaArray::Device;

/// One generation's run: the state of every array, and beside it what the program means.
class ProtocolRun {
 public:
  ProtocolRun(const ParlaWorkload& workload, ParlaGeneration generation, const ParlaSink& sink)
      : workload_(workload), program_(workload.program()), generation_(generation), sink_(sink) {
    for (std::size_t a = 0; a < program_.array_count(); ++a) {
      const core::ArrayId id(a);
      const std::vector<std::string>& homes = program_.array(id).spec.homes;
      const std::size_t pieces = workload.piece_count(id);
      const Device home = homes.empty() ? workload.cpu() : workload.device_named(homes.front());
      arrays_.push_back(ParlaArray(workload.device_count(), pieces, home));
      for (std::size_t h = 1; h < homes.size(); ++h) {
        const core::RegionId whole = program_.array(id).whole;
        arrays_[id].read(workload.device_named(homes[h]), workload.operand({whole, {}, 0, {}}), {});
      }
      writers_.push_back(std::vector<TaskId>(pieces));
    }
  }

  void run() {
    for (const TaskId task : workload_.graph().topological_order()) {
      if (program_.task(task).kind == core::TaskKind::kEvict) {
        evict(task);
      } else {
        run(task);
      }
    }
  }

 private:
  ParlaArray& array_of(const Access& access) {
    return arrays_[program_.region(access.region).array];
  }

  void evict(TaskId task) {
    const core::TaskExtras& extras = program_.extras(task);
    const Device device = workload_.device_named(extras.evict_space);
    for (const Access& access : program_.accesses(task)) {
      array_of(access).evict(device, extras.keep_last, task);
    }
  }

  void run(TaskId task) {
    const auto accesses = program_.accesses(task);
    for (std::size_t i = 0; i < accesses.size(); ++i) fetch(task, i, accesses[i]);
    for (const Access& access : accesses) announce(task, access);
    for (std::size_t i = 0; i < accesses.size(); ++i) {
      if (core::reads(accesses[i].mode)) check(task, i, accesses[i]);
    }
    if (!workload_.writes_contents(task)) return;
    for (const Access& access : accesses) {
      if (core::writes(access.mode)) store(task, access);
    }
  }

  [[nodiscard]] bool is_empty(const Access& access) const {
    return program_.region(access.region).bytes == core::Bytes(0);
  }

  /// What the data-movement task of an operand does, before its task starts.
  void fetch(TaskId task, std::size_t number, const Access& access) {
    if (is_empty(access)) return;
    const ParlaOperand operand = workload_.operand(access);
    const Device device = workload_.device(task, access.member);
    const bool is_write = generation_ == ParlaGeneration::kPython && core::writes(access.mode);
    const ParlaFetch fetch = is_write ? array_of(access).write(device, operand, task)
                                      : array_of(access).read(device, operand, task);
    if (fetch.is_failed) report(ParlaProblem::kFailure, task, number, access);
    if (access.mode != core::AccessMode::kOut || !(fetch.moved_whole || fetch.moved_slice)) return;
    ParlaFinding finding = finding_of(ParlaProblem::kNeedlessCopy, task, access);
    const core::Region& region = program_.region(access.region);
    finding.bytes = fetch.moved_whole ? program_.array(region.array).bytes : region.bytes;
    sink_(generation_, number, std::move(finding));
  }

  /// What the C++ generation does when the task starts.
  void announce(TaskId task, const Access& access) {
    if (generation_ == ParlaGeneration::kPython || is_empty(access)) return;
    const bool is_announced =
        access.mode == core::AccessMode::kInout ||
        (access.mode == core::AccessMode::kOut && generation_ == ParlaGeneration::kCpp);
    if (!is_announced) return;
    array_of(access).write(workload_.device(task, access.member), workload_.operand(access), task);
  }

  void check(TaskId task, std::size_t number, const Access& access) {
    if (is_empty(access)) return;
    const core::ArrayId array = program_.region(access.region).array;
    const ParlaOperand operand = workload_.operand(access);
    array_of(access).locate(workload_.device(task, access.member), operand, found_);
    for (std::size_t i = 0; i < found_.size(); ++i) {
      if (found_[i] == nullptr) {
        report(ParlaProblem::kFailure, task, number, access);
        return;
      }
      const TaskId writer = writers_[array][operand.pieces[i]];
      if (found_[i]->writer == writer) continue;
      ParlaFinding finding = finding_of(problem_of(operand, *found_[i], task), task, access);
      finding.part = workload_.part(array, operand.pieces[i]);
      finding.missed = writer;
      finding.found = found_[i]->writer;
      sink_(generation_, number, std::move(finding));
      return;
    }
  }

  /// By what way outdated contents came to be where the task looks.
  static ParlaProblem problem_of(const ParlaOperand& operand, const Content& content, TaskId task) {
    const bool is_just_brought = content.during == task;
    switch (content.arrival) {
      case Arrival::kFetched:
        return is_just_brought ? ParlaProblem::kMissingWriteBack : ParlaProblem::kStaleSlice;
      case Arrival::kMerged:
        return ParlaProblem::kStaleMerge;
      case Arrival::kCopied:
        return is_just_brought ? ParlaProblem::kOldVersion : ParlaProblem::kStaleWhole;
      case Arrival::kWritten:
        return operand.is_whole ? ParlaProblem::kStaleWhole : ParlaProblem::kStaleSlice;
      case Arrival::kHome:
        break;
    }
    return ParlaProblem::kStaleWhole;
  }

  void store(TaskId task, const Access& access) {
    if (is_empty(access)) return;
    const ParlaOperand operand = workload_.operand(access);
    array_of(access).locate(workload_.device(task, access.member), operand, found_);
    for (Content* content : found_) {
      if (content != nullptr) *content = {task, Arrival::kWritten, task};
    }
    std::vector<TaskId>& writers = writers_[program_.region(access.region).array];
    for (const std::uint32_t piece : operand.pieces) writers[piece] = task;
  }

  [[nodiscard]] ParlaFinding finding_of(ParlaProblem problem, TaskId task,
                                        const Access& access) const {
    ParlaFinding finding;
    finding.problem = problem;
    finding.task = task;
    finding.region = access.region;
    finding.view = access.view;
    finding.device = workload_.name_of(workload_.device(task, access.member));
    finding.part = program_.region(access.region).box;
    return finding;
  }

  void report(ParlaProblem problem, TaskId task, std::size_t number, const Access& access) {
    sink_(generation_, number, finding_of(problem, task, access));
  }

  const ParlaWorkload& workload_;
  const core::Program& program_;
  ParlaGeneration generation_;
  const ParlaSink& sink_;
  core::IdVector<core::ArrayId, ParlaArray> arrays_;
  core::IdVector<core::ArrayId, std::vector<TaskId>> writers_;  // by piece: the right ones
  std::vector<Content*> found_;
};

}  // namespace

void run_protocol(const ParlaWorkload& workload, ParlaGeneration generation,
                  const ParlaSink& sink) {
  ProtocolRun(workload, generation, sink).run();
}

}  // namespace parley::workloads
