// What commands cost the host: from tasks that do nothing, run by the same executor as any other
// program, so that its own threads and queues are in the figures.
#pragma once

#include "core/base/units.h"
#include "core/machine/machine.h"
#include "exec/calibrate/calibration.h"
#include "exec/calibrate/laboratory.h"

namespace parley::exec {

/// Seconds that the thread that issues takes for a kernel that does nothing, as timed runs tell; 0:
/// not known.
double issue_of_empty_kernel(const Laboratory& laboratory, core::DeviceId device);

/// Start-up of kernels on each class of devices, and what the host spends on launches and copies.
void measure_host(const Laboratory& laboratory, const CalibrationOptions& options,
                  core::MachineSpec& spec);

/// How long after an end on one queue what waits for it starts on another. Requires: routes of
/// `spec` are measured.
void measure_telling(const Laboratory& laboratory, const CalibrationOptions& options,
                     core::MachineSpec& spec);

}  // namespace parley::exec
