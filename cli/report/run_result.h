// Everything that a report says of one run, gathered: the input of the summary, the text report and
// the comparison. Refers to what it is given; owns only the names.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/model_options.h"
#include "core/base/units.h"
#include "core/coherence/overview.h"
#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "core/journal/run_record.h"
#include "core/machine/machine.h"
#include "core/policy/registry.h"
#include "exec/executor.h"
#include "sim/simulator.h"

namespace parley::cli {

/// Policies by kind ("mapper", ...), as text with their parameters; defaults named.
using PolicyChoice = std::vector<std::pair<std::string, std::string>>;
PolicyChoice policy_choice(const core::EngineOptions& options);

struct Execution;

struct RunResult {
  const core::Program& program;
  const core::Machine& machine;
  const core::EngineOptions& options;
  const core::RunRecord& run;
  std::optional<sim::Bounds> bounds;  // none when the machine's rates are not known
  const core::EngineStatistics& statistics;
  const std::vector<core::Overview>& overviews;
  const std::vector<core::StateChange>& states;
  const Execution* execution = nullptr;  // what only a run for real has
  std::vector<core::Thrashing> thrashing = {};
  ModelChoice model = {};  // of a simulated run
};

/// Requires: the run has an engine, and outlives what is returned.
RunResult run_result(const core::Program& program, const core::Machine& machine,
                     const core::EngineOptions& options, const sim::SimResult& simulation);

RunResult run_result(const core::Program& program, const core::Machine& machine,
                     const core::EngineOptions& options, const exec::ExecResult& executed,
                     const Execution& execution, std::optional<sim::Bounds> bounds);

/// Whether the record lists tasks and copies (a run may go without, to save time).
bool lists_commands(const RunResult& result);

struct Traffic {
  core::Bytes bytes;
  std::uint64_t copies = 0;
};

/// What went from each space to each, in the order of spaces; only pairs with a copy.
std::vector<std::pair<std::pair<core::SpaceId, core::SpaceId>, Traffic>> traffic_by_route(
    const core::Machine& machine, const core::RunRecord& run);

/// What went over each kind of link ("nvlink", "pcie", ...), by name.
std::map<std::string, Traffic> traffic_by_kind(const core::Machine& machine,
                                               const core::RunRecord& run);

/// Share of the makespan that a device spent in tasks, 0 to 1.
double busy_share(const core::RunRecord& run, core::DeviceId device);

/// How far the makespan is above the best lower bound: 0.25 is 25% above (a run for real on a
/// machine that was described too slow may be below). 0 when the bound is 0.
double above_bound(core::Time makespan, const sim::Bounds& bounds);

}  // namespace parley::cli
