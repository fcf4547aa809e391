#include "core/graph/task_graph.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "core/base/check.h"
#include "core/graph/program.h"

using namespace parley::core;

namespace {

/// dependencies[t]: the tasks that t waits for.
using Lists = std::vector<std::vector<std::size_t>>;

TaskGraph graph_of(const Lists& dependencies) {
  std::vector<std::uint64_t> first = {0};
  std::vector<TaskId> targets;
  for (const auto& of_task : dependencies) {
    for (const std::size_t on : of_task) targets.push_back(TaskId(on));
    first.push_back(targets.size());
  }
  return {first, targets};
}

std::vector<std::size_t> indices(std::span<const TaskId> tasks) {
  std::vector<std::size_t> out;
  for (const TaskId task : tasks) out.push_back(task.index());
  return out;
}

IdVector<TaskId, Duration> durations_of(const std::vector<std::int64_t>& ns) {
  IdVector<TaskId, Duration> out;
  for (const std::int64_t each : ns) out.push_back(Duration(each));
  return out;
}

std::vector<std::int64_t> counts(const IdVector<TaskId, Duration>& durations) {
  std::vector<std::int64_t> out;
  for (const Duration each : durations) out.push_back(each.count());
  return out;
}

Lists random_lists(std::mt19937_64& random, std::size_t tasks, std::size_t edges) {
  Lists lists(tasks);
  for (std::size_t e = 0; e < edges; ++e) lists[random() % tasks].push_back(random() % tasks);
  return lists;
}

/// reaches[a][b]: a waits for b, directly or not.
std::vector<std::vector<bool>> closure(const Lists& lists) {
  std::vector<std::vector<bool>> reaches(lists.size(), std::vector<bool>(lists.size(), false));
  for (std::size_t t = 0; t < lists.size(); ++t) {
    for (const std::size_t on : lists[t]) reaches[t][on] = true;
  }
  for (std::size_t k = 0; k < lists.size(); ++k) {
    for (std::size_t i = 0; i < lists.size(); ++i) {
      for (std::size_t j = 0; j < lists.size(); ++j) {
        if (reaches[i][k] && reaches[k][j]) reaches[i][j] = true;
      }
    }
  }
  return reaches;
}

}  // namespace

TEST_CASE("a graph of no tasks answers every question") {
  const TaskGraph graph = graph_of({});
  CHECK(graph.task_count() == 0);
  CHECK(graph.topological_order().empty());
  CHECK(!graph.find_cycle());
  CHECK(graph.shape().depth == 0);
  CHECK(graph.critical_path({}).tasks.empty());
}

TEST_CASE("successors are the tasks that wait, ascending") {
  const TaskGraph graph = graph_of({{}, {0}, {0, 1}, {1, 2}});
  CHECK(indices(graph.successors(TaskId(0))) == std::vector<std::size_t>{1, 2});
  CHECK(indices(graph.successors(TaskId(1))) == std::vector<std::size_t>{2, 3});
  CHECK(indices(graph.predecessors(TaskId(3))) == std::vector<std::size_t>{1, 2});
  CHECK(graph.edge_count() == 5);
}

TEST_CASE("the order puts the lowest ready task first") {
  CHECK(indices(graph_of({{3}, {}, {0}, {}}).topological_order()) ==
        std::vector<std::size_t>{1, 3, 0, 2});
  CHECK(indices(graph_of({{}, {0}, {}, {1}}).topological_order()) ==
        std::vector<std::size_t>{0, 1, 2, 3});
}

TEST_CASE("levels, paths and shape of a diamond with one slow side") {
  const TaskGraph graph = graph_of({{}, {0}, {0}, {1, 2}, {}});
  const auto durations = durations_of({5, 10, 20, 1, 7});
  CHECK(counts(graph.bottom_levels(durations)) == std::vector<std::int64_t>{26, 11, 21, 1, 7});
  CHECK(counts(graph.top_levels(durations)) == std::vector<std::int64_t>{0, 5, 5, 25, 0});
  const CriticalPath path = graph.critical_path(durations);
  CHECK(path.length == Duration(26));
  CHECK(indices(path.tasks) == std::vector<std::size_t>{0, 2, 3});
  const GraphShape shape = graph.shape();
  CHECK(shape.depth == 3);
  CHECK(shape.widest == 2);
  CHECK(shape.average_width == doctest::Approx(5.0 / 3.0));
}

TEST_CASE("equally long paths: the one of the lowest ids is critical") {
  const TaskGraph graph = graph_of({{}, {}, {0, 1}, {2}, {2}});
  CHECK(indices(graph.critical_path(durations_of({3, 3, 1, 4, 4})).tasks) ==
        std::vector<std::size_t>{0, 2, 3});
}

TEST_CASE("a cycle is reported from a task that waits for the next one") {
  struct Case {
    Lists dependencies;
    std::vector<std::size_t> cycle;  // empty: none
  };
  const std::vector<Case> cases = {
      {{{}, {0}, {1}}, {}},
      {{{}, {1}}, {1}},
      {{{1}, {0}}, {0, 1}},
      {{{1}, {2}, {0}, {2}}, {0, 1, 2}},  // 3 waits for the cycle but is not on it
      {{{}, {0, 3}, {1}, {2}}, {1, 3, 2}},
      {{{1}, {2, 0}, {3}, {0}}, {0, 1}},    // the shorter of two
      {{{1}, {2}, {0}, {4}, {3}}, {3, 4}},  // the smaller of two knots
  };
  for (const Case& c : cases) {
    const auto cycle = graph_of(c.dependencies).find_cycle();
    CHECK(cycle.has_value() == !c.cycle.empty());
    if (cycle) CHECK(indices(*cycle) == c.cycle);
  }
}

TEST_CASE("tasks behind a cycle are left out of the order") {
  CHECK(indices(graph_of({{}, {2}, {1}, {2}, {0}}).topological_order()) ==
        std::vector<std::size_t>{0, 4});
  CHECK_THROWS_AS((void)graph_of({{1}, {0}}).levels(), InvariantViolation);
}

TEST_CASE("random graphs: a cycle is found exactly when there is one, and is one") {
  std::mt19937_64 random(20261);
  std::size_t cyclic = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    const std::size_t tasks = 1 + random() % 9;
    const Lists lists = random_lists(random, tasks, random() % (2 * tasks));
    const auto reaches = closure(lists);
    bool has_cycle = false;
    for (std::size_t t = 0; t < tasks; ++t) has_cycle = has_cycle || reaches[t][t];
    CAPTURE(trial);
    const TaskGraph graph = graph_of(lists);
    const auto cycle = graph.find_cycle();
    REQUIRE(cycle.has_value() == has_cycle);
    if (!cycle) continue;
    ++cyclic;
    for (std::size_t i = 0; i < cycle->size(); ++i) {
      const std::size_t next = (*cycle)[(i + 1) % cycle->size()].index();
      const auto& waits_for = lists[(*cycle)[i].index()];
      REQUIRE(std::find(waits_for.begin(), waits_for.end(), next) != waits_for.end());
    }
  }
  CHECK(cyclic > 200);
  CHECK(cyclic < 1800);
}

TEST_CASE("random graphs: the order is the least of all orders and levels are longest paths") {
  std::mt19937_64 random(20262);
  for (int trial = 0; trial < 500; ++trial) {
    CAPTURE(trial);
    const std::size_t tasks = 1 + random() % 12;
    // Edges follow a hidden random order, so that ids are not in topological order.
    std::vector<std::size_t> hidden(tasks);
    for (std::size_t i = 0; i < tasks; ++i) hidden[i] = i;
    std::shuffle(hidden.begin(), hidden.end(), random);
    Lists lists(tasks);
    for (std::size_t e = random() % (2 * tasks); e > 0; --e) {
      const std::size_t a = random() % tasks, b = random() % tasks;
      if (a < b) lists[hidden[b]].push_back(hidden[a]);
    }
    std::vector<std::int64_t> ns(tasks);
    for (auto& each : ns) each = static_cast<std::int64_t>(random() % 5);
    const TaskGraph graph = graph_of(lists);

    std::vector<std::size_t> expected;
    std::vector<bool> done(tasks, false);
    std::vector<std::int64_t> bottom(tasks, 0), top(tasks, 0);
    while (expected.size() < tasks) {
      for (std::size_t t = 0; t < tasks; ++t) {
        const bool is_ready =
            std::all_of(lists[t].begin(), lists[t].end(), [&](std::size_t on) { return done[on]; });
        if (done[t] || !is_ready) continue;
        done[t] = true;
        expected.push_back(t);
        break;
      }
    }
    for (const std::size_t t : expected) {
      for (const std::size_t on : lists[t]) top[t] = std::max(top[t], top[on] + ns[on]);
    }
    for (std::size_t i = tasks; i-- > 0;) {
      const std::size_t t = expected[i];
      bottom[t] += ns[t];
      for (const std::size_t on : lists[t]) bottom[on] = std::max(bottom[on], bottom[t]);
    }
    REQUIRE(indices(graph.topological_order()) == expected);
    REQUIRE(counts(graph.bottom_levels(durations_of(ns))) == bottom);
    REQUIRE(counts(graph.top_levels(durations_of(ns))) == top);
    const CriticalPath path = graph.critical_path(durations_of(ns));
    std::int64_t length = 0;
    for (const TaskId task : path.tasks) length += ns[task.index()];
    REQUIRE(length == path.length.count());
    REQUIRE(length == *std::max_element(bottom.begin(), bottom.end()));
  }
}

TEST_CASE("a chain and a cycle of a million tasks need no deep stack") {
  constexpr std::size_t kTasks = 1'000'000;
  std::vector<std::uint64_t> first = {0};
  std::vector<TaskId> dependencies;
  for (std::size_t t = 0; t < kTasks; ++t) {  // each waits for the next: order against the ids
    if (t + 1 < kTasks) dependencies.push_back(TaskId(t + 1));
    first.push_back(dependencies.size());
  }
  const TaskGraph chain(first, dependencies);
  CHECK(!chain.find_cycle());
  CHECK(chain.topological_order().front() == TaskId(kTasks - 1));
  CHECK(chain.shape().depth == kTasks);
  dependencies.push_back(TaskId(0));
  first.back() = dependencies.size();
  const auto cycle = TaskGraph(first, dependencies).find_cycle();
  REQUIRE(cycle);
  CHECK(cycle->size() == kTasks);
}

TEST_CASE("a program's explicit dependencies are its timed ones") {
  Program program("p", DependencyMode::kBoth);
  ArraySpec spec;
  spec.name = "A";
  spec.shape = {4};
  spec.initial.kind = Initial::Kind::kArange;
  const RegionView all = program.whole(*program.add_array(spec));
  for (int i = 0; i < 3; ++i) {
    TaskSpec task;
    task.accesses = {{all.region, AccessMode::kInout, 0, {}}};
    if (i == 2) task.after = {TaskId(0)};
    REQUIRE(program.spawn(task));
  }
  REQUIRE(program.close());
  CHECK(indices(TaskGraph(program).predecessors(TaskId(2))) == std::vector<std::size_t>{0, 1});
  CHECK(indices(TaskGraph(program, DependencyKind::kTimed).predecessors(TaskId(2))) ==
        std::vector<std::size_t>{0});
}
