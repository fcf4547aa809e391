// How fast the host is, found on simulated machines whose host is slower than their file says.
#include "exec/calibrate/host_speed.h"

#include <doctest/doctest.h>

#include <utility>

#include "sim/simulator.h"
#include "workloads/machine_file.h"

namespace parley::exec {
namespace {

core::Machine machine_with_threads(core::Submitters submitters) {
  core::Result<core::Machine> shipped = workloads::load_machine("h200x2", {});
  REQUIRE(shipped.has_value());
  core::MachineSpec spec = shipped->spec();
  spec.host.submitters = submitters;
  spec.host.issue_launch = core::Duration(5000);
  spec.host.poll = core::Duration(2500);
  spec.host.decide_command = core::Duration(800);
  spec.shares["spin"]["gpu"]["float64"] = {{1, 0.0}};
  for (std::size_t d = 0; d < spec.devices.size(); ++d) {
    if (!spec.spaces[spec.devices[core::DeviceId(d)].space].is_host) {
      spec.devices[core::DeviceId(d)].streams = 4;
    }
  }
  core::Result<core::Machine> machine = core::Machine::create(std::move(spec));
  REQUIRE(machine.has_value());
  return std::move(*machine);
}

/// Of a simulated host that takes `truth` times as long as its file says.
double found_when(double truth) {
  const core::Result<double> found =
      host_slowdown(machine_with_threads(core::Submitters::kPerGpu),
                    [&](const core::Program& program, const core::Machine& on,
                        const core::EngineOptions& engine, bool) -> core::Result<core::RunRecord> {
                      sim::SimOptions options;
                      options.engine = engine;
                      options.as_executed = true;
                      options.host_slowdown = truth;
                      core::Result<sim::SimResult> result = sim::simulate(program, on, options);
                      if (!result) return result.faults();
                      return std::move(result->run);
                    });
  REQUIRE(found.has_value());
  return *found;
}

TEST_CASE("a host that takes longer than its machine file says is found to") {
  // What a calibration measures has looks for ends in it, which the simulator adds once more.
  const double as_stated = found_when(1.0);
  CHECK(as_stated == doctest::Approx(1.0).epsilon(0.2));
  for (const double truth : {0.7, 1.3, 2.0}) {
    CHECK(found_when(truth) == doctest::Approx(truth * as_stated).epsilon(0.02));
  }
}

TEST_CASE("nothing runs where one thread issues all") {
  int runs = 0;
  const core::Result<double> found =
      host_slowdown(machine_with_threads(core::Submitters::kOne),
                    [&](const core::Program&, const core::Machine&, const core::EngineOptions&,
                        bool) -> core::Result<core::RunRecord> {
                      ++runs;
                      return core::Fault{"execution", "not to be called"};
                    });
  REQUIRE(found.has_value());
  CHECK(*found == 1.0);
  CHECK(runs == 0);
}

TEST_CASE("a run that fails is said") {
  const core::Result<double> found =
      host_slowdown(machine_with_threads(core::Submitters::kPerGpu),
                    [](const core::Program&, const core::Machine&, const core::EngineOptions&,
                       bool) -> core::Result<core::RunRecord> {
                      return core::Fault{"execution", "the device is gone"};
                    });
  REQUIRE_FALSE(found.has_value());
  CHECK(found.faults().front().what == "execution: the device is gone");  // said once
  CHECK(found.faults().front().where.empty());
}

}  // namespace
}  // namespace parley::exec
