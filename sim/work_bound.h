// The work bound: all slots of all devices together cannot do more in the time of the run than all
// tasks together take. A task that may run in several places counts with what it takes least, at
// prices per unit of each device's time that are chosen to make the bound as high as possible.
#pragma once

#include "core/base/units.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "sim/durations.h"
#include "sim/reach.h"

namespace parley::sim {

core::Duration work_bound(const core::Program& program, const core::Machine& machine,
                          Durations& durations, Reach& reach);

}  // namespace parley::sim
