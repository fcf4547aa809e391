// Data races of a program with explicit dependencies: two tasks touch the same elements, at least
// one of them writes, and neither waits for the other. A program without any means the same in
// every order that its dependencies allow. Inferred dependencies order all conflicts, so that
// programs with "inferred" or "both" have none by construction.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/graph/box.h"
#include "core/graph/program.h"

namespace parley::core {

/// `second` is the task of the two that comes later in topological order (lowest id first), and
/// `first` the nearest one before it that its access to `second_region` conflicts with.
struct Race {
  TaskId first, second;
  RegionId first_region, second_region;
  AccessMode first_mode = AccessMode::kIn, second_mode = AccessMode::kIn;
  Box overlap;  // the common elements
};

/// A task reads elements that have no initial contents and that no task before it, in topological
/// order, writes.
struct UndefinedRead {
  TaskId task;
  RegionId region;
  Box part;  // some of those elements
};

struct RaceReport {
  std::vector<Race> races;  // by (second in topological order, second_region)
  std::vector<UndefinedRead> undefined_reads;
  bool is_cut_short = false;  // there are more races, or undefined reads, than were asked for

  [[nodiscard]] bool is_clean() const { return races.empty() && undefined_reads.empty(); }
};

/// The first `most` races, one for each access that has any, and as many undefined reads. Requires:
/// a closed program. Takes one step per access and piece of its region, if no race is found.
RaceReport find_races(const Program& program, std::size_t most = 100);

/// The report in sentences, one fault each: `where` is the (second) task's name.
Faults faults_of(const Program& program, const RaceReport& report);

}  // namespace parley::core
