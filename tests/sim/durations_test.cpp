#include "sim/durations.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/sim/machine_builder.h"
#include "tests/sim/required.h"

namespace parley::sim {
namespace {

using core::Duration;
using core::Program;
using core::TaskId;

core::ArrayId add_array(Program& program, const std::string& name,
                        std::vector<std::int64_t> shape) {
  core::ArraySpec spec;
  spec.name = name;
  spec.shape = std::move(shape);
  spec.initial.kind = core::Initial::Kind::kArange;
  return required(program.add_array(spec));
}

core::CostEntry stated(const std::string& on, std::int64_t ns) {
  return {on, Duration(ns), 0.0, 0.0};
}

TEST_CASE("tasks of equal cost, kernel, placement and shapes are one class") {
  Program program("classes");
  const core::RegionId a = program.whole(add_array(program, "A", {4})).region;
  const core::RegionId b = program.whole(add_array(program, "B", {4})).region;
  const core::RegionId c = program.whole(add_array(program, "C", {5})).region;
  for (const core::RegionId region : {a, b, c}) {
    core::TaskSpec spec;
    spec.accesses = {{region, core::AccessMode::kIn, 0, {}}};
    spec.cost = {stated("", 10)};
    required(program.spawn(spec));
  }
  const core::Machine machine = MachineBuilder(1).build();
  Durations durations(program, machine);
  CHECK(durations.class_of(TaskId(0)) == durations.class_of(TaskId(1)));
  CHECK(durations.class_of(TaskId(0)) != durations.class_of(TaskId(2)));
  CHECK(durations.class_count() == 2);
}

TEST_CASE("ten thousand different costs are as many classes, each with its own duration") {
  Program program("classes");
  constexpr std::size_t kTasks = 10'000;
  for (std::size_t i = 0; i < kTasks; ++i) {
    core::TaskSpec spec;
    spec.cost = {stated("", static_cast<std::int64_t>(i))};
    required(program.spawn(spec));
  }
  const core::Machine machine = MachineBuilder(1).build();
  Durations durations(program, machine);
  const std::vector devices = {gpu_device(0)};
  for (std::size_t i = 0; i < kTasks; ++i) {
    REQUIRE(durations.of(TaskId(i), 0, devices) == Duration(static_cast<std::int64_t>(i)));
  }
  CHECK(durations.class_count() == kTasks);
}

TEST_CASE("a group takes as long as its slowest member") {
  Program program("group");
  core::TaskSpec spec;
  core::Alternative alternative;
  alternative.members = {"gpu:0", "gpu:1"};
  alternative.is_group = true;
  spec.placement = {alternative};
  spec.cost = {stated("gpu:0", 10), stated("gpu:1", 25)};
  required(program.spawn(spec));
  const core::Machine machine = MachineBuilder(2).build();
  Durations durations(program, machine);
  CHECK(durations.of(TaskId(0), 0, std::vector{gpu_device(0), gpu_device(1)}) == Duration(25));
}

TEST_CASE("tasks without any cost take no time and are reported in one sentence") {
  Program program("free");
  for (const char* name : {"first", "second", "third"}) {
    core::TaskSpec spec;
    spec.name = name;
    required(program.spawn(spec));
  }
  const core::Machine machine = MachineBuilder(1).build();
  Durations durations(program, machine);
  CHECK(durations.warnings().empty());
  const std::vector devices = {gpu_device(0)};
  for (std::size_t i = 0; i < 3; ++i) CHECK(durations.of(TaskId(i), 0, devices) == Duration(0));
  CHECK(
      durations.warnings() ==
      std::vector<std::string>{"the cost of task \"first\" is not known: the task states "
                               "none for gpu:0, and has no kernel: taken as 0 ns (as are 2 more)"});
}

TEST_CASE("a rate that the device lacks is named; the other one counts") {
  core::MachineSpec spec = MachineBuilder(1).build().spec();
  core::Device& gpu = spec.devices[gpu_device(0)];
  gpu.flops_per_s = {{"float64", 1e12}};
  gpu.bytes_per_s = 0.0;
  gpu.launch = Duration(0);
  const core::Machine machine = required(core::Machine::create(std::move(spec)));
  Program program("gaps");
  const auto spawn = [&](const char* name, double flops, double bytes, const char* kernel) {
    core::TaskSpec task;
    task.name = name;
    if (flops + bytes > 0.0) {
      core::CostEntry work;
      work.flops = flops;
      work.bytes = bytes;
      task.cost = {work};
    }
    if (kernel != nullptr) {
      const core::RegionId tile = program.whole(add_array(program, "tile", {8, 8})).region;
      task.accesses = {{tile, core::AccessMode::kInout, 0, {}}};
      core::KernelCall call;
      call.name = kernel;
      call.arguments = {{false, 0, {}}};
      task.kernel = core::Kernel{call};
    }
    required(program.spawn(task));
  };
  spawn("both", 2000.0, 5000.0, nullptr);
  spawn("bytes", 0.0, 5000.0, nullptr);
  spawn("flops", 3000.0, 0.0, nullptr);
  spawn("kernel", 0.0, 0.0, "potrf");
  Durations durations(program, machine);
  const std::vector devices = {gpu_device(0)};
  const std::vector<std::int64_t> expected = {2, 0, 3, 0};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(durations.of(TaskId(i), 0, devices) == Duration(expected[i]));
  }
  CHECK(durations.warnings() ==
        std::vector<std::string>{
            "the cost of task \"bytes\" is not known: gpu:0 states no bytes_per_s: taken as 0 ns "
            "(as are 1 more)",
            "the cost of task \"both\" is not known: gpu:0 states no bytes_per_s: taken as long as "
            "the other rate gives"});
  CHECK(core::cost_gap(program, machine, TaskId(3), 0, gpu_device(0), false) ==
        "the machine's kernel table has no \"potrf\" of float64 on gpu:0");
  CHECK(core::cost_gap(program, machine, TaskId(2), 0, gpu_device(0), false).empty());
}

}  // namespace
}  // namespace parley::sim
