#include "workloads/check/check.h"

#include <algorithm>
#include <utility>

#include "core/engine/engine.h"
#include "core/memory/arena.h"
#include "workloads/check/parla_workload.h"

namespace parley::workloads {
namespace {

using core::Bytes;
using core::TaskId;

Bytes scratch_of(const core::Alternative& alternative) {
  Bytes total = core::Arena::rounded(alternative.scratch_bytes);
  for (const core::ScratchArray& scratch : alternative.scratch) {
    std::int64_t bytes = core::element_bytes(scratch.dtype);
    for (const std::int64_t extent : scratch.shape) bytes *= extent;
    total += core::Arena::rounded(Bytes(bytes));
  }
  return total;
}

/// What the task needs at once on one device: of a group, on the member that needs most; of several
/// alternatives, for the one with most scratch. Accesses to one region are already merged.
Bytes working_set(const core::Program& program, TaskId task) {
  std::vector<Bytes> of_member(1);
  for (const core::Access& access : program.accesses(task)) {
    if (of_member.size() <= access.member) of_member.resize(access.member + std::size_t{1});
    of_member[access.member] += core::Arena::rounded(program.region(access.region).bytes);
  }
  Bytes scratch;
  for (const core::Alternative& alternative : program.placement(program.task(task).placement)) {
    scratch = std::max(scratch, scratch_of(alternative));
  }
  return *std::max_element(of_member.begin(), of_member.end()) + scratch;
}

void add_working_sets(const core::Program& program, ProgramStatistics& statistics) {
  std::vector<Bytes> sets;
  for (std::size_t t = 0; t < program.task_count(); ++t) {
    const TaskId task(t);
    if (program.task(task).kind == core::TaskKind::kEvict) continue;
    sets.push_back(working_set(program, task));
    if (statistics.largest_task.is_none() || sets.back() > statistics.largest_working_set) {
      statistics.largest_working_set = sets.back();
      statistics.largest_task = task;
    }
  }
  if (sets.empty()) return;
  const auto middle = sets.begin() + static_cast<std::ptrdiff_t>(sets.size() / 2);
  std::nth_element(sets.begin(), middle, sets.end());
  statistics.median_working_set = *middle;
  statistics.smallest_working_set = *std::min_element(sets.begin(), sets.end());
}

void add_regions(const ParlaWorkload& workload, ProgramStatistics& statistics) {
  const core::Program& program = workload.program();
  core::IdVector<core::RegionId, std::uint8_t> is_counted(program.region_count(), 0);
  for (std::size_t t = 0; t < program.task_count(); ++t) {
    for (const core::Access& access : program.accesses(TaskId(t))) {
      if (is_counted[access.region] != 0) continue;
      is_counted[access.region] = 1;
      ++statistics.regions;
      const std::size_t pieces = workload.operand(access).pieces.size();
      if (pieces <= statistics.most_pieces) continue;
      statistics.most_pieces = pieces;
      statistics.finest = access.region;
    }
  }
  for (std::size_t a = 0; a < program.array_count(); ++a) {
    statistics.pieces += workload.piece_count(core::ArrayId(a));
    statistics.array_bytes += program.array(core::ArrayId(a)).bytes;
  }
}

ProgramStatistics statistics_of(const ParlaWorkload& workload) {
  const core::Program& program = workload.program();
  ProgramStatistics statistics;
  statistics.tasks = program.task_count();
  for (std::size_t t = 0; t < program.task_count(); ++t) {
    const bool is_eviction = program.task(TaskId(t)).kind == core::TaskKind::kEvict;
    statistics.evictions += is_eviction ? 1 : 0;
  }
  statistics.accesses = program.access_count();
  statistics.dependencies = workload.graph().edge_count();
  statistics.arrays = program.array_count();
  statistics.shape = workload.graph().shape();
  add_regions(workload, statistics);
  add_working_sets(program, statistics);
  return statistics;
}

/// Devices for the tasks whose first alternative is any one GPU (or any device): the GPUs in turn,
/// at least two. Empty when there are no such tasks.
std::vector<std::string> gpus_in_turn(const ParlaWorkload& workload) {
  const core::Program& program = workload.program();
  const std::size_t gpus = std::max<std::size_t>(2, workload.device_count() - 1);
  std::vector<std::string> mapping(program.task_count());
  std::size_t next = 0;
  for (const TaskId task : workload.graph().topological_order()) {
    const core::Alternative& first = program.placement(program.task(task).placement).front();
    const std::string& member = first.members.front();
    if (first.members.size() > 1 || (member != "gpu" && member != "any")) continue;
    mapping[task.index()] = "gpu:" + std::to_string(next++ % gpus);
  }
  return next == 0 ? std::vector<std::string>() : mapping;
}

bool is_right(const ParlaReport& report) {
  return report.is_right(ParlaGeneration::kPython) && report.is_right(ParlaGeneration::kCpp);
}

}  // namespace

CheckReport check_program(const core::Program& program, const core::Machine* machine,
                          const std::vector<std::string>& mapping) {
  const ParlaWorkload workload(program, mapping);
  CheckReport report;
  report.statistics = statistics_of(workload);
  report.races = core::find_races(program);
  if (machine != nullptr) {
    // The engine is the one that refuses; so it is asked, and there is one opinion of what fits.
    report.machine_faults = core::Engine::create(program, *machine, {}).faults();
  }
  report.parla = run_parla_model(workload);
  report.parla_placement = mapping.empty() ? ParlaPlacement::kFirst : ParlaPlacement::kGiven;
  if (!mapping.empty() || !is_right(report.parla)) return report;
  const std::vector<std::string> in_turn = gpus_in_turn(workload);
  if (in_turn.empty()) return report;
  ParlaReport spread = run_parla_model(ParlaWorkload(program, in_turn));
  if (is_right(spread)) return report;
  report.parla = std::move(spread);
  report.parla_placement = ParlaPlacement::kInTurn;
  return report;
}

}  // namespace parley::workloads
