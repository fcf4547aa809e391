#include "sim/host_thread.h"

#include <doctest/doctest.h>

#include <utility>
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

core::Machine machine_with(const core::HostCosts& costs, Duration launch = Duration(0),
                           std::size_t gpus = 1) {
  MachineBuilder builder(gpus);
  builder.spec.host = costs;
  builder.spec.devices[gpu_device(0)].launch = launch;
  return builder.build();
}

core::HostCosts costs(std::int64_t copy, std::int64_t launch, std::int64_t round_trip,
                      std::int64_t decide) {
  core::HostCosts costs;
  costs.issue_copy = Duration(copy);
  costs.issue_launch = Duration(launch);
  costs.round_trip = Duration(round_trip);
  costs.decide = Duration(decide);
  return costs;
}

std::vector<Event> taken(HostThread& host, Time now) {
  const auto events = host.take_events(now);
  return {events.begin(), events.end()};
}

/// Everything that has been issued, with the times at which it is visible.
std::vector<std::pair<Time, CommandId>> shown(HostThread& host) {
  std::vector<std::pair<Time, CommandId>> all;
  while (host.next_visible() != Time::max()) {
    const Time at = host.next_visible();
    all.emplace_back(at, host.take_visible());
  }
  return all;
}

using Shown = std::vector<std::pair<Time, CommandId>>;

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
  host.begin_issue(Time(100), 3);
  host.issue_copy(CommandId(0), gpu_space(0));
  host.issue_launch(CommandId(1), gpu_space(0));
  host.issue_copy(CommandId(2), gpu_space(0));
  CHECK(host.next_visible() == Time(127));
  CHECK(host.take_visible() == CommandId(0));
  CHECK(shown(host) == Shown{{Time(157), CommandId(1)}, {Time(177), CommandId(2)}});
}

TEST_CASE("what ends while the host is busy is handled in one batch, by time and id") {
  const core::Machine machine = machine_with(costs(0, 50, 0, 0));
  HostThread host(machine);
  host.begin_issue(Time(0), 1);
  host.issue_launch(CommandId(9), gpu_space(0));
  host.task_done({CommandId(4), gpu_space(0), Time(1), Time(20)});
  host.copy_done({CommandId(7), gpu_space(0), Time(2), Time(30)});
  host.task_done({CommandId(3), gpu_space(0), Time(3), Time(30)});
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
  host.task_done({CommandId(0), gpu_space(0), Time(0), Time(100)});
  CHECK(host.next_step() == Time(4100));
}

TEST_CASE("a release needs no notice, and comes between ends noticed before and after it") {
  const core::Machine machine = machine_with(costs(0, 0, 10, 0));
  HostThread host(machine);
  host.task_done({CommandId(0), gpu_space(0), Time(0), Time(100)});
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
  host.begin_issue(Time(0), 1);
  host.issue_launch(CommandId(0), gpu_space(0));
  host.task_done({CommandId(1), gpu_space(0), Time(0), Time(10)});
  CHECK_THROWS_AS(host.take_events(Time(10)), core::InvariantViolation);
}

TEST_CASE("deciding takes its time for each command, and finding for each end") {
  core::HostCosts prices = costs(0, 10, 0, 7);
  prices.decide_command = Duration(5);
  prices.poll = Duration(3);
  const core::Machine machine = machine_with(prices);
  HostThread host(machine);
  host.task_done({CommandId(0), gpu_space(0), Time(0), Time(50)});
  host.copy_done({CommandId(1), gpu_space(0), Time(0), Time(50)});
  host.take_events(Time(50));
  host.begin_issue(Time(50), 4);
  host.issue_launch(CommandId(2), gpu_space(0));
  CHECK(shown(host) == Shown{{Time(50 + 7 + 4 * 5 + 2 * 3 + 10), CommandId(2)}});
  host.task_released(Time(300), TaskId(0));  // nothing that would have to be found
  host.take_events(Time(300));
  host.begin_issue(Time(300), 1);
  host.issue_launch(CommandId(3), gpu_space(0));
  CHECK(shown(host) == Shown{{Time(300 + 7 + 5 + 10), CommandId(3)}});
  CHECK(host.deciding() == Duration(2 * 7 + 5 * 5));  // neither issuing nor finding
  CHECK(host.commands() == 5);
}

TEST_CASE("a thread for each GPU issues while others do, and while the next step is decided") {
  core::HostCosts prices = costs(20, 30, 0, 7);
  prices.decide_command = Duration(1);
  prices.submitters = core::Submitters::kPerGpu;
  const core::Machine machine = machine_with(prices, Duration(0), 2);
  HostThread host(machine);
  host.begin_issue(Time(100), 3);
  host.issue_launch(CommandId(0), gpu_space(0));
  host.issue_launch(CommandId(1), gpu_space(1));
  host.issue_copy(CommandId(2), gpu_space(0));
  host.task_released(Time(100), TaskId(7));
  CHECK(host.next_step() == Time(110));  // free again when all is handed over
  host.take_events(Time(110));
  host.begin_issue(Time(110), 2);
  host.issue_launch(CommandId(3), gpu_space(1));  // behind its own queue
  host.issue_launch(CommandId(4), host_space());  // handed over, no more
  CHECK(shown(host) == Shown{{Time(119), CommandId(4)},
                             {Time(140), CommandId(0)},
                             {Time(140), CommandId(1)},
                             {Time(160), CommandId(2)},
                             {Time(170), CommandId(3)}});
}

TEST_CASE("each part of a copy is issued, and takes what its route asks for") {
  const core::Machine machine = machine_with(costs(20, 30, 0, 7));
  HostThread host(machine);
  host.begin_issue(Time(100), 2);
  host.issue_copy(CommandId(0), gpu_space(0), 3);
  host.issue_copy(CommandId(1), gpu_space(0), 2, Duration(5));
  CHECK(shown(host) == Shown{{Time(167), CommandId(0)}, {Time(217), CommandId(1)}});
  core::HostCosts prices = costs(20, 30, 0, 7);
  prices.issue_part = Duration(3);
  const core::Machine other = machine_with(prices);
  HostThread thread(other);
  thread.begin_issue(Time(100), 1);
  thread.issue_copy(CommandId(0), gpu_space(0), 3, Duration(5));
  CHECK(shown(thread) == Shown{{Time(107 + 25 + 2 * 3), CommandId(0)}});
}

TEST_CASE("the first kernel of a launch is visible before the others are issued") {
  core::HostCosts prices = costs(20, 30, 0, 7);
  {
    const core::Machine machine = machine_with(prices);
    HostThread host(machine);
    host.begin_issue(Time(100), 2);
    host.issue_launch(CommandId(0), gpu_space(0), Duration(500));
    host.issue_copy(CommandId(1), gpu_space(0));
    CHECK(shown(host) == Shown{{Time(137), CommandId(0)}, {Time(657), CommandId(1)}});
  }
  prices.submitters = core::Submitters::kPerGpu;
  const core::Machine machine = machine_with(prices, Duration(0), 2);
  HostThread host(machine);
  host.begin_issue(Time(100), 3);
  host.issue_launch(CommandId(0), gpu_space(0), Duration(500));
  host.issue_launch(CommandId(1), gpu_space(0));
  host.issue_launch(CommandId(2), gpu_space(1));
  CHECK(shown(host) ==
        Shown{{Time(137), CommandId(0)}, {Time(137), CommandId(2)}, {Time(667), CommandId(1)}});
}

TEST_CASE("issuing takes longer while other GPUs' threads issue") {
  core::HostCosts prices = costs(20, 30, 0, 0);
  prices.submitters = core::Submitters::kPerGpu;
  prices.crowding = 0.5;
  const core::Machine machine = machine_with(prices, Duration(0), 3);
  HostThread host(machine);
  host.begin_issue(Time(0), 4);
  host.issue_launch(CommandId(0), gpu_space(0));  // alone as yet
  host.issue_launch(CommandId(1), gpu_space(1));  // beside one
  host.issue_copy(CommandId(2), gpu_space(2));    // beside two
  host.issue_launch(CommandId(3), gpu_space(0));  // begins when both others are still at it
  CHECK(shown(host) == Shown{{Time(30), CommandId(0)},
                             {Time(40), CommandId(2)},
                             {Time(45), CommandId(1)},
                             {Time(90), CommandId(3)}});
}

TEST_CASE("a look finds all that has ended on one stream, at the latest after sixteen commands") {
  core::HostCosts prices = costs(0, 10, 0, 0);
  prices.poll = Duration(5);
  prices.submitters = core::Submitters::kPerGpu;
  const core::Machine machine = machine_with(prices, Duration(0), 1);
  HostThread host(machine);
  constexpr std::size_t kCommands = 20;
  host.begin_issue(Time(0), kCommands);
  for (std::size_t i = 0; i < kCommands; ++i) host.issue_launch(CommandId(i), gpu_space(0));
  host.take_visible();  // at 10
  for (const std::size_t id : {0U, 1U, 2U}) {
    host.task_done({CommandId(id), gpu_space(0), Time(0), Time(12), 7});
  }
  host.task_done({CommandId(3), gpu_space(0), Time(0), Time(12), 8});
  CHECK(host.next_step() == Time::max());  // its hands are full
  Time last;
  while (host.next_visible() != Time::max()) {
    last = host.next_visible();
    host.take_visible();
  }
  CHECK(last == Time(10 * kCommands + 10));  // one look in between, at three: twice the time
  REQUIRE(host.next_step() == Time(160));    // before the seventeenth
  CHECK(taken(host, Time(160)).size() == 3);
  REQUIRE(host.next_step() == last);  // the other stream, when all are issued
  CHECK(taken(host, last).size() == 1);
}

TEST_CASE("a thread that finds an end issues later; other GPUs' threads do not") {
  core::HostCosts prices = costs(0, 30, 0, 0);
  prices.poll = Duration(4);
  prices.submitters = core::Submitters::kPerGpu;
  const core::Machine machine = machine_with(prices, Duration(0), 2);
  HostThread host(machine);
  host.task_done({CommandId(0), gpu_space(0), Time(0), Time(10)});
  host.task_done({CommandId(1), gpu_space(0), Time(0), Time(10)});
  CHECK(host.next_step() == Time(10));
  CHECK(taken(host, Time(10)).size() == 2);  // of one stream: a single look
  host.task_done({CommandId(4), gpu_space(0), Time(0), Time(10), 1});
  host.begin_issue(Time(10), 2);
  host.issue_launch(CommandId(2), gpu_space(0));
  host.issue_launch(CommandId(3), gpu_space(1));
  CHECK(shown(host) == Shown{{Time(40), CommandId(3)}, {Time(10 + 2 * 4 + 30), CommandId(2)}});
}

TEST_CASE("a look asks once for copies that share a launch") {
  core::HostCosts prices = costs(20, 30, 0, 0);
  prices.poll = Duration(4);
  prices.submitters = core::Submitters::kPerGpu;
  const core::Machine machine = machine_with(prices, Duration(0), 1);
  const auto next_end = [&](bool shares_launch) {
    HostThread host(machine);
    host.begin_issue(Time(0), 1);
    host.issue_launch(CommandId(9), gpu_space(0));
    for (std::size_t i = 0; i < 8; ++i) {  // while its hands are full
      host.copy_done({CommandId(i), gpu_space(0), Time(0), Time(10), 1, !shares_launch || i == 0});
    }
    CHECK(shown(host) == Shown{{Time(30), CommandId(9)}});
    CHECK(taken(host, Time(30)).size() == 8);
    host.begin_issue(Time(30), 1);
    host.issue_launch(CommandId(10), gpu_space(0));
    return host.next_visible();
  };
  CHECK(next_end(true) == Time(30 + 4 + 30));
  CHECK(next_end(false) == Time(30 + 4 * 4 + 30));  // in steps that double
}

TEST_CASE("an end waits for its stream's turn among those of its GPU, half a turn for each") {
  core::HostCosts prices = costs(0, 30, 0, 0);
  prices.turn = Duration(1000);
  CHECK(HostThread(machine_with(prices, Duration(0), 1)).turn_among(4) == Duration(0));
  prices.submitters = core::Submitters::kPerGpu;
  const core::Machine machine = machine_with(prices, Duration(0), 1);
  const HostThread host(machine);
  CHECK(host.turn_among(0) == Duration(0));
  CHECK(host.turn_among(1) == Duration(0));
  CHECK(host.turn_among(2) == Duration(500));
  CHECK(host.turn_among(4) == Duration(1500));
}

TEST_CASE(
    "an end that waits for its turn keeps the thread from nothing, whether or not it has work") {
  core::HostCosts prices = costs(0, 30, 0, 0);
  prices.submitters = core::Submitters::kPerGpu;
  const core::Machine machine = machine_with(prices, Duration(0), 1);
  const auto waiting = [](std::size_t id, core::Time end) {
    HostThread::Ended ended{CommandId(id), gpu_space(0), Time(0), end, 1};
    ended.turn = Duration(1000);
    return ended;
  };
  HostThread idle(machine);
  idle.task_done({CommandId(5), gpu_space(0), Time(0), Time(10), 2});
  CHECK(taken(idle, Time(10)).size() == 1);
  idle.task_done(waiting(0, Time(10)));
  idle.begin_issue(Time(10), 1);
  idle.issue_launch(CommandId(9), gpu_space(0));
  CHECK(shown(idle) == Shown{{Time(40), CommandId(9)}});
  CHECK(idle.next_step() == Time(1010));
  HostThread busy(machine);
  busy.begin_issue(Time(0), 1);
  busy.issue_launch(CommandId(9), gpu_space(0));
  busy.task_done(waiting(0, Time(10)));
  CHECK(shown(busy) == Shown{{Time(30), CommandId(9)}});
  CHECK(busy.next_step() == Time(1030));
}

TEST_CASE("an end is found no earlier than it is said that it can be") {
  core::HostCosts prices = costs(0, 30, 0, 0);
  prices.submitters = core::Submitters::kPerGpu;
  const core::Machine machine = machine_with(prices, Duration(0), 1);
  HostThread host(machine);
  host.task_done({CommandId(0), gpu_space(0), Time(0), Time(10), 1});  // a look at 10
  HostThread::Ended late{CommandId(1), gpu_space(0), Time(0), Time(9), 1};
  late.found_from = Time(50);
  host.task_done(late);
  CHECK(taken(host, Time(10)).size() == 1);
  REQUIRE(host.next_step() == Time(50));
  CHECK(std::get<core::TaskDone>(taken(host, Time(50)).at(0)).end == Time(9));
}

TEST_CASE("what ends on the host is known before what a look to come will find") {
  core::HostCosts prices = costs(0, 30, 0, 0);
  prices.poll = Duration(5);
  prices.submitters = core::Submitters::kPerGpu;
  const core::Machine machine = machine_with(prices, Duration(0), 1);
  HostThread host(machine);
  host.task_done({CommandId(0), gpu_space(0), Time(0), Time(10), 0});
  host.task_done({CommandId(1), gpu_space(0), Time(0), Time(11), 1});  // found at 15
  host.task_done({CommandId(2), host_space(), Time(0), Time(12)});
  CHECK(taken(host, Time(10)).size() == 1);
  REQUIRE(host.next_step() == Time(12));
  CHECK(std::get<core::TaskDone>(taken(host, Time(12)).at(0)).id == CommandId(2));
  CHECK(host.next_step() == Time(15));
}

TEST_CASE("a copy is issued by the GPU that it leaves, or by the one that it enters from a host") {
  const core::Machine machine = machine_with({}, Duration(0), 2);
  const HostThread host(machine);
  CHECK(host.submitter_of_copy(gpu_space(0), gpu_space(1)) == gpu_space(0));
  CHECK(host.submitter_of_copy(gpu_space(1), host_space()) == gpu_space(1));
  CHECK(host.submitter_of_copy(host_space(), gpu_space(1)) == gpu_space(1));
  CHECK(host.submitter_of_copy(host_space(), host_space()) == host_space());
  CHECK(host.submitter_of_launch(gpu_device(1)) == gpu_space(1));
}

TEST_CASE("queues of any length come out in order") {
  const core::Machine machine = machine_with(costs(1, 1, 0, 0));
  HostThread host(machine);
  host.begin_issue(Time(0), 1);
  constexpr std::size_t kMany = 20000;
  for (std::size_t i = 0; i < kMany; ++i) host.issue_copy(CommandId(i), gpu_space(0));
  for (std::size_t i = 0; i < kMany; ++i) {
    REQUIRE(host.next_visible() == Time(static_cast<std::int64_t>(i + 1)));
    REQUIRE(host.take_visible() == CommandId(i));
  }
}

}  // namespace
}  // namespace parley::sim
