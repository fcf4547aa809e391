#include "sim/bounds.h"

#include <algorithm>

#include "sim/data_flow.h"
#include "sim/reach.h"
#include "sim/transfer_bound.h"
#include "sim/work_bound.h"

namespace parley::sim {
namespace {

/// Longest chains, task by task in an allowed order: each starts when it is released and all that
/// it waits for in time have ended, and takes what it takes on its fastest device.
class Chains {
 public:
  Chains(const core::Program& program, Reach& reach)
      : program_(program), reach_(reach), end_(program.task_count()) {}

  void add(core::TaskId id, const std::vector<FlowRead>& reads) {
    const core::Task& task = program_.task(id);
    if (task.kind != core::TaskKind::kCompute) return;  // takes no time and is waited for by none
    core::Time start = task.release;
    for (const core::TaskId before : program_.timed_dependencies(id)) {
      start = std::max(start, end_[before]);
    }
    for (const FlowRead& read : reads) {
      if (!read.writer.is_none()) start = std::max(start, end_[read.writer]);
    }
    end_[id] = start + reach_.fastest(id);
    longest_ = std::max(longest_, end_[id]);
  }
  [[nodiscard]] core::Duration longest() const { return longest_ - core::Time(0); }

 private:
  const core::Program& program_;
  Reach& reach_;
  core::IdVector<core::TaskId, core::Time> end_;
  core::Time longest_;
};

}  // namespace

Bounds lower_bounds(const core::Program& program, const core::Machine& machine,
                    Durations& durations) {
  Reach reach(program, machine, durations);
  DataFlow flow(program);
  Chains chains(program, reach);
  TransferBound transfers(program, machine, reach, flow.piece_count());
  for (const core::TaskId task : flow.order()) {
    const std::vector<FlowRead>& reads = flow.advance(task);
    chains.add(task, reads);
    for (const FlowRead& read : reads) transfers.add_read(task, read);
  }
  transfers.add_at_end(flow);
  return {chains.longest(), work_bound(program, machine, durations, reach), transfers.bound()};
}

}  // namespace parley::sim
