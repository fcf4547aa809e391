// How long tasks took in an earlier run, read from its journal or its summary: what the simulator
// takes for durations instead of its cost model (--durations FILE).
#pragma once

#include <cstddef>
#include <string>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/units.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"

namespace parley::cli {

struct RecordedDurations {
  core::IdVector<core::TaskId, core::Duration> durations;  // negative: none
  /// A device of this machine of the class that the task ran on; none: this machine has none.
  core::IdVector<core::TaskId, core::DeviceId> devices;
  std::size_t missing = 0;    // tasks of the program that the file has no duration of
  std::size_t elsewhere = 0;  // tasks that ran on a class of device that this machine lacks
  core::TaskId first_missing, first_elsewhere;
};

/// Tasks are found by name; those that only the file has are ignored. Faults: no journal or
/// summary, one without tasks, one of a run whose tasks were not timed.
core::Result<RecordedDurations> load_durations(const std::string& path,
                                               const core::Program& program,
                                               const core::Machine& machine);

/// A sentence about the tasks for which the model counts; "" when there are none.
std::string warning_of(const RecordedDurations& recorded, const std::string& path,
                       const core::Program& program);

}  // namespace parley::cli
