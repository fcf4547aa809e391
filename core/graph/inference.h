// Dependencies inferred from accesses in submission order: per piece, the last writer and the
// readers since. Also finds reads of contents that nobody wrote.
#pragma once

#include <optional>
#include <vector>

#include "core/graph/piece_map.h"
#include "core/graph/program.h"

namespace parley::core {

class DependencyInference {
 public:
  void add_array(ArrayId array, const Array& data);

  /// Tasks that `accesses` depend on, unsorted, possibly repeated. `timed`: those through 0-byte
  /// arrays, whose order no bytes enforce. Returns the first read of contents that nobody wrote.
  std::optional<RegionId> dependencies(const Program& program, std::span<const Access> accesses,
                                       TaskKind kind, std::vector<TaskId>& ordering,
                                       std::vector<TaskId>& timed);
  /// Records the task's accesses, after dependencies() has answered for it.
  void record(const Program& program, TaskId task, TaskKind kind, std::span<const Access> accesses);

 private:
  struct PieceHistory {
    TaskId writer;
    bool is_initialised = false;
    std::vector<TaskId> readers;  // since the writer
  };

  std::span<const PieceId> activate(const Program& program, RegionId region);

  PieceMap map_;
  IdVector<PieceId, PieceHistory> history_;
};

}  // namespace parley::core
