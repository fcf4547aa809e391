#include "sim/host_thread.h"

#include <doctest/doctest.h>

#include <variant>
#include <vector>

#include "core/base/check.h"
#include "tests/sim/machine_builder.h"

namespace parley::sim {
namespace {

using core::CommandId;
using core::Duration;
using core::Event;
using core::TaskId;
using core::Time;

core::Machine machine_with(const core::HostCosts& costs, Duration launch = Duration(0)) {
  MachineBuilder builder(1);
  builder.spec.host = costs;
  builder.spec.devices[gpu_device(0)].launch = launch;
  return builder.build();
}

core::HostCosts costs(std::int64_t copy, std::int64_t launch, std::int64_t round_trip,
                      std::int64_t decide) {
  return {Duration(copy), Duration(launch), Duration(round_trip), Duration(decide), 0};
}

std::vector<Event> taken(HostThread& host, Time now) {
  const auto events = host.take_events(now);
  return {events.begin(), events.end()};
}

TEST_CASE("the first step brings all tasks and closes submission") {
  const core::Machine machine = machine_with({});
  HostThread host(machine);
  CHECK(host.next_step() == Time::max());
  host.submit_all(TaskId(3));
  REQUIRE(host.next_step() == Time(0));
  const std::vector<Event> events = taken(host, Time(0));
  REQUIRE(events.size() == 2);
  CHECK(std::get<core::TasksSubmitted>(events[0]).end == TaskId(3));
  CHECK(std::holds_alternative<core::SubmissionClosed>(events[1]));
  CHECK(host.next_step() == Time::max());
}

TEST_CASE("commands become visible one after the other, after the decision") {
  const core::Machine machine = machine_with(costs(20, 30, 0, 7));
  HostThread host(machine);
  host.begin_issue(Time(100));
  CHECK(host.issue_copy(CommandId(0)) == Time(127));
  CHECK(host.issue_launch(CommandId(1)) == Time(157));
  CHECK(host.issue_copy(CommandId(2)) == Time(177));
  CHECK(host.next_visible() == Time(127));
  CHECK(host.take_visible() == CommandId(0));
  CHECK(host.next_visible() == Time(157));
  CHECK(host.take_visible() == CommandId(1));
  CHECK(host.take_visible() == CommandId(2));
  CHECK(host.next_visible() == Time::max());
}

TEST_CASE("what ends while the host is busy is handled in one batch, by time and id") {
  const core::Machine machine = machine_with(costs(0, 50, 0, 0));
  HostThread host(machine);
  host.begin_issue(Time(0));
  host.issue_launch(CommandId(9));
  host.task_done(CommandId(4), Time(1), Time(20));
  host.copy_done(CommandId(7), Time(2), Time(30));
  host.task_done(CommandId(3), Time(3), Time(30));
  REQUIRE(host.next_step() == Time(50));
  const std::vector<Event> events = taken(host, Time(50));
  REQUIRE(events.size() == 3);
  CHECK(std::get<core::TaskDone>(events[0]).id == CommandId(4));
  CHECK(std::get<core::TaskDone>(events[0]).start == Time(1));
  CHECK(std::get<core::TaskDone>(events[0]).end == Time(20));
  CHECK(std::get<core::TaskDone>(events[1]).id == CommandId(3));
  CHECK(std::get<core::CopyDone>(events[2]).id == CommandId(7));
}

TEST_CASE("an end is noticed after what a round trip takes beyond issue and start-up") {
  const core::Machine machine = machine_with(costs(0, 3000, 9000, 0), Duration(2000));
  HostThread host(machine);
  CHECK(host.notice() == Duration(4000));
  host.task_done(CommandId(0), Time(0), Time(100));
  CHECK(host.next_step() == Time(4100));
}

TEST_CASE("a release needs no notice, and comes between ends noticed before and after it") {
  const core::Machine machine = machine_with(costs(0, 0, 10, 0));
  HostThread host(machine);
  host.task_done(CommandId(0), Time(0), Time(100));
  host.task_released(Time(105), TaskId(5));
  REQUIRE(host.next_step() == Time(105));
  const std::vector<Event> events = taken(host, Time(105));
  REQUIRE(events.size() == 1);
  CHECK(std::get<core::TaskReleased>(events[0]).task == TaskId(5));
  CHECK(host.next_step() == Time(110));
}

TEST_CASE("a step of a busy host breaks an invariant") {
  const core::Machine machine = machine_with(costs(0, 50, 0, 0));
  HostThread host(machine);
  host.begin_issue(Time(0));
  host.issue_launch(CommandId(0));
  host.task_done(CommandId(1), Time(0), Time(10));
  CHECK_THROWS_AS(host.take_events(Time(10)), core::InvariantViolation);
}

TEST_CASE("queues of any length come out in order") {
  const core::Machine machine = machine_with(costs(1, 1, 0, 0));
  HostThread host(machine);
  host.begin_issue(Time(0));
  constexpr std::size_t kMany = 20000;
  for (std::size_t i = 0; i < kMany; ++i) host.issue_copy(CommandId(i));
  for (std::size_t i = 0; i < kMany; ++i) {
    REQUIRE(host.next_visible() == Time(static_cast<std::int64_t>(i + 1)));
    REQUIRE(host.take_visible() == CommandId(i));
  }
}

}  // namespace
}  // namespace parley::sim
