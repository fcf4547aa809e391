#include "exec/calibrate/calibration.h"

#include <utility>
#include <vector>

#include "exec/calibrate/host_costs.h"
#include "exec/calibrate/kernel_times.h"
#include "exec/calibrate/laboratory.h"
#include "exec/calibrate/link_fit.h"
#include "exec/executor.h"

namespace parley::exec {
namespace {

using core::DeviceId;

/// What routes and tables are measured anew; the rest of `plain` stays.
core::MachineSpec without_figures(const core::Machine& plain) {
  core::MachineSpec spec = plain.spec();
  spec.routes.clear();
  spec.relays.clear();
  spec.resources = {};
  spec.engines = {};
  spec.kernels.clear();
  spec.shares.clear();
  spec.issue.clear();
  spec.host.event = spec.host.poll = spec.host.turn = spec.host.handoff = core::Duration(0);
  spec.host.submitters = core::Submitters::kOne;
  spec.host.crowding = 0.0;
  spec.host.issue_part = spec.host.issue_joined = core::Duration(0);
  spec.host.copy_streams = 0;
  spec.host.inline_copy = core::Bytes(0);
  for (std::size_t d = 0; d < spec.devices.size(); ++d) {
    core::Device& device = spec.devices[DeviceId(d)];
    device.flops_per_s.clear();
    device.streams = 0;
    device.saturation = 0.0;
    device.interference = {};
    device.power = {};
  }
  return spec;
}

void measure_all(const core::Machine& plain, const CalibrationOptions& options,
                 const RunProgram& run, core::MachineSpec& spec) {
  const Laboratory laboratory(plain, run);
  LinkFit links(laboratory, spec, options.is_quick);
  KernelTimes kernels(laboratory, spec, options);
  std::vector<std::pair<std::string, std::function<void()>>> steps;
  steps.emplace_back("commands of the host", [&] { measure_host(laboratory, options, spec); });
  for (LinkFit::Step& step : links.steps()) {
    steps.emplace_back("copies " + step.what, std::move(step.measure));
  }
  steps.emplace_back("from one queue to another",
                     [&] { measure_telling(laboratory, options, spec); });
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

RunProgram run_on(Backend& backend) {
  return [&backend](const core::Program& program, const core::Machine& machine,
                    const core::EngineOptions& engine,
                    bool is_timed) -> core::Result<core::RunRecord> {
    ExecOptions exec;
    exec.engine = engine;
    exec.record_commands = is_timed;
    exec.keep_contents = false;
    core::Result<ExecResult> result = execute(program, machine, exec, backend);
    if (!result) return result.faults();
    if (!result->stopped.empty()) return core::Fault{kEnvironmentFault, result->stopped};
    if (!result->failures.empty()) {
      return core::Fault{"execution", result->failures.front().cause};
    }
    return std::move(result->run);
  };
}

core::Result<core::MachineSpec> calibrate(const core::Machine& plain,
                                          const CalibrationOptions& options, Backend& backend) {
  return calibrate(plain, options, run_on(backend));
}

}  // namespace parley::exec
