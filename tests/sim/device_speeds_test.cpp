#include "sim/device_speeds.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "sim/simulator.h"
#include "tests/sim/machine_builder.h"
#include "tests/sim/program_builder.h"
#include "tests/sim/required.h"

namespace parley::sim {
namespace {

using core::Duration;
using core::Time;

std::int64_t span(const SimResult& result, std::size_t id) {
  for (const core::TaskRecord& task : result.run.tasks) {
    if (task.task == core::TaskId(id)) return (task.end - task.start).count();
  }
  return -1;
}

bool is_near(std::int64_t found, std::int64_t expected) { return std::abs(found - expected) <= 2; }

// ---- copies ----

/// 4 % slower at 1 byte/ns, over links of `rate` bytes/ns.
MachineBuilder disturbed_machine(double rate) {
  MachineBuilder builder(2);
  builder.spec.devices[gpu_device(0)].interference = {1e9, 1.04};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string name = std::to_string(i);
    builder.route(host_space(), gpu_space(i), {builder.resource("in" + name, rate * 1e9)});
    builder.route(gpu_space(i), host_space(), {builder.resource("out" + name, rate * 1e9)});
  }
  return builder;
}

TEST_CASE("a kernel is slower for as long as a copy comes in, by the rate of the copy") {
  struct Case {
    std::int64_t bytes;
    double rate;  // bytes/ns
    std::int64_t expected;
  };
  // The copy lasts bytes / rate, in which the kernel does 1 / (1 + 0.04 rate) of its work.
  const std::vector<Case> cases = {{100000, 1.0, 10400},      // beside it all the time
                                   {5200, 1.0, 10000 + 200},  // half of the work at 1 / 1.04
                                   {100000, 0.5, 10200},
                                   {100000, 2.0, 10800}};
  for (const Case& one : cases) {
    ProgramBuilder builder;
    const core::RegionId a = builder.array("A", one.bytes);
    builder.spawn(ProgramBuilder::task("kernel", "gpu:0", 10000));
    builder.spawn(ProgramBuilder::task("next", "gpu:0", 1, {in(a)}));  // fetches A meanwhile
    builder.close();
    const core::Machine machine = disturbed_machine(one.rate).build();
    const SimResult result = required(simulate(builder.program, machine, {}));
    CHECK(is_near(span(result, 0), one.expected));
  }
}

TEST_CASE("copies elsewhere disturb nobody, and machines without the figure are not disturbed") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 100000);
  builder.spawn(ProgramBuilder::task("kernel", "gpu:0", 10000));
  builder.spawn(ProgramBuilder::task("other", "gpu:1", 10000));
  builder.spawn(ProgramBuilder::task("next", "gpu:1", 1, {in(a)}));
  builder.close();
  const core::Machine machine = disturbed_machine(1.0).build();
  const SimResult result = required(simulate(builder.program, machine, {}));
  CHECK(span(result, 0) == 10000);
  CHECK(span(result, 1) == 10000);  // of a device that states nothing
}

TEST_CASE(
    "a copy that takes no time disturbs nobody, one at an absurd rate for no longer than ever") {
  struct Case {
    core::Bandwidth rate;
    std::int64_t longest;
  };
  for (const Case& one : {Case{core::Bandwidth(), 100000},
                          Case{core::Bandwidth(1e29), core::kLongestDuration.count()}}) {
    MachineBuilder machine(1);
    machine.spec.devices[gpu_device(0)].interference = {1e11, 1.5};
    core::Route& route = machine.route(host_space(), gpu_space(0));
    route.latency = Duration(10);
    route.rate_cap = one.rate;
    ProgramBuilder builder;
    const core::RegionId a = builder.array("A", 8 << 20);
    builder.spawn(ProgramBuilder::task("kernel", "gpu:0", 100000));
    builder.spawn(ProgramBuilder::task("next", "gpu:0", 1, {in(a)}));  // fetches A meanwhile
    builder.close();
    const SimResult result = required(simulate(builder.program, machine.build(), {}));
    CHECK(span(result, 0) >= 100000);
    CHECK(span(result, 0) <= one.longest);
  }
}

TEST_CASE("what disturbs beside a copy that takes no time still does so after it") {
  MachineBuilder machine(2);
  machine.spec.devices[gpu_device(0)].interference = {1e9, 1.04};
  machine.route(host_space(), gpu_space(0)).latency = Duration(10);
  machine.route(gpu_space(1), gpu_space(0)).rate_cap = core::Bandwidth(1e9);
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 8 << 20);
  const core::RegionId b = builder.array("B", 100000, "gpu1");
  builder.spawn(ProgramBuilder::task("kernel", "gpu:0", 10000));
  builder.spawn(ProgramBuilder::task("next", "gpu:0", 1, {in(a), in(b)}));
  builder.close();
  CHECK(is_near(span(required(simulate(builder.program, machine.build(), {})), 0), 10400));
}

TEST_CASE("what was recorded holds whatever is copied") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 100000);
  builder.spawn(ProgramBuilder::task("kernel", "gpu:0", 10000));
  builder.spawn(ProgramBuilder::task("next", "gpu:0", 1, {in(a)}));
  builder.close();
  const core::Machine machine = disturbed_machine(1.0).build();
  SimOptions options;
  options.recorded_durations = core::IdVector<core::TaskId, Duration>(1, Duration(7777));
  CHECK(span(required(simulate(builder.program, machine, options)), 0) == 7777);
}

// ---- power ----

core::Machine capped_machine() {
  MachineBuilder builder(1);
  core::Device& gpu = builder.spec.devices[gpu_device(0)];
  gpu.flops_per_s = {{"uint8", 1e9}, {"float64", 1e9}};  // one a nanosecond
  gpu.bytes_per_s = 1e9;
  gpu.power = {Duration(4000), 0.8};
  return builder.build();
}

/// A chain on gpu:0; each task by its flops and bytes, 0 and 0 for a stated microsecond.
SimResult run_chain(const std::vector<std::pair<double, double>>& tasks, bool has_power) {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 8, "gpu0");
  for (const auto& [flops, bytes] : tasks) {
    core::TaskSpec task = ProgramBuilder::task("T" + std::to_string(builder.program.task_count()),
                                               "gpu:0", 1000, {inout(a)});
    if (flops + bytes > 0.0) task.cost = {{"", std::nullopt, flops, bytes}};
    builder.spawn(task);
  }
  builder.close();
  SimOptions options;
  options.has_power = has_power;
  return required(simulate(builder.program, capped_machine(), options));
}

TEST_CASE("full load runs at full speed for the burst, then at the sustained speed") {
  const std::vector<std::pair<double, double>> tasks(10, {1000.0, 0.0});
  const SimResult result = run_chain(tasks, true);
  for (std::size_t i = 0; i < 4; ++i) CHECK(span(result, i) == 1000);
  for (std::size_t i = 4; i < 10; ++i) CHECK(is_near(span(result, i), 1250));
  CHECK(run_chain(tasks, false).run.makespan == Time(10000));  // off by default
}

TEST_CASE("a kernel that is longer than the burst slows down while it runs") {
  // 4000 ns of work at full speed, 6000 at 0.8.
  CHECK(is_near(span(run_chain({{10000.0, 0.0}}, true), 0), 4000 + 7500));
}

TEST_CASE("kernels that wait for memory do not drain the budget, and let it fill again") {
  // Loads of 0.5: below the cap of 0.8.
  const SimResult light = run_chain(std::vector(20, std::pair(500.0, 1000.0)), true);
  for (std::size_t i = 0; i < 20; ++i) CHECK(span(light, i) == 1000);
  // Emptied by 4000 ns of full load (a budget of 800), filled by 0.3 a nanosecond: 300 after one
  // light task, which is 1500 ns of full load again.
  std::vector<std::pair<double, double>> tasks(5, {1000.0, 0.0});
  tasks.emplace_back(500.0, 1000.0);
  tasks.insert(tasks.end(), 3, {1000.0, 0.0});
  const SimResult mixed = run_chain(tasks, true);
  CHECK(is_near(span(mixed, 4), 1250));
  CHECK(is_near(span(mixed, 5), 1000));
  CHECK(is_near(span(mixed, 6), 1000));
  CHECK(is_near(span(mixed, 7), 500 + 625));
  CHECK(is_near(span(mixed, 8), 1250));
}

TEST_CASE("a load between the cap and the peak drains slowly, and falls to the cap") {
  // Load 0.9: drains 0.1 a nanosecond, so a budget of 800 lasts 8000; then 0.8 / 0.9 of the speed.
  const SimResult result = run_chain(std::vector(10, std::pair(900.0, 1000.0)), true);
  for (std::size_t i = 0; i < 8; ++i) CHECK(is_near(span(result, i), 1000));
  CHECK(is_near(span(result, 9), 1125));
}

TEST_CASE("a task whose flops are unknown counts as full load") {
  const SimResult result = run_chain(std::vector(6, std::pair(0.0, 0.0)), true);
  CHECK(span(result, 3) == 1000);
  CHECK(is_near(span(result, 5), 1250));
}

}  // namespace
}  // namespace parley::sim
