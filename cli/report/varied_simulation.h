// What a run for real will take, by the simulator. Kernels of one kind do not take quite the same
// time twice, and where policies go by what ends first, that decides: eight chains of tasks dealt
// out to two GPUs in turn keep to theirs as long as all tasks take the same time, and move after
// nearly every task otherwise (H200: 774 copies of 1,600 tasks; simulated 8 without variation, 720
// to 790 with 0.2 to 5 %).
#pragma once

#include <cstdint>

#include "core/base/result.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "sim/simulator.h"

namespace parley::cli {

/// How much kernels vary: standard deviation over mean. Journals of two H200 have 0.6 to 2 %.
inline constexpr double kVariation = 0.01;
inline constexpr std::uint64_t kVariedRuns = 3;

/// Simulated kVariedRuns times with durations of tasks that vary by kVariation, drawn with
/// engine.seed and the numbers after it; policies draw with engine.seed alone. The run whose
/// makespan is the median. Faults as sim::simulate(). Requires: no task_noise.
core::Result<sim::SimResult> simulate_varied(const core::Program& program,
                                             const core::Machine& machine, sim::SimOptions options);

}  // namespace parley::cli
