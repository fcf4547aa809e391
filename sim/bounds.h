// Lower bounds of the makespan that hold for every policy: of chains, of work, of transfers.
#pragma once

#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "sim/durations.h"
#include "sim/simulator.h"

namespace parley::sim {

/// As lower_bounds of simulator.h, with durations that may have been asked before.
Bounds lower_bounds(const core::Program& program, const core::Machine& machine,
                    Durations& durations);

}  // namespace parley::sim
