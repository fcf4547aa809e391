#include "exec/calibrate/host_speed.h"

#include <algorithm>
#include <cstddef>

#include "exec/backend.h"
#include "exec/calibrate/laboratory.h"

namespace parley::exec {

core::Result<double> host_slowdown(const core::Machine& machine, const RunProgram& run) {
  const core::HostCosts& costs = machine.host();
  const double expected = 1e-9 * static_cast<double>(costs.issue_launch.count());
  if (costs.submitters != core::Submitters::kPerGpu || expected <= 0.0) return 1.0;
  constexpr std::size_t kTasks = 2000;
  const Laboratory laboratory(machine, run);
  double sum = 0.0;
  std::size_t gpus = 0;
  try {
    for (std::size_t d = 0; d < machine.device_count(); ++d) {
      const core::DeviceId device(d);
      if (machine.space(machine.device(device).space).is_host) continue;
      const auto now = [&](std::size_t tasks) {
        return laboratory.task(Laboratory::EmptyTasks::kIndependent, device, tasks, 64) / expected;
      };
      // The first finds caches and memory as the program before it left them: up to half as long
      // again. Short runs have more of their beginning in them than those of a calibration.
      (void)now(kTasks / 2);
      sum += median({now(kTasks), now(kTasks), now(kTasks)});
      ++gpus;
    }
  } catch (const EnvironmentFailure& failure) {
    return core::Fault{"", failure.what()};
  }
  return gpus == 0 ? 1.0
                   : std::clamp(sum / static_cast<double>(gpus), kLeastSlowdown, kMostSlowdown);
}

}  // namespace parley::exec
