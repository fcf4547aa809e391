// What the policy interfaces promise to policies to come: plans made in advance, work stealing,
// orders that pick at issue, victims told by the mapper. With policies of the tests' own.
#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <variant>
#include <vector>

#include "core/engine/engine.h"
#include "core/policy/registry.h"

namespace parley::core {
namespace {

Machine two_gpus(std::int64_t gpu_bytes) {
  MachineSpec spec;
  spec.name = "two";
  spec.spaces.push_back({"host", Bytes(1 << 16), "", true});
  spec.devices.push_back({"cpu", "cpu", SpaceId(0), 1, {}, 0.0, {}});
  for (std::size_t g = 0; g < 2; ++g) {
    spec.spaces.push_back({"gpu" + std::to_string(g), Bytes(gpu_bytes), "", false});
    spec.devices.push_back({"gpu:" + std::to_string(g), "gpu", SpaceId(g + 1), 1, {}, 0.0, {}});
  }
  for (std::size_t from = 0; from < 3; ++from) {
    for (std::size_t to = 0; to < 3; ++to) {
      if (from == to) continue;
      Route route;
      route.from = SpaceId(from);
      route.to = SpaceId(to);
      spec.routes.push_back(route);
    }
  }
  auto machine = Machine::create(std::move(spec));
  REQUIRE(machine);
  return std::move(machine).value();
}

/// `count` independent tasks, each reading an array of its own on any GPU.
Program independent(std::size_t count) {
  Program program("independent");
  for (std::size_t i = 0; i < count; ++i) {
    ArraySpec array;
    array.name = "A" + std::to_string(i);
    array.shape = {32};  // one aligned block of 256 bytes
    array.initial.kind = Initial::Kind::kArange;
    const ArrayId id = *program.add_array(std::move(array));
    TaskSpec task;
    task.name = "t" + std::to_string(i);
    task.accesses = {{program.whole(id).region, AccessMode::kIn, 0, {}}};
    Alternative gpu;
    gpu.members = {"gpu"};
    task.placement = {gpu};
    task.cost = {{"", Duration(100), 0.0, 0.0}};
    REQUIRE(program.spawn(std::move(task)));
  }
  REQUIRE(program.close());
  return program;
}

/// What a run gave: launches in order with their first device, and evictions.
struct Trace {
  std::vector<std::pair<std::string, std::size_t>> launches;
  std::vector<std::string> evicted;
};

/// Every command ends, in order, before the next step.
Trace run(const Program& program, const Machine& machine, const EngineOptions& options,
          const PolicyRegistry& registry) {
  auto made = Engine::create(program, machine, options, registry);
  REQUIRE(made);
  Engine& engine = **made;
  Trace trace;
  std::vector<Event> events = {TasksSubmitted{TaskId(program.task_count())}, SubmissionClosed{}};
  Time now;
  for (int step = 0; step < 100 && !engine.is_finished(); ++step) {
    std::vector<Event> next;
    for (const Command& command : engine.step(now, events)) {
      if (const auto* copy = std::get_if<StartCopy>(&command)) {
        next.push_back(CopyDone{copy->id, now, now});
      } else if (const auto* launch = std::get_if<LaunchTask>(&command)) {
        trace.launches.emplace_back(program.task_name(launch->task),
                                    launch->devices.front().index());
        next.push_back(TaskDone{launch->id, now, now});
      } else if (const auto* drop = std::get_if<DropReplica>(&command)) {
        if (drop->reason == DropReason::kEvicted) {
          trace.evicted.push_back(program.region_text(drop->region));
        }
      }
    }
    events = std::move(next);
  }
  CHECK(engine.is_finished());
  return trace;
}

/// The second half of the program to the first GPU, the rest to the other; planned at once.
class Halves final : public Mapper {
 public:
  explicit Halves(const PolicyParameters&) {}
  [[nodiscard]] bool is_static() const override { return true; }
  void plan(const View& view) override {
    REQUIRE(plan_.empty());
    REQUIRE(view.is_submission_closed());
    for (std::size_t t = 0; t < view.program().task_count(); ++t) {
      plan_.push_back(t * 2 < view.program().task_count() ? 1 : 0);
    }
  }
  MapChoice choose(const View&, TaskId task) override { return {false, plan_[task.index()], {}}; }

 private:
  std::vector<std::size_t> plan_;
};

TEST_CASE("a static mapper plans the whole program once, before anything is mapped") {
  PolicyRegistry registry;
  registry.add(make_policy_entry<Mapper, Halves>("halves", {"", "", {}}));
  EngineOptions options;
  options.mapper = "halves";
  options.order = "fifo";
  const Trace trace = run(independent(4), two_gpus(4096), options, registry);
  REQUIRE(trace.launches.size() == 4);
  for (const auto& [task, device] : trace.launches) {
    CHECK(device == (task == "t0" || task == "t1" ? 2U : 1U));
  }
}

/// All to the first GPU; whoever is idle takes the first queued task.
class Thief final : public Mapper {
 public:
  explicit Thief(const PolicyParameters&) {}
  MapChoice choose(const View&, TaskId task) override {
    return {false, task == stolen_ ? std::size_t{1} : std::size_t{0}, {}};
  }
  [[nodiscard]] bool can_steal() const override { return true; }
  std::optional<TaskId> steal(const View& view, DeviceId idle) override {
    if (idle != DeviceId(2) || view.queue(DeviceId(1)).empty()) return std::nullopt;
    return stolen_ = view.queue(DeviceId(1)).front();
  }

 private:
  TaskId stolen_;
};

TEST_CASE("an idle device takes a queued task that the mapper lets it steal") {
  PolicyRegistry registry;
  registry.add(make_policy_entry<Mapper, Thief>("thief", {"", "", {}}));
  EngineOptions options;
  options.mapper = "thief";
  options.order = "fifo";
  options.window = 1;
  const Trace trace = run(independent(4), two_gpus(4096), options, registry);
  REQUIRE(trace.launches.size() == 4);
  CHECK(trace.launches[0] == std::pair<std::string, std::size_t>("t0", 1));
  CHECK(trace.launches[1].second == 2);  // stolen in the same instant
}

/// Wants to steal, but sends every task back to the first GPU.
class Undecided final : public Mapper {
 public:
  explicit Undecided(const PolicyParameters&) {}
  MapChoice choose(const View&, TaskId) override { return {}; }
  [[nodiscard]] bool can_steal() const override { return true; }
  std::optional<TaskId> steal(const View& view, DeviceId) override {
    if (view.queue(DeviceId(1)).empty()) return std::nullopt;
    return view.queue(DeviceId(1)).front();
  }
};

TEST_CASE("a mapper that sends stolen tasks back does not keep the engine busy for ever") {
  PolicyRegistry registry;
  registry.add(make_policy_entry<Mapper, Undecided>("undecided", {"", "", {}}));
  EngineOptions options;
  options.mapper = "undecided";
  options.window = 1;
  CHECK(run(independent(5), two_gpus(4096), options, registry).launches.size() == 5);
}

/// The last task of the queue first, chosen at every issue.
class LastFirst final : public Order {
 public:
  explicit LastFirst(const PolicyParameters&) {}
  std::int64_t key(const View&, TaskId, DeviceId) override { return 0; }
  [[nodiscard]] bool is_dynamic() const override { return true; }
  std::size_t pick(const View&, DeviceId, std::span<const TaskId> queue) override {
    return queue.size() - 1;
  }
};

TEST_CASE("a dynamic order picks among the queued tasks at every issue") {
  PolicyRegistry registry;
  registry.add(make_policy_entry<Mapper, Undecided>("first", {"", "", {}}));
  registry.add(make_policy_entry<Order, LastFirst>("last_first", {"", "", {}}));
  EngineOptions options;
  options.mapper = "first";
  options.order = "last_first";
  options.window = 1;
  const Trace trace = run(independent(3), two_gpus(4096), options, registry);
  REQUIRE(trace.launches.size() == 3);
  CHECK(trace.launches[0].first == "t2");
  CHECK(trace.launches[2].first == "t0");
}

/// All to the first GPU; for the fourth task, the second one's operand is to go first.
class TellsVictim final : public Mapper {
 public:
  explicit TellsVictim(const PolicyParameters&) {}
  MapChoice choose(const View& view, TaskId task) override {
    MapChoice choice;
    if (task == TaskId(3)) {
      const RegionId second = view.program().accesses(TaskId(1)).front().region;
      choice.victims = {{second, SpaceId(2)}, {second, SpaceId(1)}};  // the first is elsewhere
    }
    return choice;
  }
};

TEST_CASE("a victim told by the mapper goes before the evictor's choice") {
  PolicyRegistry registry;
  registry.add(make_policy_entry<Mapper, TellsVictim>("tells_victim", {"", "", {}}));
  EngineOptions options;
  options.mapper = "tells_victim";
  options.order = "fifo";
  options.prefetch = "none";
  const Trace trace = run(independent(5), two_gpus(3 * 256), options, registry);
  REQUIRE(trace.evicted.size() == 2);
  CHECK(trace.evicted[0] == "A1");  // lru would say A0
  CHECK(trace.evicted[1] == "A0");
}

}  // namespace
}  // namespace parley::core
