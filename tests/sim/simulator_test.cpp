#include "sim/simulator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "core/base/check.h"
#include "tests/sim/machine_builder.h"
#include "tests/sim/program_builder.h"
#include "tests/sim/records.h"
#include "tests/sim/required.h"

namespace parley::sim {
namespace {

using core::Bytes;
using core::Duration;
using core::Time;

/// GPUs with one copy engine out of each and ports of 100 bytes/ns each way, as measured on H200.
core::Machine ported_machine(std::size_t gpus) {
  MachineBuilder builder(gpus);
  std::vector<core::ResourceId> out_port, in_port;
  std::vector<core::CopyEngineId> engines;
  for (std::size_t i = 0; i < gpus; ++i) {
    const std::string name = "gpu" + std::to_string(i);
    out_port.push_back(builder.resource(name + ".out", 100e9));
    in_port.push_back(builder.resource(name + ".in", 100e9));
    engines.push_back(builder.engine(name + ".peer_out"));
  }
  for (std::size_t i = 0; i < gpus; ++i) {
    for (std::size_t j = 0; j < gpus; ++j) {
      if (i == j) continue;
      builder.route(gpu_space(i), gpu_space(j), {out_port[i], in_port[j]}, {engines[i]}).latency =
          Duration(5);
    }
  }
  return builder.build();
}

// ---- time ----

TEST_CASE("a launch of several kernels lasts until the last one is issued, and starts before") {
  for (const std::int32_t streams : {0, 4}) {  // as long as alone, and sharing the device
    CAPTURE(streams);
    MachineBuilder machine(1);
    machine.spec.host.issue_launch = Duration(30);
    machine.spec.kernels["hash_mix"]["gpu"]["uint8"] = {{1, Duration(1)}};
    machine.spec.issue["hash_mix"]["gpu"]["uint8"] = {{1, Duration(500)}};
    machine.spec.devices[gpu_device(0)].streams = streams;
    ProgramBuilder builder;
    const core::RegionId a = builder.array("a", 64, "gpu0"), b = builder.array("b", 64, "gpu0");
    builder.spawn(ProgramBuilder::task("short", "gpu:0", 100, {{a, core::AccessMode::kInout}}));
    builder.spawn(ProgramBuilder::task("long", "gpu:0", 5000, {{b, core::AccessMode::kInout}}));
    SimOptions options;
    options.as_executed = true;
    options.engine.order = "fifo";
    const core::Program& program = builder.close();
    const core::Machine built = machine.build();
    const SimResult result = run(program, built, options);
    CHECK(task(result, 0).start == Time(30));
    CHECK(task(result, 0).end == Time(530));
    CHECK(task(result, 1).start == Time(560));
    CHECK(task(result, 1).end >= Time(5560));
    // Recorded times are what they are.
    options.recorded_durations.push_back(Duration(77));
    options.recorded_durations.push_back(Duration(5000));
    CHECK(task(run(program, built, options), 0).end == Time(107));
  }
}

TEST_CASE("an empty program takes no time") {
  ProgramBuilder builder;
  const core::Machine machine = MachineBuilder(1).build();
  const SimResult result = run(builder.close(), machine);
  CHECK(result.run.makespan == Time(0));
  CHECK(result.engine->is_finished());
}

TEST_CASE("recorded durations count instead of the model's, in bounds too") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 1000, "gpu0");
  builder.spawn(ProgramBuilder::task("T", "gpu:0", 50, {inout(a)}));
  builder.spawn(ProgramBuilder::task("U", "gpu:0", 70, {inout(a)}));
  builder.spawn(ProgramBuilder::task("V", "gpu:0", 30, {inout(a)}));
  const core::Machine machine = MachineBuilder(1).build();
  SimOptions options;
  options.recorded_durations = core::IdVector<core::TaskId, Duration>(2, Duration(-1));
  options.recorded_durations[core::TaskId(0)] = Duration(500);
  const SimResult result = run(builder.close(), machine, options);
  CHECK(result.run.makespan == Time(500 + 70 + 30));
  CHECK(result.bounds.critical_path == Duration(500 + 70 + 30));
}

TEST_CASE("a task fetches its operand, then runs") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 1000, "gpu1");
  builder.spawn(ProgramBuilder::task("T", "gpu:0", 50, {in(a)}));
  const core::Machine machine = ported_machine(2);
  SimOptions options;
  options.engine.prefetch = "none";
  const SimResult result = run(builder.close(), machine, options);
  REQUIRE(result.run.copies.size() == 1);
  const core::CopyRecord& copy = result.run.copies[0];
  CHECK(copy.issued == Time(0));
  CHECK(copy.start == Time(0));
  CHECK(copy.end == Time(15));  // latency 5, 1000 bytes at 100 bytes/ns
  CHECK(copy.bytes == Bytes(1000));
  CHECK(copy.from == gpu_space(1));
  CHECK(copy.to == gpu_space(0));
  CHECK(copy.reason == core::CopyReason::kFetch);
  REQUIRE(copy.boxes.size() == 1);
  CHECK(copy.boxes[0].size() == 1000);
  CHECK(task(result, 0).start == Time(15));
  CHECK(task(result, 0).end == Time(65));
  CHECK(result.run.makespan == Time(65));
  CHECK(result.run.busy[gpu_device(0)] == Duration(50));
  CHECK(result.run.engine_busy[core::CopyEngineId(1)] == Duration(15));
}

TEST_CASE("the copy for the next task overlaps with the task that runs") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 1000, "gpu1");
  const core::RegionId b = builder.array("B", 1000, "gpu1");
  builder.spawn(ProgramBuilder::task("T0", "gpu:0", 50, {in(a)}));
  builder.spawn(ProgramBuilder::task("T1", "gpu:0", 50, {in(b)}));
  const core::Machine machine = ported_machine(2);
  const SimResult result = run(builder.close(), machine);
  CHECK(copies(result)[1].start == Time(15));
  CHECK(copies(result)[1].end == Time(30));
  CHECK(task(result, 1).start == Time(65));
  CHECK(result.run.makespan == Time(115));
}

TEST_CASE("at_end home: the makespan includes the copy back") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 1000, "host", core::AtEnd::kHome);
  builder.spawn(ProgramBuilder::task("T", "gpu:0", 50, {inout(a)}));
  MachineBuilder machine_builder(1);
  const core::CopyEngineId engine = machine_builder.engine("gpu0.to_host");
  machine_builder.route(gpu_space(0), host_space(), {}, {engine}).rate_cap = core::Bandwidth(10e9);
  const core::Machine machine = machine_builder.build();
  const SimResult result = run(builder.close(), machine);
  CHECK(result.run.makespan == Time(150));
  CHECK(copies(result).back().reason == core::CopyReason::kAtEnd);
  CHECK(result.bounds.transfer == Duration(100));
}

// ---- the patterns of real machines ----

TEST_CASE("a broadcast queues on the sender's engine: one after the other, each at full rate") {
  ProgramBuilder builder;
  for (std::size_t i = 1; i < 4; ++i) {
    const core::RegionId a = builder.array("A" + std::to_string(i), 1000, "gpu0");
    builder.spawn(
        ProgramBuilder::task("T" + std::to_string(i), "gpu:" + std::to_string(i), 0, {in(a)}));
  }
  const core::Machine machine = ported_machine(4);
  const auto list = copies(run(builder.close(), machine));
  REQUIRE(list.size() == 3);
  CHECK(list[0].end == Time(15));
  CHECK(list[1].start == Time(15));
  CHECK(list[1].end == Time(30));
  CHECK(list[2].end == Time(45));
}

TEST_CASE("a gather shares the receiver's port: all at once, each at a third of the rate") {
  ProgramBuilder builder;
  for (std::size_t i = 1; i < 4; ++i) {
    const core::RegionId a =
        builder.array("A" + std::to_string(i), 1000, "gpu" + std::to_string(i));
    builder.spawn(ProgramBuilder::task("T" + std::to_string(i), "gpu:0", 0, {in(a)}));
  }
  const core::Machine machine = ported_machine(4);
  const SimResult result = run(builder.close(), machine);
  REQUIRE(result.run.copies.size() == 3);
  for (const core::CopyRecord& copy : result.run.copies) {
    CHECK(copy.start == Time(0));
    CHECK(copy.end == Time(35));
  }
}

TEST_CASE("a ring is full duplex: everybody sends and receives at the full rate") {
  ProgramBuilder builder;
  for (std::size_t i = 0; i < 4; ++i) {
    const core::RegionId a =
        builder.array("A" + std::to_string(i), 1000, "gpu" + std::to_string(i));
    builder.spawn(ProgramBuilder::task("T" + std::to_string(i),
                                       "gpu:" + std::to_string((i + 1) % 4), 0, {in(a)}));
  }
  const core::Machine machine = ported_machine(4);
  const SimResult result = run(builder.close(), machine);
  REQUIRE(result.run.copies.size() == 4);
  for (const core::CopyRecord& copy : result.run.copies) CHECK(copy.end == Time(15));
}

TEST_CASE("a broadcast and a gather at once: the engine serves in order of commands") {
  // gpu0 sends to gpu1 and gpu2; gpu3 sends to gpu1 meanwhile and has half of its port.
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 1000, "gpu0");
  const core::RegionId b = builder.array("B", 1000, "gpu0");
  const core::RegionId c = builder.array("C", 1000, "gpu3");
  builder.spawn(ProgramBuilder::task("T0", "gpu:1", 0, {in(a)}));
  builder.spawn(ProgramBuilder::task("T1", "gpu:2", 0, {in(b)}));
  builder.spawn(ProgramBuilder::task("T2", "gpu:1", 0, {in(c)}));
  const core::Machine machine = ported_machine(4);
  const auto list = copies(run(builder.close(), machine));
  REQUIRE(list.size() == 3);
  for (const core::CopyRecord& copy : list) {
    const std::int64_t expected = copy.from == gpu_space(3) ? 25
                                  : copy.to == gpu_space(1) ? 25
                                                            : 40;
    CHECK(copy.end == Time(expected));
  }
}

// ---- slots ----

/// Most tasks that run at one time.
std::size_t most_at_once(const SimResult& result) {
  std::size_t most = 0;
  for (const core::TaskRecord& one : result.run.tasks) {
    std::size_t at_once = 0;
    for (const core::TaskRecord& other : result.run.tasks) {
      if (other.start <= one.start && one.start < other.end) ++at_once;
    }
    most = std::max(most, at_once);
  }
  return most;
}

TEST_CASE("four tasks on one CPU never overlap with all its cores each, two do with half of them") {
  for (const std::int32_t milli_vcus : {8000, 4000, 2000, 1}) {
    ProgramBuilder builder;
    for (int i = 0; i < 4; ++i) {
      core::TaskSpec spec = ProgramBuilder::task("T" + std::to_string(i), "cpu", 10);
      spec.placement[0].milli_vcus = milli_vcus;
      builder.spawn(spec);
    }
    MachineBuilder machine_builder(1);
    machine_builder.spec.devices[cpu_device()].slots = 8;
    const core::Machine machine = machine_builder.build();
    const SimResult result = run(builder.close(), machine);
    const std::size_t expected = milli_vcus == 8000 ? 1 : milli_vcus == 4000 ? 2 : 4;
    CHECK(most_at_once(result) == expected);
    CHECK(result.run.makespan == Time(static_cast<std::int64_t>(40 / expected)));
    CHECK(result.run.busy[cpu_device()] == Duration(4 * 10 * milli_vcus / 8000));
  }
}

TEST_CASE("the members of a group start together, when all their devices are free") {
  ProgramBuilder builder;
  builder.spawn(ProgramBuilder::task("long", "gpu:0", 100));
  builder.spawn(ProgramBuilder::task("short", "gpu:1", 30));
  core::TaskSpec group = ProgramBuilder::task("group", "", 10);
  group.placement[0].members = {"gpu:0", "gpu:1"};
  group.placement[0].is_group = true;
  builder.spawn(group);
  builder.spawn(ProgramBuilder::task("after", "gpu:1", 5));
  const core::Machine machine = MachineBuilder(2).build();
  const SimResult result = run(builder.close(), machine);
  CHECK(task(result, 2).start == Time(100));
  CHECK(task(result, 2).devices == std::vector{gpu_device(0), gpu_device(1)});
  CHECK(task(result, 3).start == Time(110));
  CHECK(result.run.busy[gpu_device(0)] == Duration(110));
  CHECK(result.run.busy[gpu_device(1)] == Duration(45));
}

TEST_CASE("of the tasks that wait for a device, the most urgent goes first") {
  ProgramBuilder builder;
  builder.spawn(ProgramBuilder::task("first", "gpu:0", 10));
  for (const std::int32_t priority : {1, 3, 2}) {
    core::TaskSpec spec = ProgramBuilder::task("p" + std::to_string(priority), "gpu:0", 10);
    spec.priority = priority;
    builder.spawn(spec);
  }
  SimOptions options;
  options.engine.order = "fifo";  // issued in order of submission: the device itself chooses
  const core::Machine machine = MachineBuilder(1).build();
  const SimResult result = run(builder.close(), machine, options);
  CHECK(task(result, 2).start < task(result, 3).start);
  CHECK(task(result, 3).start < task(result, 1).start);
}

// ---- the host ----

TEST_CASE("commands cost the host time, one after the other") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 1000, "gpu1");
  builder.spawn(ProgramBuilder::task("T0", "gpu:0", 50, {in(a)}));
  builder.spawn(ProgramBuilder::task("T1", "gpu:1", 50));
  MachineBuilder machine_builder(2);
  machine_builder.route(gpu_space(1), gpu_space(0)).rate_cap = core::Bandwidth(100e9);
  machine_builder.spec.host = {Duration(20), Duration(30), Duration(0), Duration(7), 0};
  const core::Machine machine = machine_builder.build();
  const SimResult result = run(builder.close(), machine);
  CHECK(copies(result)[0].issued == Time(27));
  CHECK(copies(result)[0].end == Time(37));
  CHECK(task(result, 0).start == Time(57));
  CHECK(task(result, 1).start == Time(87));
}

TEST_CASE("with a window of one task, every task waits for the host's round trip") {
  const auto makespan = [](std::uint32_t window) {
    ProgramBuilder builder;
    for (int i = 0; i < 4; ++i) {
      builder.spawn(ProgramBuilder::task("T" + std::to_string(i), "gpu:0", 100));
    }
    MachineBuilder machine_builder(1);
    machine_builder.spec.host = {Duration(0), Duration(30), Duration(70), Duration(0), 0};
    const core::Machine machine = machine_builder.build();
    SimOptions options;
    options.engine.window = window;
    return run(builder.close(), machine, options).run.makespan;
  };
  // Issue 30, run 100, notice 40.
  CHECK(makespan(1) == Time(4 * 130 + 3 * 40));
  CHECK(makespan(0) == Time(30 + 4 * 100));
}

struct BatchSizes final : core::StepObserver {
  void on_step(Time, std::span<const core::Event> events, std::span<const core::Command>) override {
    sizes.push_back(events.size());
  }
  std::vector<std::size_t> sizes;
};

TEST_CASE("all events of one instant come in one step") {
  ProgramBuilder builder;
  for (int i = 0; i < 3; ++i) {
    builder.spawn(ProgramBuilder::task("T" + std::to_string(i), "gpu:" + std::to_string(i), 10));
  }
  const core::Machine machine = MachineBuilder(3).build();
  BatchSizes observer;
  SimOptions options;
  options.observer = &observer;
  run(builder.close(), machine, options);
  CHECK(observer.sizes == std::vector<std::size_t>{2, 3});
}

TEST_CASE("what ends while the host is busy comes in one step") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 8);
  for (int i = 0; i < 3; ++i) {
    builder.spawn(ProgramBuilder::task("T" + std::to_string(i), "gpu:" + std::to_string(i), 5));
  }
  static_cast<void>(a);
  MachineBuilder machine_builder(3);
  machine_builder.spec.host.issue_launch = Duration(10);
  const core::Machine machine = machine_builder.build();
  BatchSizes observer;
  SimOptions options;
  options.observer = &observer;
  const SimResult result = run(builder.close(), machine, options);
  // Visible at 10, 20 and 30; ended at 15, 25 and 35; the host is busy until 30.
  CHECK(observer.sizes == std::vector<std::size_t>{2, 2, 1});
  CHECK(result.run.makespan == Time(35));
}

TEST_CASE(
    "what waits on another queue is told later, and what goes to or from the host later still") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 1000, "gpu0");
  builder.spawn(ProgramBuilder::task("T", "gpu:0", 100, {inout(a)}));
  builder.spawn(ProgramBuilder::task("U", "gpu:0", 100, {inout(a)}));
  builder.spawn(ProgramBuilder::task("V", "gpu:1", 100, {inout(a)}));
  builder.spawn(ProgramBuilder::task("W", "cpu", 100, {inout(a)}));
  MachineBuilder machine_builder(2);
  machine_builder.route(gpu_space(0), gpu_space(1)).latency = Duration(10);
  machine_builder.spec.host.event = Duration(3);
  machine_builder.spec.host.handoff = Duration(7);
  const core::Machine machine = machine_builder.build();
  const SimResult result = run(builder.close(), machine);
  CHECK(task(result, 1).start == Time(100));  // the same queue
  const std::vector<core::CopyRecord> moved = copies(result);
  CHECK(moved[0].start == Time(203));
  CHECK(task(result, 2).start == Time(213 + 3));
  CHECK(moved[1].start == Time(316 + 3));
  CHECK(task(result, 3).start == Time(319 + 7));  // the copy to the host takes no time
  CHECK(result.run.makespan == Time(426));
}

TEST_CASE("threads that each issue for one GPU start tasks of several GPUs at a time") {
  const auto makespan = [](core::Submitters submitters) {
    ProgramBuilder builder;
    for (int i = 0; i < 4; ++i) {
      builder.spawn(ProgramBuilder::task("T" + std::to_string(i), "gpu:" + std::to_string(i), 5));
    }
    MachineBuilder machine(4);
    machine.spec.host.issue_launch = Duration(10);
    machine.spec.host.submitters = submitters;
    return run(builder.close(), machine.build()).run.makespan;
  };
  CHECK(makespan(core::Submitters::kOne) == Time(45));
  CHECK(makespan(core::Submitters::kPerGpu) == Time(15));
}

TEST_CASE("a task starts no earlier than its release, and others do not wait for it") {
  ProgramBuilder builder;
  core::TaskSpec late = ProgramBuilder::task("late", "gpu:0", 10);
  late.release = Time(1000);
  builder.spawn(late);
  builder.spawn(ProgramBuilder::task("now", "gpu:0", 10));
  core::TaskSpec later = ProgramBuilder::task("soon", "gpu:0", 10);
  later.release = Time(500);
  builder.spawn(later);
  const core::Machine machine = MachineBuilder(1).build();
  const SimResult result = run(builder.close(), machine);
  CHECK(task(result, 0).start == Time(1000));
  CHECK(task(result, 1).start == Time(0));
  CHECK(task(result, 2).start == Time(500));
  CHECK(result.bounds.critical_path == Duration(1010));
}

// ---- memory ----

TEST_CASE("resident bytes never exceed a space's capacity, and eviction shows in them") {
  ProgramBuilder builder;
  std::vector<core::RegionId> arrays;
  for (int i = 0; i < 6; ++i) arrays.push_back(builder.array("A" + std::to_string(i), 4096));
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i + 1 < arrays.size(); ++i) {
      builder.spawn(ProgramBuilder::task("T" + std::to_string(round) + "_" + std::to_string(i),
                                         "gpu:0", 100, {in(arrays[i]), inout(arrays[i + 1])}));
    }
  }
  MachineBuilder machine_builder(1, Bytes(3 * 4096));
  machine_builder.route(host_space(), gpu_space(0)).rate_cap = core::Bandwidth(10e9);
  machine_builder.route(gpu_space(0), host_space()).rate_cap = core::Bandwidth(10e9);
  const core::Machine machine = machine_builder.build();
  const SimResult result = run(builder.close(), machine);
  CHECK(result.engine->statistics().evictions > 0);
  CHECK(result.run.peak_bytes[gpu_space(0)] == Bytes(3 * 4096));
  CHECK(result.run.peak_bytes[host_space()] == Bytes(6 * 4096));
  for (const core::ResidencySample& sample : result.run.residency) {
    if (sample.space != gpu_space(0)) continue;
    CHECK(sample.bytes <= machine.space(sample.space).capacity);
    CHECK(sample.bytes >= Bytes(0));
  }
}

TEST_CASE("an array that starts on a GPU is resident there from the start") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 4096, "gpu0");
  builder.spawn(ProgramBuilder::task("T", "gpu:1", 10, {inout(a)}));
  const core::Machine machine = MachineBuilder(2).build();
  const SimResult result = run(builder.close(), machine);
  CHECK(result.run.peak_bytes[gpu_space(0)] == Bytes(4096));
  CHECK(result.run.peak_bytes[gpu_space(1)] == Bytes(4096));
  const auto last = std::ranges::find(result.run.residency.rbegin(), result.run.residency.rend(),
                                      gpu_space(0), &core::ResidencySample::space);
  REQUIRE(last != result.run.residency.rend());
  CHECK(last->bytes == Bytes(0));  // written elsewhere
}

// ---- faults and warnings ----

TEST_CASE("tasks without a cost give one warning") {
  ProgramBuilder builder;
  for (int i = 0; i < 3; ++i) {
    core::TaskSpec spec = ProgramBuilder::task("T" + std::to_string(i), "gpu:0", 0);
    spec.cost.clear();
    builder.spawn(spec);
  }
  const core::Machine machine = MachineBuilder(1).build();
  const SimResult result = run(builder.close(), machine);
  REQUIRE(result.warnings.size() == 1);
  CHECK(result.warnings[0].find("T0") != std::string::npos);
  CHECK(result.warnings[0].find("2 more") != std::string::npos);
  CHECK(result.run.makespan == Time(0));
}

TEST_CASE("what the engine refuses is a fault, not an exception") {
  ProgramBuilder builder;
  builder.spawn(ProgramBuilder::task("T", "gpu:7", 10));
  const core::Machine machine = MachineBuilder(1).build();
  const auto result = simulate(builder.close(), machine, {});
  CHECK_FALSE(result.has_value());
}

TEST_CASE("equal runs give equal records") {
  ProgramBuilder builder;
  std::vector<core::RegionId> arrays;
  for (int i = 0; i < 8; ++i) arrays.push_back(builder.array("A" + std::to_string(i), 1000 + i));
  for (std::size_t i = 0; i < 200; ++i) {
    builder.spawn(ProgramBuilder::task("T" + std::to_string(i), "gpu",
                                       static_cast<std::int64_t>(20 + 7 * (i % 5)),
                                       {in(arrays[i % 8]), inout(arrays[(i * 3 + 1) % 8])}));
  }
  const core::Program& program = builder.close();
  const core::Machine machine = ported_machine(4);
  const SimResult a = run(program, machine);
  const SimResult b = run(program, machine);
  CHECK(a.run.makespan == b.run.makespan);
  REQUIRE(a.run.tasks.size() == 200);
  REQUIRE(a.run.copies.size() == b.run.copies.size());
  for (std::size_t i = 0; i < a.run.tasks.size(); ++i) {
    CHECK(a.run.tasks[i].command == b.run.tasks[i].command);
    CHECK(a.run.tasks[i].start == b.run.tasks[i].start);
  }
  for (std::size_t i = 0; i < a.run.copies.size(); ++i) {
    CHECK(a.run.copies[i].command == b.run.copies[i].command);
    CHECK(a.run.copies[i].end == b.run.copies[i].end);
  }
}

}  // namespace
}  // namespace parley::sim
