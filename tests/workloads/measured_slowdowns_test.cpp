// What slows kernels down on an H200, as measured (2026-11-21), from the one shipped machine: a
// matrix product while a copy arrives, and products for longer than the power cap allows.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "core/graph/program.h"
#include "sim/simulator.h"
#include "workloads/generator.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::workloads {
namespace {

core::RunRecord simulated(const core::Program& program, const char* name, bool has_power) {
  const core::Result<core::Machine> machine = load_machine(name);
  REQUIRE(machine.has_value());
  sim::SimOptions options;
  options.has_power = has_power;
  core::Result<sim::SimResult> result = sim::simulate(program, *machine, options);
  REQUIRE(result.has_value());
  return std::move(result->run);
}

/// Microseconds in tasks of the name, in order of their starts.
std::vector<double> durations(const core::Program& program, const core::RunRecord& run,
                              const std::string& family) {
  std::vector<core::TaskRecord> tasks;
  for (const core::TaskRecord& task : run.tasks) {
    if (program.task_name(task.task).starts_with(family)) tasks.push_back(task);
  }
  std::ranges::sort(tasks, {}, &core::TaskRecord::start);
  std::vector<double> us;
  for (const core::TaskRecord& task : tasks) {
    us.push_back(static_cast<double>((task.end - task.start).count()) / 1e3);
  }
  return us;
}

bool is_within(double found, double expected, double share) {
  return std::abs(found / expected - 1.0) <= share;
}

TEST_CASE("a matrix product of 4096 takes 4 % longer while another GPU sends to its GPU") {
  // 1.01 GB at 395 GB/s last for one product.
  const core::Result<core::Program> program = parse_workload(R"({
      "format": "parley-workload", "version": 1, "name": "beside",
      "arrays": [
        {"name": "X", "shape": [4096, 4096], "dtype": "float64", "home": "gpu0", "init": {"fill": 1}},
        {"name": "Y", "shape": [4096, 4096], "dtype": "float64", "home": "gpu0", "init": {"fill": 1}},
        {"name": "Z", "shape": [4096, 4096], "dtype": "float64", "home": "gpu0", "init": {"fill": 0}},
        {"name": "big", "shape": [1010000000], "dtype": "uint8", "home": "gpu1", "init": {"fill": 1}}],
      "tasks": [
        {"name": "gemm[0]", "placement": "gpu:0", "in": ["X", "Y"], "inout": ["Z"],
         "kernel": {"name": "gemm"}},
        {"name": "take", "placement": "gpu:0", "in": ["big"], "cost": {"ns": 0}},
        {"name": "gemm[1]", "placement": "gpu:0", "in": ["X", "Y"], "inout": ["Z"],
         "kernel": {"name": "gemm"}}]})",
                                                             "beside");
  for (const core::Fault& fault : program.faults()) FAIL(fault.where << ": " << fault.what);
  const core::RunRecord run = simulated(*program, "h200x2", false);
  const std::vector<double> us = durations(*program, run, "gemm[");
  REQUIRE(us.size() == 2);
  CHECK(is_within(us[0], 2568.17, 0.005));  // measured; 2469.27 when alone
  CHECK(is_within(us[1], 2469.27, 0.005));
}

TEST_CASE("products of 2048 run at 56 TFLOP/s for a burst, and at 50.8 sustained") {
  const core::Result<core::Program> program =
      GeneratorRegistry().make("gemm:tiles=8,depth=8,tile=2048,home=block_cyclic,gpus=1");
  REQUIRE(program.has_value());
  constexpr double kOperations = 2.0 * 2048 * 2048 * 2048;
  const std::vector<double> us = durations(*program, simulated(*program, "h200x1", true), "");
  REQUIRE(us.size() > 300);
  CHECK(is_within(kOperations / us.front() / 1e6, 56.2, 0.003));
  CHECK(is_within(kOperations / us.back() / 1e6, 50.8, 0.003));
  const std::vector<double> off = durations(*program, simulated(*program, "h200x1", false), "");
  CHECK(is_within(kOperations / off.back() / 1e6, 56.2, 0.003));  // unless it is asked for
}

TEST_CASE("a Cholesky factorisation loses to the cap what was measured, and its solves nothing") {
  const core::Result<core::Program> program = GeneratorRegistry().make(
      "cholesky:tiles=32,tile=2048,solve=inverse,home=block_cyclic,gpus=2");
  REQUIRE(program.has_value());
  const core::RunRecord burst = simulated(*program, "h200x2", false);
  const core::RunRecord capped = simulated(*program, "h200x2", true);
  // 1.03 s measured on two GPUs (docs/gpu_results.md); the model of a burst is 12 % below.
  CHECK(static_cast<double>(burst.makespan.ns()) < 0.93 * 1.03e9);
  CHECK(is_within(static_cast<double>(capped.makespan.ns()), 1.03e9, 0.08));
  CHECK(is_within(durations(*program, capped, "potrf").back(),
                  durations(*program, burst, "potrf").back(), 0.01));
}

}  // namespace
}  // namespace parley::workloads
