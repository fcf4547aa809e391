// The transfer bound: bytes that cannot avoid leaving a space, or entering one, over the most that
// all routes out of it, or into it, can carry together.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "sim/data_flow.h"
#include "sim/reach.h"

namespace parley::sim {

/// Bytes/s that these routes can carry together at most; infinity if nothing limits them. Relaxes
/// the exact question (a linear program): the routes' own limits added up, or any one resource or
/// engine for the routes that use it and the others' own limits, whichever is least.
double most_together(const core::Machine& machine, const std::vector<const core::Route*>& routes);
double most_together(const core::Machine& machine, const std::vector<core::RouteId>& routes);

class TransferBound {
 public:
  TransferBound(const core::Program& program, const core::Machine& machine, Reach& reach,
                std::size_t piece_count);

  /// A piece is read by `reader`; called for all reads of all tasks in DataFlow's order.
  void add_read(core::TaskId reader, const FlowRead& read);
  /// After all reads: what `at_end` brings home.
  void add_at_end(const DataFlow& flow);
  [[nodiscard]] core::Duration bound() const;

 private:
  /// Of one version of a piece: which transfers of it have been counted.
  struct Counted {
    core::TaskId version;
    bool has_left = false;
    std::vector<core::SpaceId> entered;
  };

  const SpaceSet& origin(const FlowRead& read);
  void add(const FlowRead& read, const SpaceSet& origin, const SpaceSet& target);
  [[nodiscard]] std::vector<const core::Route*> ways(core::SpaceId space, bool is_out) const;

  const core::Program& program_;
  const core::Machine& machine_;
  Reach& reach_;
  core::IdVector<core::ArrayId, SpaceSet> homes_;
  core::IdVector<core::ArrayId, core::SpaceId> first_homes_;  // where contents go in the end
  core::IdVector<core::PieceId, Counted> counted_;
  core::IdVector<core::SpaceId, core::Bytes> leaving_, entering_;
  core::IdVector<core::SpaceId, std::vector<core::Route>> fabric_out_, fabric_in_;
};

}  // namespace parley::sim
