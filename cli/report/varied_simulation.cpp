#include "cli/report/varied_simulation.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "sim/noise.h"

namespace parley::cli {

core::Result<sim::SimResult> simulate_varied(const core::Program& program,
                                             const core::Machine& machine,
                                             sim::SimOptions options) {
  PARLEY_CHECK(options.task_noise.is_none(), "noise besides the variation of a prediction");
  options.task_noise = *sim::Noise::parse("normal:sigma=" + std::to_string(kVariation));
  std::vector<sim::SimResult> results;
  for (std::uint64_t i = 0; i < kVariedRuns; ++i) {
    options.noise_seed = options.engine.seed + i;
    core::Result<sim::SimResult> result = sim::simulate(program, machine, options);
    if (!result) return result.faults();
    results.push_back(std::move(*result));
  }
  const auto median = results.begin() + static_cast<std::ptrdiff_t>(kVariedRuns / 2);
  std::ranges::nth_element(results, median, {}, [](const auto& one) { return one.run.makespan; });
  return std::move(*median);
}

}  // namespace parley::cli
