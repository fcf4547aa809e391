// How fast the host's threads are at the moment, beside what a machine file says of them. On a
// virtual machine, whose processors share cores and sockets with others' work, the same threads
// take up to a third longer in one second than in the next.
#pragma once

#include "core/base/result.h"
#include "core/machine/machine.h"
#include "exec/calibrate/calibration.h"

namespace parley::exec {

/// How many times as long as `machine` says empty tasks take to issue, the mean over its GPUs: the
/// median of three runs of a thousand on each, as when the machine was calibrated. 1 where the
/// machine states no such time, or no thread for each GPU. Faults: as `run`.
core::Result<double> host_slowdown(const core::Machine& machine, const RunProgram& run);

}  // namespace parley::exec
