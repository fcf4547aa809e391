#include "sim/data_flow.h"

#include "core/graph/task_graph.h"

namespace parley::sim {

using core::PieceId;
using core::TaskId;

DataFlow::DataFlow(const core::Program& program) : program_(&program) {
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    const core::Array& array = program.array(core::ArrayId(i));
    map_.add_array(core::ArrayId(i), array.whole, core::Box::whole(array.spec.shape));
  }
  for (std::size_t i = 0; i < program.task_count(); ++i) {
    for (const core::Access& access : program.accesses(TaskId(i))) {
      if (map_.is_active(access.region)) continue;
      const core::Region& region = program.region(access.region);
      map_.activate(access.region, region.array, region.box);
    }
  }
  last_.resize(map_.piece_count());
  if (program.mode() == core::DependencyMode::kExplicit) {
    const core::TaskGraph graph(program);
    order_.assign(graph.topological_order().begin(), graph.topological_order().end());
    return;
  }
  order_.reserve(program.task_count());
  for (std::size_t i = 0; i < program.task_count(); ++i) order_.emplace_back(i);
}

core::Bytes DataFlow::bytes_of(PieceId piece) const {
  return core::Bytes(map_.size(piece) * program_->array(map_.array(piece)).element_bytes);
}

const std::vector<FlowRead>& DataFlow::advance(TaskId task) {
  reads_.clear();
  if (program_->task(task).kind != core::TaskKind::kCompute) return reads_;
  for (const core::Access& access : program_->accesses(task)) {
    if (!core::reads(access.mode)) continue;
    for (const PieceId piece : map_.pieces(access.region)) {
      reads_.push_back({piece, map_.array(piece), bytes_of(piece), last_[piece].task,
                        last_[piece].member, access.member});
    }
  }
  for (const core::Access& access : program_->accesses(task)) {
    if (!core::writes(access.mode)) continue;
    for (const PieceId piece : map_.pieces(access.region)) last_[piece] = {task, access.member};
  }
  return reads_;
}

std::vector<FlowRead> DataFlow::final_contents(core::ArrayId array) const {
  std::vector<FlowRead> contents;
  for (const PieceId piece : map_.pieces(program_->array(array).whole)) {
    contents.push_back({piece, array, bytes_of(piece), last_[piece].task, last_[piece].member, 0});
  }
  return contents;
}

}  // namespace parley::sim
