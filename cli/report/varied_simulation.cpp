#include "cli/report/varied_simulation.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/report/quantities.h"
#include "core/base/check.h"
#include "sim/noise.h"

namespace parley::cli {

std::string variation_text() { return "normal:sigma=" + text_of_number(kVariation); }

core::Result<VariedRun> simulate_varied(const core::Program& program, const core::Machine& machine,
                                        sim::SimOptions options) {
  PARLEY_CHECK(options.task_noise.is_none(), "noise besides the variation of a prediction");
  options.task_noise = *sim::Noise::parse(variation_text());
  std::vector<VariedRun> runs;
  for (std::uint64_t i = 0; i < kVariedRuns; ++i) {
    options.noise_seed = options.engine.seed + i;
    core::Result<sim::SimResult> result = sim::simulate(program, machine, options);
    if (!result) return result.faults();
    runs.push_back({std::move(*result), *options.noise_seed});
  }
  std::ranges::stable_sort(runs, {}, [](const VariedRun& run) { return run.result.run.makespan; });
  return std::move(runs[kVariedRuns / 2]);
}

}  // namespace parley::cli
