#include "exec/calibrate/calibration.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "exec/calibrate/kernel_times.h"
#include "exec/calibrate/laboratory.h"
#include "exec/calibrate/link_fit.h"
#include "exec/executor.h"

namespace parley::exec {
namespace {

using core::DeviceId;

core::Duration duration(double seconds) {
  return core::Duration(std::max(0LL, std::llround(seconds * 1e9)));
}

/// What routes and tables are measured anew; the rest of `plain` stays.
core::MachineSpec without_figures(const core::Machine& plain) {
  core::MachineSpec spec = plain.spec();
  spec.routes.clear();
  spec.relays.clear();
  spec.resources = {};
  spec.engines = {};
  spec.kernels.clear();
  for (std::size_t d = 0; d < spec.devices.size(); ++d) {
    spec.devices[DeviceId(d)].flops_per_s.clear();
  }
  return spec;
}

/// The first GPU, else the first device.
DeviceId accelerator(const core::MachineSpec& spec) {
  for (std::size_t d = 0; d < spec.devices.size(); ++d) {
    if (!spec.spaces[spec.devices[DeviceId(d)].space].is_host) return DeviceId(d);
  }
  return DeviceId(0);
}

/// Start-up of kernels, and what the host spends on commands: from tasks that do nothing.
void measure_host(const Laboratory& laboratory, bool is_quick, core::MachineSpec& spec) {
  using Empty = Laboratory::EmptyTasks;
  const DeviceId device = accelerator(spec);
  const std::size_t count = is_quick ? 1000 : 4000;
  const auto best_of = [&](Empty kind, std::size_t tasks, std::uint32_t window) {
    double least = laboratory.task(kind, device, tasks, window);
    for (int i = 0; i < 2; ++i) {
      least = std::min(least, laboratory.task(kind, device, tasks, window));
    }
    return least;
  };
  const double launch = best_of(Empty::kIndependent, count, 64);
  const double copied = best_of(Empty::kCopies, count, 64);
  const double alone = best_of(Empty::kChain, count / 4, 1);
  spec.host.issue_launch = duration(launch);
  spec.host.issue_copy = duration(copied - launch);
  spec.host.round_trip = duration(alone);
  spec.host.decide = core::Duration(0);  // within the other two
  std::vector<std::string> seen;
  for (std::size_t d = 0; d < spec.devices.size(); ++d) {
    const std::string& device_class = spec.devices[DeviceId(d)].device_class;
    if (std::find(seen.begin(), seen.end(), device_class) != seen.end()) continue;
    seen.push_back(device_class);
    KernelProbe empty;
    empty.kernel = "spin";
    empty.parameters = {{"ns", 0.0}};
    const core::Duration start = duration(median(laboratory.kernel(empty, DeviceId(d), 100)));
    for (std::size_t other = 0; other < spec.devices.size(); ++other) {
      core::Device& like = spec.devices[DeviceId(other)];
      if (like.device_class == device_class) like.launch = start;
    }
  }
}

void measure_all(const core::Machine& plain, const CalibrationOptions& options,
                 const RunProgram& run, core::MachineSpec& spec) {
  const Laboratory laboratory(plain, run);
  LinkFit links(laboratory, spec, options.is_quick);
  KernelTimes kernels(laboratory, spec, options.is_quick, options.is_sustained);
  std::vector<std::pair<std::string, std::function<void()>>> steps;
  steps.emplace_back("commands of the host",
                     [&] { measure_host(laboratory, options.is_quick, spec); });
  for (LinkFit::Step& step : links.steps()) {
    steps.emplace_back("copies " + step.what, std::move(step.measure));
  }
  for (KernelTimes::Step& step : kernels.steps()) {
    steps.emplace_back(step.what, std::move(step.measure));
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (options.progress) options.progress(steps[i].first, i, steps.size());
    steps[i].second();
  }
}

}  // namespace

core::Result<core::MachineSpec> calibrate(const core::Machine& plain,
                                          const CalibrationOptions& options,
                                          const RunProgram& run) {
  core::MachineSpec spec = without_figures(plain);
  try {
    measure_all(plain, options, run, spec);
  } catch (const EnvironmentFailure& failure) {
    return core::Fault{"calibrate", failure.what()};
  }
  // What the simulator would refuse is better said now.
  core::Result<core::Machine> machine = core::Machine::create(spec);
  if (!machine) return machine.faults();
  return spec;
}

core::Result<core::MachineSpec> calibrate(const core::Machine& plain,
                                          const CalibrationOptions& options, Backend& backend) {
  return calibrate(
      plain, options,
      [&](const core::Program& program, const core::Machine& machine,
          const core::EngineOptions& engine, bool is_timed) -> core::Result<core::RunRecord> {
        ExecOptions exec;
        exec.engine = engine;
        exec.record_commands = is_timed;
        exec.keep_contents = false;
        core::Result<ExecResult> result = execute(program, machine, exec, backend);
        if (!result) return result.faults();
        if (!result->failures.empty()) {
          return core::Fault{"execution", result->failures.front().cause};
        }
        return std::move(result->run);
      });
}

}  // namespace parley::exec
