// What a run for real will take, by the simulator. Kernels of one kind do not take quite the same
// time twice, and where policies go by what ends first, that decides: eight chains of tasks dealt
// out to two GPUs in turn keep to theirs as long as all tasks take the same time, and move often
// otherwise (two H200: 774 copies of 1,600 tasks; simulated on their calibrated machine 8 without
// variation, 722 to 789 with 0.2 to 5 %, seeds 1 and 2). How often may differ from seed to seed,
// which is why several are simulated.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "sim/simulator.h"

namespace parley::cli {

/// How much kernels vary: standard deviation over mean. Journals of two H200 have 0.6 to 2 %.
inline constexpr double kVariation = 0.005;
inline constexpr std::uint64_t kVariedRuns = 5;

struct VariedRun {
  sim::SimResult result;
  std::uint64_t noise_seed = 0;
};

/// As "normal:sigma=0.005".
std::string variation_text();

/// Simulated kVariedRuns times with durations of tasks that vary by kVariation, drawn with
/// engine.seed and the numbers after it; policies draw with engine.seed alone. The run whose
/// makespan is the median, of equal ones the first. Faults as sim::simulate(). Requires: no
/// task_noise.
core::Result<VariedRun> simulate_varied(const core::Program& program, const core::Machine& machine,
                                        sim::SimOptions options);

}  // namespace parley::cli
