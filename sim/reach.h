// Where tasks may run: candidates by placement, and by task class the least time a task can take;
// in which spaces an operand may be used. What all bounds ask first.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/graph/program.h"
#include "core/machine/cost_model.h"
#include "core/machine/machine.h"
#include "sim/durations.h"

namespace parley::sim {

/// A set of memory spaces.
class SpaceSet {
 public:
  explicit SpaceSet(std::size_t space_count = 0) : has_(space_count, false) {}
  void insert(core::SpaceId space);
  [[nodiscard]] bool contains(core::SpaceId space) const { return has_[space.index()]; }
  /// The only member, or none when there are none or several.
  [[nodiscard]] core::SpaceId only() const { return count_ == 1 ? first_ : core::SpaceId::none(); }
  [[nodiscard]] bool empty() const { return count_ == 0; }

 private:
  std::vector<bool> has_;
  std::size_t count_ = 0;
  core::SpaceId first_;
};

/// A real lower bound in whole nanoseconds. Rounded up, as the makespan is whole, after giving way
/// a millionth for the rounding of sums and of the ends of flows.
core::Duration rounded_bound(double ns);

class Reach {
 public:
  Reach(const core::Program& program, const core::Machine& machine, Durations& durations);

  [[nodiscard]] const std::vector<core::Candidate>& candidates(core::PlacementId placement);
  /// The least over the candidates, whether or not their working set fits; 0 without candidates.
  core::Duration fastest(core::TaskId task);
  /// Of one candidate: its slowest member's.
  core::Duration duration(TaskClassId id, const core::Candidate& candidate);
  /// Spaces in which member `member` of a task placed like this may run.
  const SpaceSet& spaces(core::PlacementId placement, std::size_t member);

 private:
  static constexpr std::int64_t kNotAsked = -1;

  const core::Program& program_;
  const core::Machine& machine_;
  Durations& durations_;
  struct Place {
    bool is_resolved = false;
    std::vector<core::Candidate> candidates;
    std::vector<SpaceSet> spaces;  // by member
  };
  Place& place(core::PlacementId placement);

  core::IdVector<core::PlacementId, Place> places_;
  core::IdVector<TaskClassId, std::int64_t> fastest_;
  SpaceSet nowhere_;
};

}  // namespace parley::sim
