#include "core/graph/inference.h"

namespace parley::core {

void DependencyInference::add_array(ArrayId array, const Array& data) {
  const bool has_contents =
      data.spec.initial.kind != Initial::Kind::kNone || data.bytes == Bytes(0);
  map_.add_array(array, data.whole, Box::whole(data.spec.shape));
  history_.push_back({TaskId::none(), has_contents, {}});
}

std::span<const PieceId> DependencyInference::activate(const Program& program, RegionId id) {
  if (!map_.is_active(id)) {
    const Region& region = program.region(id);
    for (const PieceCut& cut : map_.activate(id, region.array, region.box)) {
      PieceHistory copy = history_[cut.from];
      history_.push_back(std::move(copy));
    }
  }
  return map_.pieces(id);
}

std::optional<RegionId> DependencyInference::dependencies(const Program& program,
                                                          std::span<const Access> accesses,
                                                          TaskKind kind,
                                                          std::vector<TaskId>& ordering,
                                                          std::vector<TaskId>& timed) {
  std::optional<RegionId> undefined;
  for (const Access& access : accesses) {
    const bool is_token = program.array(program.region(access.region).array).bytes == Bytes(0);
    std::vector<TaskId>& found = is_token ? timed : ordering;
    for (const PieceId piece : activate(program, access.region)) {
      const PieceHistory& history = history_[piece];
      if (reads(access.mode) && !history.is_initialised && !undefined &&
          kind == TaskKind::kCompute) {
        undefined = access.region;
      }
      if (writes(access.mode) && !history.readers.empty()) {
        found.insert(found.end(), history.readers.begin(), history.readers.end());
      } else if (!history.writer.is_none()) {
        found.push_back(history.writer);
      }
    }
  }
  return undefined;
}

void DependencyInference::record(const Program& program, TaskId task, TaskKind kind,
                                 std::span<const Access> accesses) {
  for (const Access& access : accesses) {
    if (writes(access.mode)) continue;
    for (const PieceId piece : activate(program, access.region)) {
      std::vector<TaskId>& readers = history_[piece].readers;
      if (readers.empty() || readers.back() != task) readers.push_back(task);
    }
  }
  for (const Access& access : accesses) {
    if (!writes(access.mode)) continue;
    for (const PieceId piece : activate(program, access.region)) {
      PieceHistory& history = history_[piece];
      history.writer = task;
      if (kind == TaskKind::kCompute) history.is_initialised = true;
      history.readers.clear();
    }
  }
}

}  // namespace parley::core
