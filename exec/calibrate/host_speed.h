// How fast the host's threads are at the moment, beside what a machine file says of them. On a
// virtual machine, whose processors share cores and sockets with others' work, the same threads
// take up to half as long again in one second as in the next.
#pragma once

#include "core/base/result.h"
#include "core/machine/machine.h"
#include "exec/calibrate/calibration.h"

namespace parley::exec {

inline constexpr double kLeastSlowdown = 0.1, kMostSlowdown = 10.0;

/// How many times as long as `machine` says empty tasks take to issue, the mean over its GPUs: the
/// median of three runs of 2,000 on each, as when the machine was calibrated; at most ten
/// times as fast or slow, as a file of another computer may say anything. 1 where the machine
/// states no such time, or no thread for each GPU. Faults: as `run`.
core::Result<double> host_slowdown(const core::Machine& machine, const RunProgram& run);

}  // namespace parley::exec
