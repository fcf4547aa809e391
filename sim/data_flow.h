// Who reads whose bytes: walks the tasks in an order that the program allows, and tells for each
// piece that a task reads which task wrote it last, or that it is initial. Only such edges, and
// explicit ones, order tasks in time: a later writer elsewhere waits for nobody's reading.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/graph/piece_map.h"
#include "core/graph/program.h"

namespace parley::sim {

/// A piece that a task reads.
struct FlowRead {
  core::PieceId piece;
  core::ArrayId array;
  core::Bytes bytes;
  core::TaskId writer;             // none: initial contents
  std::uint8_t writer_member = 0;  // on which device of its group
  std::uint8_t reader_member = 0;
};

class DataFlow {
 public:
  explicit DataFlow(const core::Program& program);

  /// Submission order; if explicit dependencies may lead backwards, a topological one.
  [[nodiscard]] const std::vector<core::TaskId>& order() const { return order_; }
  /// What the task reads; then its writes count. To be called once for each task, in order().
  /// Valid until the next call. Evictions neither read nor write.
  const std::vector<FlowRead>& advance(core::TaskId task);
  /// After all tasks: who wrote the pieces of an array last (reader_member has no meaning).
  std::vector<FlowRead> final_contents(core::ArrayId array) const;
  [[nodiscard]] std::size_t piece_count() const { return map_.piece_count(); }

 private:
  struct LastWrite {
    core::TaskId task;
    std::uint8_t member = 0;
  };

  [[nodiscard]] core::Bytes bytes_of(core::PieceId piece) const;

  const core::Program* program_;
  core::PieceMap map_;
  std::vector<core::TaskId> order_;
  core::IdVector<core::PieceId, LastWrite> last_;
  std::vector<FlowRead> reads_;
};

}  // namespace parley::sim
