// Runs on GPUs with streams: what is on one keeps its order, and kernels share the device.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "sim/simulator.h"
#include "tests/sim/machine_builder.h"
#include "tests/sim/program_builder.h"
#include "tests/sim/records.h"

namespace parley::sim {
namespace {

using core::Bytes;
using core::Duration;
using core::Time;

/// Two GPUs of four streams each; an engine copies from the first to the second.
MachineBuilder two_gpus(Duration latency) {
  MachineBuilder machine(2);
  const core::CopyEngineId engine = machine.engine("out");
  machine.route(gpu_space(0), gpu_space(1), {}, {engine}).latency = latency;
  for (const std::size_t gpu : {0U, 1U}) machine.spec.devices[gpu_device(gpu)].streams = 4;
  return machine;
}

TEST_CASE("kernels of a task take what each can use of the device, one after the other") {
  MachineBuilder machine(1);
  machine.spec.kernels["hash_mix"]["gpu"]["uint8"] = {{1, Duration(100)}, {1 << 20, Duration(100)}};
  machine.spec.shares["spin"]["gpu"]["float64"] = {{1, 0.0}};
  machine.spec.shares["hash_mix"]["gpu"]["uint8"] = {{1, 1.0}};
  machine.spec.devices[gpu_device(0)].streams = 4;
  ProgramBuilder builder;
  const core::RegionId a = builder.array("a", 64, "gpu0"), b = builder.array("b", 64, "gpu0");
  builder.spawn(ProgramBuilder::task("T", "gpu:0", 100, {inout(a)}));
  builder.spawn(ProgramBuilder::task("U", "gpu:0", 100, {inout(b)}));
  SimOptions options;
  options.as_executed = true;
  const core::Program& program = builder.close();
  const core::Machine built = machine.build();
  const SimResult result = run(program, built, options);
  // They spin side by side, and share the device when they hash.
  CHECK(task(result, 0).end == Time(300));
  CHECK(task(result, 1).end == Time(300));
  // What was recorded is not taken apart.
  options.recorded_durations.push_back(Duration(77));
  options.recorded_durations.push_back(Duration(78));
  CHECK(run(program, built, options).run.makespan == Time(78));
}

TEST_CASE("a slower host is one whose threads' costs are that much higher, unknown to policies") {
  const auto machine_of = [](core::Submitters submitters, std::int64_t factor) {
    const auto times = [&](std::int64_t ns) { return Duration(ns * factor); };
    MachineBuilder machine = two_gpus(Duration(50));
    machine.route(host_space(), gpu_space(0)).issue = times(13);
    machine.spec.issue["scale"]["gpu"]["float64"] = {{1, times(17)}};
    core::HostCosts& host = machine.spec.host;
    host.submitters = submitters;
    host.issue_copy = times(7);
    host.issue_launch = times(11);
    host.issue_part = times(3);
    host.poll = times(2);
    host.decide = times(19);
    host.decide_command = times(4);
    for (const std::size_t gpu : {0U, 1U}) {
      machine.spec.devices[gpu_device(gpu)].launch = Duration(9);
    }
    host.round_trip = times(23) + host.issue_launch + Duration(9);  // 23 to learn of an end
    host.event = Duration(8);                                       // of the GPUs, as the next
    host.handoff = Duration(21);
    return machine.build();
  };
  ProgramBuilder builder;
  const core::RegionId a = builder.array("a", 640, "host"), b = builder.array("b", 64, "gpu0");
  for (int i = 0; i < 40; ++i) {
    core::TaskSpec task =
        ProgramBuilder::task("T" + std::to_string(i), i % 3 == 0 ? "gpu:1" : "gpu:0", 1 + i % 7,
                             {inout(i % 4 == 0 ? b : a)});
    task.kernel = {{"scale", {{"value", 1.0}}, {}}};
    builder.spawn(std::move(task));
  }
  const core::Program& program = builder.close();
  for (const core::Submitters submitters : {core::Submitters::kOne, core::Submitters::kPerGpu}) {
    CAPTURE(static_cast<int>(submitters));
    SimOptions options;
    const core::Machine plain = machine_of(submitters, 1), slow = machine_of(submitters, 3);
    const Duration at_first = run(program, plain, options).run.makespan - Time(0);
    const core::RunRecord costly = run(program, slow, options).run;
    options.host_slowdown = 3.0;
    const core::RunRecord slowed = run(program, plain, options).run;
    CHECK(slowed.makespan.ns() > 2 * at_first.count());  // the host is what limits
    CHECK(slowed.makespan == costly.makespan);
    REQUIRE(slowed.tasks.size() == costly.tasks.size());
    for (std::size_t i = 0; i < slowed.tasks.size(); ++i) {
      CHECK(slowed.tasks[i].start == costly.tasks[i].start);
    }
  }
}

/// A task of 1 us on a matrix of its own.
core::TaskSpec on_matrix(ProgramBuilder& builder, std::int64_t edge, const core::KernelCall& call) {
  core::ArraySpec spec;
  spec.name = call.name + std::to_string(builder.program.array_count());
  spec.shape = {edge, edge};
  spec.dtype = core::DType::kFloat64;
  spec.homes = {"gpu0"};
  spec.initial.kind = core::Initial::Kind::kArange;
  const core::RegionId matrix =
      builder.program.whole(required(builder.program.add_array(spec))).region;
  core::TaskSpec task = ProgramBuilder::task(spec.name, "gpu:0", 1000, {inout(matrix)});
  task.kernel = {call};
  return task;
}

TEST_CASE("kernels of one name use all of a device; a panel beside another name does not") {
  MachineBuilder machine(1);
  machine.spec.devices[gpu_device(0)].streams = 4;
  machine.spec.devices[gpu_device(0)].saturation = 0.5;
  const core::Machine built = machine.build();
  const auto makespan = [&](core::TaskSpec (*second)(ProgramBuilder&)) {
    ProgramBuilder builder;
    builder.spawn(on_matrix(builder, 16, {"potrf", {}, {}}));
    builder.spawn(second(builder));
    return run(builder.close(), built, {}).run.makespan;
  };
  CHECK(makespan([](ProgramBuilder& b) {
          return on_matrix(b, 16, {"potrf", {}, {}});
        }) == Time(2000));
  CHECK(makespan([](ProgramBuilder& b) {
          return on_matrix(b, 8, {"potrf", {}, {}});
        }) == Time(2000));
  CHECK(makespan([](ProgramBuilder& b) {
          core::TaskSpec task = on_matrix(b, 16, {"potrf", {}, {}});
          task.cost.front().flops = 7.0;
          return task;
        }) == Time(2000));
  // Both at 0.316 of their speed, as (1 - exp(-0.5 * 2)) / 2.
  CHECK(makespan([](ProgramBuilder& b) {
          return on_matrix(b, 16, {"scale", {{"value", 2.0}}, {}});
        }) == Time(3164));
}

TEST_CASE("a launch that waits keeps those behind it on its stream waiting") {
  for (const std::int32_t streams : {0, 1, 2}) {
    CAPTURE(streams);
    ProgramBuilder builder;
    const core::RegionId far = builder.array("far", 1000, "gpu1");
    builder.spawn(ProgramBuilder::task("waits", "gpu:0", 10, {in(far)}));
    builder.spawn(ProgramBuilder::task("could run", "gpu:0", 10));
    MachineBuilder machine(2);
    machine.route(gpu_space(1), gpu_space(0)).latency = Duration(500);
    machine.spec.devices[gpu_device(0)].streams = streams;
    SimOptions options;
    options.engine.order = "fifo";
    const core::Machine built = machine.build();
    const SimResult result = run(builder.close(), built, options);
    CHECK(task(result, 0).start == Time(500));
    CHECK(task(result, 1).start == Time(streams == 1 ? 510 : 0));
  }
}

TEST_CASE("what waits for a task of the host is kept by the thread, and others go on") {
  ProgramBuilder builder;
  const core::RegionId x = builder.array("x", 1000, "host");
  builder.spawn(ProgramBuilder::task("on the host", "cpu", 1000, {inout(x)}));
  builder.spawn(ProgramBuilder::task("use", "gpu:0", 10, {in(x)}));
  core::TaskSpec later = ProgramBuilder::task("free", "gpu:0", 10);
  later.release = Time(1);  // launched after "use"
  builder.spawn(later);
  MachineBuilder machine(1);
  machine.spec.devices[gpu_device(0)].streams = 1;
  machine.spec.host.copy_streams = 1;
  SimOptions options;
  options.engine.order = "fifo";
  const core::Machine built = machine.build();
  const SimResult result = run(builder.close(), built, options);
  CHECK(task(result, 2).start == Time(1));
  CHECK(task(result, 1).start == Time(1000));
}

TEST_CASE("copies that kernels do take no engine, neither in bounds nor in accounts") {
  ProgramBuilder builder;
  std::vector<core::RegionId> regions;
  for (int i = 0; i < 3; ++i) {
    const std::string number = std::to_string(i);
    regions.push_back(builder.array("A" + number, 1000, "gpu0"));
    builder.spawn(ProgramBuilder::task("make" + number, "gpu:0", 1, {inout(regions.back())}));
  }
  for (int i = 0; i < 3; ++i) {
    builder.spawn(ProgramBuilder::task("use" + std::to_string(i), "gpu:" + std::to_string(i + 1), 1,
                                       {in(regions[static_cast<std::size_t>(i)])}));
  }
  MachineBuilder machine(4);
  const core::CopyEngineId engine = machine.engine("out");
  for (std::size_t i = 1; i < 4; ++i) {
    const core::ResourceId link = machine.resource("link" + std::to_string(i), 1e9);
    machine.route(gpu_space(0), gpu_space(i), {link}, {engine});  // 1 us for each
  }
  machine.route(gpu_space(0), host_space(), {machine.resource("home", 1e9)});
  for (std::size_t i = 0; i < 4; ++i) machine.spec.devices[gpu_device(i)].streams = 4;
  machine.spec.host.inline_copy = Bytes(1000);
  const core::Machine built = machine.build();
  const SimResult result = run(builder.close(), built);
  REQUIRE(result.run.copies.size() == 3);
  CHECK(result.run.makespan <= Time(1010));  // all at once
  CHECK(result.bounds.transfer.count() <= result.run.makespan.ns());
  CHECK(result.run.engine_busy[engine] == Duration(0));
}

TEST_CASE("copies of one stream keep their order, whichever could start first") {
  for (const std::int32_t streams : {0, 1, 2}) {
    CAPTURE(streams);
    ProgramBuilder builder;
    const core::RegionId made = builder.array("made", 1000, "gpu0");
    const core::RegionId there = builder.array("there", 1000, "gpu0");
    builder.spawn(ProgramBuilder::task("make", "gpu:0", 100, {inout(made)}));
    builder.spawn(ProgramBuilder::task("use", "gpu:1", 1, {in(made)}));
    core::TaskSpec other = ProgramBuilder::task("other", "gpu:1", 1, {in(there)});
    other.release = Time(1);  // copied after what "use" waits for
    builder.spawn(other);
    MachineBuilder machine = two_gpus(Duration(10));
    machine.spec.host.copy_streams = streams;
    SimOptions options;
    options.engine.order = "fifo";
    const core::Machine built = machine.build();
    const SimResult result = run(builder.close(), built, options);
    const std::vector<core::CopyRecord> moved = copies(result);
    REQUIRE(moved.size() == 2);
    CHECK(moved[0].start == Time(100));
    CHECK(moved[1].start == Time(streams == 1 ? 110 : 1));
  }
}

TEST_CASE("a small copy behind what made its source needs neither event nor engine") {
  for (const std::int64_t most : {0, 999, 1000}) {
    CAPTURE(most);
    ProgramBuilder builder;
    const core::RegionId a = builder.array("A", 1000, "gpu0");
    const core::RegionId b = builder.array("B", 1000, "gpu0");
    builder.spawn(ProgramBuilder::task("make", "gpu:0", 100, {inout(a)}));
    builder.spawn(ProgramBuilder::task("use", "gpu:1", 10, {in(a)}));
    builder.spawn(ProgramBuilder::task("use other", "gpu:1", 10, {in(b)}));
    MachineBuilder machine = two_gpus(Duration(200));
    machine.spec.host.event = Duration(3);
    machine.spec.host.inline_copy = Bytes(most);
    SimOptions options;
    options.engine.order = "fifo";
    const core::Machine built = machine.build();
    const SimResult result = run(builder.close(), built, options);
    const std::vector<core::CopyRecord> moved = copies(result);
    REQUIRE(moved.size() == 2);
    CHECK(moved[0].start == Time(0));  // of B, holds the engine until 200
    CHECK(moved[1].start == Time(most == 1000 ? 100 : 200));
    CHECK(task(result, 1).start == moved[1].end + Duration(3));
  }
}

TEST_CASE(
    "the thread of a GPU learns of a task that a small copy away is right behind with the copy") {
  for (const core::Submitters submitters : {core::Submitters::kOne, core::Submitters::kPerGpu}) {
    for (const std::int64_t most : {0, 1000}) {
      CAPTURE(static_cast<int>(submitters));
      CAPTURE(most);
      ProgramBuilder builder;
      const core::RegionId a = builder.array("A", 1000, "gpu0");
      builder.spawn(ProgramBuilder::task("make", "gpu:0", 100, {inout(a)}));
      builder.spawn(ProgramBuilder::task("use", "gpu:1", 10, {in(a)}));
      builder.spawn(ProgramBuilder::task("next", "gpu:0", 10));
      MachineBuilder machine = two_gpus(Duration(200));
      machine.spec.host.submitters = submitters;
      machine.spec.host.inline_copy = Bytes(most);
      SimOptions options;
      options.engine.order = "fifo";
      options.engine.window = 1;
      const core::Machine built = machine.build();
      const SimResult result = run(builder.close(), built, options);
      const bool is_late = submitters == core::Submitters::kPerGpu && most == 1000;
      CHECK(task(result, 0).end == Time(100));
      CHECK(task(result, 2).start == Time(is_late ? 300 : 100));
      REQUIRE(copies(result).size() == 1);
      CHECK(copies(result)[0].start == Time(100));
    }
  }
}

TEST_CASE("an end is found when its stream has its turn") {
  for (const std::int64_t turn : {0, 1000}) {
    CAPTURE(turn);
    ProgramBuilder builder;
    builder.spawn(ProgramBuilder::task("short", "gpu:0", 100));
    builder.spawn(ProgramBuilder::task("long", "gpu:0", 5000));
    builder.spawn(ProgramBuilder::task("next", "gpu:0", 10));
    MachineBuilder machine = two_gpus(Duration(0));
    machine.spec.host.submitters = core::Submitters::kPerGpu;
    machine.spec.host.turn = Duration(turn);
    SimOptions options;
    options.engine.order = "fifo";
    options.engine.window = 2;
    const core::Machine built = machine.build();
    const SimResult result = run(builder.close(), built, options);
    CHECK(task(result, 2).start == task(result, 0).end + Duration(turn / 2));
  }
}

}  // namespace
}  // namespace parley::sim
