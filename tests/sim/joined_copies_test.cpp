// Small copies within a GPU that share a launch.
#include <doctest/doctest.h>

#include <map>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sim/host_thread.h"
#include "sim/simulator.h"
#include "tests/sim/draws.h"
#include "tests/sim/machine_builder.h"
#include "tests/sim/program_builder.h"
#include "tests/sim/records.h"

namespace parley::sim {
namespace {

using core::Bytes;
using core::CommandId;
using core::Duration;
using core::Time;

/// GPUs of four streams, each with a thread that issues; copies within one take 100 ns and 1 ns a
/// byte, one at a time.
MachineBuilder gpus(std::size_t count, Duration joined) {
  MachineBuilder machine(count);
  for (std::size_t i = 0; i < count; ++i) {
    const core::CopyEngineId engine = machine.engine("e" + std::to_string(i));
    const core::ResourceId memory = machine.resource("m" + std::to_string(i), 1e9);
    machine.route(gpu_space(i), gpu_space(i), {memory}, {engine}).latency = Duration(100);
    for (std::size_t j = 0; j < count; ++j) {
      if (j != i) machine.route(gpu_space(i), gpu_space(j)).latency = Duration(30);
    }
    machine.spec.devices[gpu_device(i)].streams = 4;
  }
  core::HostCosts& host = machine.spec.host;
  host.submitters = core::Submitters::kPerGpu;
  host.copy_streams = 1;
  host.inline_copy = Bytes(1000);
  host.issue_launch = Duration(40);
  host.issue_copy = Duration(50);
  host.issue_joined = joined;
  host.poll = Duration(5);
  host.event = Duration(7);
  return machine;
}

TEST_CASE("what a task gathers from slices is copied by one launch") {
  const auto result = [](Duration joined) {
    ProgramBuilder builder;
    const core::RegionId whole = builder.array("x", 400);
    for (int i = 0; i < 4; ++i) {
      builder.spawn(ProgramBuilder::task("write" + std::to_string(i), "gpu:0", 10,
                                         {out(builder.part(whole, 100 * i, 100 * (i + 1)))}));
    }
    builder.spawn(ProgramBuilder::task("read", "gpu:0", 10, {in(whole)}));
    const core::Machine machine = gpus(1, joined).build();
    SimOptions options;
    options.engine.prefetch = "none";
    return run(builder.close(), machine, options);
  };
  const SimResult apart = result(Duration(0)), together = result(Duration(3));
  const std::vector<core::CopyRecord> moved = copies(together);
  REQUIRE(moved.size() == 4);
  for (const core::CopyRecord& copy : moved) {
    CHECK(copy.start == moved[0].start);
    CHECK(copy.end == moved[0].start + Duration(100 + 400));
    CHECK(copy.bytes == Bytes(100));
  }
  CHECK(together.run.engine_busy[core::CopyEngineId(0)] == Duration(500));
  const std::vector<core::CopyRecord> one_by_one = copies(apart);
  REQUIRE(one_by_one.size() == 4);
  CHECK(apart.run.engine_busy[core::CopyEngineId(0)] == Duration(800));
  for (std::size_t i = 1; i < 4; ++i) CHECK(one_by_one[i].start >= one_by_one[i - 1].end);
}

/// When the host was told of each copy's end.
struct ToldCopies final : core::StepObserver {
  void on_events(Time now, std::span<const core::Event> events) override {
    for (const core::Event& event : events) {
      if (std::holds_alternative<core::CopyDone>(event)) told.push_back(now);
    }
  }
  void on_step(Time, std::span<const core::Event>, std::span<const core::Command>) override {}
  std::vector<Time> told;
};

TEST_CASE(
    "the ends of copies that share a launch are found together, when its stream has its turn") {
  ProgramBuilder builder;
  const core::RegionId whole = builder.array("x", 400);
  for (int i = 0; i < 4; ++i) {
    builder.spawn(ProgramBuilder::task("write" + std::to_string(i), "gpu:0", 10,
                                       {out(builder.part(whole, 100 * i, 100 * (i + 1)))}));
  }
  builder.spawn(ProgramBuilder::task("long", "gpu:0", 9000));
  builder.spawn(ProgramBuilder::task("read", "gpu:0", 10, {in(whole)}));
  MachineBuilder machine = gpus(1, Duration(3));
  machine.spec.host.turn = Duration(1000);
  ToldCopies observer;
  SimOptions options;
  options.engine.prefetch = "none";
  options.observer = &observer;
  const core::Machine built = machine.build();
  const SimResult result = run(builder.close(), built, options);
  const std::vector<core::CopyRecord> moved = copies(result);
  REQUIRE(moved.size() == 4);
  CHECK(moved[0].end == moved[3].end);
  REQUIRE(observer.told.size() == 4);
  for (const Time told : observer.told) CHECK(told == observer.told.front());
  CHECK(observer.told.front() >= moved[0].end + Duration(500));  // the long task's has one, too
}

TEST_CASE("joined copies are issued together, up to sixteen parts, and only next to each other") {
  core::HostCosts prices;
  prices.issue_copy = Duration(20);
  prices.issue_launch = Duration(30);
  prices.issue_joined = Duration(4);
  prices.submitters = core::Submitters::kPerGpu;
  MachineBuilder builder(1);
  builder.spec.host = prices;
  const core::Machine machine = builder.build();
  HostThread host(machine);
  host.begin_issue(Time(100), 6);
  std::uint32_t next = 0;
  const auto copy = [&](std::uint32_t parts) {
    host.issue_joinable_copy(CommandId(next++), gpu_space(0), parts, Duration(0));
  };
  copy(1);  // by itself: the thread begins at once
  copy(9);
  copy(7);
  copy(1);  // one too many
  host.issue_launch(CommandId(next++), gpu_space(0));
  copy(2);
  struct Seen {
    std::int64_t at;
    CommandId leader;
    std::uint32_t followers;
    bool operator==(const Seen&) const = default;
  };
  std::vector<Seen> seen;
  while (host.next_visible() != Time::max()) {
    const std::int64_t at = host.next_visible().ns();
    CHECK(host.take_visible() == CommandId(seen.size()));
    seen.push_back({at, host.issued_with(), host.followers()});
  }
  const CommandId none = CommandId::none();
  CHECK(seen == std::vector<Seen>{{120, none, 0},
                                  {144, none, 1},
                                  {144, CommandId(1), 0},
                                  {164, none, 0},
                                  {194, none, 0},
                                  {214, none, 0}});
}

TEST_CASE("random programs on slices end, within their bounds, and share launches") {
  std::size_t shared = 0;
  for (std::uint32_t seed = 0; seed < 150; ++seed) {
    CAPTURE(seed);
    Draws random(seed);
    ProgramBuilder builder;
    std::vector<core::RegionId> regions;
    for (int i = 0; i < 3; ++i) {
      const char* homes[] = {"host", "host", "gpu0"};
      const core::RegionId whole =
          builder.array("A" + std::to_string(i), 600, homes[random.below(3)]);
      regions.push_back(whole);
      for (int slice = 0; slice < 5; ++slice) {
        const std::int64_t begin = random.below(500);
        regions.push_back(builder.part(whole, begin, begin + 1 + random.below(100)));
      }
    }
    for (std::size_t i = 0; i < 60; ++i) {
      const char* places[] = {"gpu:0", "gpu:1", "gpu:0", "gpu:1", "gpu", "cpu"};
      const core::RegionId read = regions[random.below(regions.size())];
      const core::RegionId written = regions[random.below(regions.size())];
      core::TaskSpec spec = ProgramBuilder::task("T" + std::to_string(i), places[random.below(6)],
                                                 random.below(100), {in(read)});
      if (written != read) {
        spec.accesses.push_back(random.below(2) == 0 ? inout(written) : out(written));
      }
      builder.spawn(spec);
    }
    const core::Program& program = builder.close();
    MachineBuilder made = gpus(2, Duration(1 + random.below(10)));
    made.spec.host.crowding = random.below(2) == 0 ? 0.0 : 0.2;
    made.spec.host.decide_command = Duration(random.below(20));
    made.spec.host.issue_launch = Duration(random.below(3) * 20);
    const core::Machine machine = made.build();
    for (const std::uint32_t window : {2U, 8U, 0U}) {
      SimOptions options;
      options.engine.window = window;
      options.engine.prefetch = random.below(2) == 0 ? "none" : "on_map";
      const SimResult result = run(program, machine, options);
      CHECK(result.run.tasks.size() == 60);
      CHECK(result.run.makespan.ns() >= result.bounds.best().count());
      std::map<std::pair<core::SpaceId, Time>, std::size_t> starts;
      for (const core::CopyRecord& copy : result.run.copies) {
        CHECK(copy.issued <= copy.start);
        if (copy.from == copy.to) shared += starts[{copy.from, copy.start}]++ > 0 ? 1U : 0U;
      }
    }
  }
  CHECK(shared > 500);
}

}  // namespace
}  // namespace parley::sim
