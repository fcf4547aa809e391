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
  CHECK(durations.warning().empty());
  const std::vector devices = {gpu_device(0)};
  for (std::size_t i = 0; i < 3; ++i) CHECK(durations.of(TaskId(i), 0, devices) == Duration(0));
  CHECK(durations.warning() ==
        "task \"first\" has no cost on gpu:0, and the machine's kernel table has none: taken as "
        "0 ns (as are 2 more)");
}

}  // namespace
}  // namespace parley::sim
