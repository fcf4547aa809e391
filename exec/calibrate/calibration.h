// Measuring a machine: small programs run on it through the same engine and the same commands as
// any other, and their times make a machine description that the simulator can use. What is
// measured: every route over sizes; copies at the same time, which tells where they queue and which
// limits they share; kernels over sizes on a GPU and on the CPU; what the host spends on commands.
// GPUs are taken to be alike: limits found at the first hold for all.
#pragma once

#include <functional>
#include <string>

#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "core/journal/run_record.h"
#include "core/machine/machine.h"
#include "exec/backend.h"

namespace parley::exec {

struct CalibrationOptions {
  bool is_quick = false;  // fewer sizes and kernels: about a fifth of the time
  /// Rates of gemm and syrk after seconds of work, when a GPU's clock has come down to what its
  /// power allows, instead of those of short runs.
  bool is_sustained = false;
  /// Kernels that the executor runs side by side on a GPU; more than 1: what they leave of each
  /// other is measured (Device::streams, KernelShares).
  std::int32_t streams = 0;
  /// The executor has a thread for each GPU that issues its commands.
  bool has_submitters = false;
  std::int32_t copy_streams = 0;  // as HostCosts, and what follows
  core::Bytes inline_copy;
  core::Duration turn;
  /// Called before each measurement; may be empty.
  std::function<void(const std::string& what, std::size_t done, std::size_t total)> progress;
};

/// Runs a closed program. `is_timed`: its tasks and copies are listed, with measured times.
using RunProgram = std::function<core::Result<core::RunRecord>(
    const core::Program&, const core::Machine&, const core::EngineOptions&, bool is_timed)>;

/// `plain` (spaces and devices, whatever its rates) with routes, rates, kernel times and host costs
/// as measured. Faults: what `run` answers, and a machine that is none.
core::Result<core::MachineSpec> calibrate(const core::Machine& plain,
                                          const CalibrationOptions& options, const RunProgram& run);

/// Runs on a backend, which must outlive this. A command that fails is a fault.
RunProgram run_on(Backend& backend);

/// On a backend. Faults also: an environment that fails.
core::Result<core::MachineSpec> calibrate(const core::Machine& plain,
                                          const CalibrationOptions& options, Backend& backend);

}  // namespace parley::exec
