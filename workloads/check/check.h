// What can be said of a workload before it runs: its size and shape, what is wrong with it, and
// what Parla, whose programs it may come from, would make of it. The command `parley check` prints
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/units.h"
#include "core/graph/program.h"
#include "core/graph/races.h"
#include "core/graph/task_graph.h"
#include "core/machine/machine.h"
#include "workloads/check/parla_model.h"

namespace parley::workloads {

/// Sizes in bytes are those of compact replicas, rounded as the memory arenas round them.
struct ProgramStatistics {
  std::size_t tasks = 0;
  std::size_t evictions = 0;  // among the tasks
  std::size_t accesses = 0;
  std::size_t dependencies = 0;
  std::size_t arrays = 0;
  core::Bytes array_bytes;
  std::size_t regions = 0;      // distinct ones that tasks access
  std::size_t pieces = 0;       // that those divide the arrays into
  std::size_t most_pieces = 0;  // of one region
  core::RegionId finest;        // the region of most pieces
  core::GraphShape shape;
  core::Bytes smallest_working_set, median_working_set, largest_working_set;
  core::TaskId largest_task;  // none without tasks
};

/// Where the model of Parla ran tasks that may run in several places.
enum class ParlaPlacement : std::uint8_t {
  kGiven,   // by a mapping
  kFirst,   // on the first device of their first alternative
  kInTurn,  // on the GPUs in turn, because that goes wrong in Parla and the first devices do not
};

struct CheckReport {
  ProgramStatistics statistics;
  core::RaceReport races;
  /// Why the workload cannot run on the machine: names, working sets with both figures, home slots.
  core::Faults machine_faults;
  ParlaReport parla;
  ParlaPlacement parla_placement = ParlaPlacement::kFirst;

  /// Nothing keeps it from running. (What Parla would do is no fault of the workload's.)
  [[nodiscard]] bool is_sound() const { return races.is_clean() && machine_faults.empty(); }
};

/// Requires: a closed program. `machine`: null when none was named; then nothing is said of
/// fitting. `mapping`: the name of the device of each task's member 0, for the model of Parla; ""
/// for the first device of the task's first alternative. Without a mapping the model tries two
/// (ParlaPlacement).
CheckReport check_program(const core::Program& program, const core::Machine* machine = nullptr,
                          const std::vector<std::string>& mapping = {});

/// The report for people: statistics, faults, then what Parla would do. Ends with a newline.
std::string check_text(const core::Program& program, const CheckReport& report);

}  // namespace parley::workloads
