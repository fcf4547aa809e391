// Calibration, tried on simulated machines whose every figure is known: what comes out must predict
// what they do.
#include "exec/calibrate/calibration.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "exec/calibrate/laboratory.h"
#include "exec/calibrate/link_fit.h"
#include "exec/host/host_backend.h"
#include "sim/simulator.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::exec {
namespace {

core::Machine shipped(const std::string& name, const std::vector<std::string>& limits = {}) {
  auto machine = workloads::load_machine(name, limits);
  REQUIRE(machine.has_value());
  return *std::move(machine);
}

/// Performs programs on `truth`, whatever machine the engine is told about.
RunProgram simulated_on(const core::Machine& truth) {
  return [&truth](const core::Program& program, const core::Machine&,
                  const core::EngineOptions& engine, bool) -> core::Result<core::RunRecord> {
    sim::SimOptions options;
    options.engine = engine;
    auto result = sim::simulate(program, truth, options);
    if (!result) return result.faults();
    return std::move(result->run);
  };
}

double makespan(const core::Machine& machine, const std::string& workload,
                const std::string& mapper = "") {
  const auto program = workloads::load_workload(workload);
  REQUIRE_MESSAGE(program.has_value(), workload);
  sim::SimOptions options;
  options.engine.mapper = mapper;
  const auto result = sim::simulate(*program, machine, options);
  REQUIRE(result.has_value());
  return static_cast<double>(result->run.makespan.ns());
}

TEST_CASE("joint_rate: what all flows carry while each of them is under way") {
  const CopyFlow a{core::SpaceId(0), core::SpaceId(1)}, b{core::SpaceId(1), core::SpaceId(0)};
  CHECK(joint_rate({{a, 100.0, 0.0, 10.0}}) == doctest::Approx(10.0));
  CHECK(joint_rate({{a, 100.0, 0.0, 10.0}, {b, 100.0, 0.0, 10.0}}) == doctest::Approx(20.0));
  // From 5, when b starts, to 10, when a ends.
  CHECK(joint_rate({{a, 100.0, 0.0, 10.0}, {b, 100.0, 5.0, 25.0}}) == doctest::Approx(15.0));
  CHECK(joint_rate({{a, 50.0, 0.0, 4.0}, {a, 50.0, 4.0, 10.0}, {b, 40.0, 2.0, 12.0}}) ==
        doctest::Approx((25.0 + 50.0 + 32.0) / 8.0));
  CHECK(joint_rate({{a, 100.0, 0.0, 10.0}, {b, 100.0, 10.0, 20.0}}) == 0.0);
}

TEST_CASE("a calibrated machine predicts the patterns of copies of the one that was measured") {
  for (const std::string name : {"h200x4", "h200x2", "sirocco"}) {
    CAPTURE(name);
    const core::Machine truth = shipped(name);
    const auto spec = calibrate(truth, {.is_quick = true}, simulated_on(truth));
    REQUIRE_MESSAGE(spec.has_value(), spec.faults().front().what);
    const auto machine = core::Machine::create(*spec);
    REQUIRE(machine.has_value());
    const std::string gpus = ",gpus=" + std::string(name == "h200x2" ? "2" : "4");
    for (const std::string pattern :
         {"host_to_gpu", "gpu_to_host", "both_ways", "peer", "peer_both_ways", "ring", "broadcast",
          "gather", "all_to_all"}) {
      for (const std::string block : {"64MiB", "1MiB"}) {
        const std::string workload = "copies:pattern=" + pattern + ",block=" + block + gpus;
        CAPTURE(workload);
        const double ratio = makespan(*machine, workload) / makespan(truth, workload);
        CHECK(ratio > 0.85);
        CHECK(ratio < 1.15);
      }
    }
  }
}

TEST_CASE("a calibrated machine predicts kernels and what commands cost the host") {
  const core::Machine truth = shipped("h200x2");
  const auto spec = calibrate(truth, {}, simulated_on(truth));
  REQUIRE(spec.has_value());
  const auto near = [](core::Duration found, core::Duration right) {
    CHECK(static_cast<double>(found.count()) ==
          doctest::Approx(static_cast<double>(right.count())).epsilon(0.1));
  };
  near(spec->host.issue_launch, truth.host().issue_launch);
  near(spec->host.issue_copy, truth.host().issue_copy);
  near(spec->host.round_trip, truth.host().round_trip);
  for (const char* kernel : {"gemm", "syrk", "trsm", "potrf"}) {
    CAPTURE(kernel);
    const auto& found = spec->kernels.at(kernel).at("gpu").at("float64");
    const auto& right = truth.spec().kernels.at(kernel).at("gpu").at("float64");
    for (const auto& [size, time] : right) {
      for (const auto& [measured_size, measured] : found) {
        if (measured_size == size) near(measured, time);
      }
    }
  }
  const auto machine = core::Machine::create(*spec);
  REQUIRE(machine.has_value());
  for (const std::string workload : {"cholesky:tiles=12,tile=1024",
                                     "cholesky:tiles=12,tile=1024,solve=inverse,home=block_cyclic,"
                                     "gpus=2",
                                     "gemm:tiles=6,depth=4,tile=2048",
                                     "wavefront:rows=30,columns=30,block=8,kernel=spin,task_ns=0",
                                     "pingpong:rounds=20,block=16MiB"}) {
    CAPTURE(workload);
    const double ratio =
        makespan(*machine, workload, "block_cyclic") / makespan(truth, workload, "block_cyclic");
    CHECK(ratio > 0.9);
    CHECK(ratio < 1.1);
  }
}

TEST_CASE("a failing measurement is said, not hidden") {
  const core::Machine truth = shipped("h200x1");
  const auto spec =
      calibrate(truth, {.is_quick = true},
                [](const core::Program&, const core::Machine&, const core::EngineOptions&,
                   bool) -> core::Result<core::RunRecord> {
                  return core::Fault{"execution", "the device is gone"};
                });
  REQUIRE_FALSE(spec.has_value());
  CHECK(spec.faults().front().what == "execution: the device is gone");
}

}  // namespace
}  // namespace parley::exec
