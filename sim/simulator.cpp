#include "sim/simulator.h"

#include <algorithm>
#include <utility>

#include "sim/bounds.h"
#include "sim/durations.h"
#include "sim/simulation.h"

namespace parley::sim {

core::Duration Bounds::best() const { return std::max({critical_path, work, transfer}); }

core::Result<SimResult> simulate(const core::Program& program, const core::Machine& machine,
                                 const SimOptions& options) {
  core::Result<std::unique_ptr<core::Engine>> engine =
      core::Engine::create(program, machine, options.engine);
  if (!engine) return engine.faults();
  SimResult result;
  result.engine = std::move(engine).value();
  Durations durations(program, machine, &options);
  Simulation simulation(program, machine, *result.engine, options, durations);
  core::Result<core::RunRecord> run = simulation.run();
  if (!run) return run.faults();
  result.run = std::move(run).value();
  result.bounds = lower_bounds(program, machine, durations);
  // A copy may draw as short a time as can be: nothing is known of all.
  if (!options.copy_noise.is_none()) result.bounds.transfer = core::Duration(0);
  result.warnings = durations.warnings();
  return result;
}

Bounds lower_bounds(const core::Program& program, const core::Machine& machine) {
  Durations durations(program, machine);
  return lower_bounds(program, machine, durations);
}

}  // namespace parley::sim
