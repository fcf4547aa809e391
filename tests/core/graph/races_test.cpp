#include "core/graph/races.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>

#include "core/graph/task_graph.h"

using namespace parley::core;

namespace {

Program with_array(std::vector<std::int64_t> shape, bool has_contents = true,
                   DependencyMode mode = DependencyMode::kExplicit) {
  Program program("p", mode);
  ArraySpec spec;
  spec.name = "A";
  spec.shape = std::move(shape);
  spec.initial.kind = has_contents ? Initial::Kind::kArange : Initial::Kind::kNone;
  REQUIRE(program.add_array(spec));
  return program;
}

RegionId slice(Program& program, std::vector<Index> indices) {
  return program.slice(program.whole(ArrayId(0)), indices)->region;
}

Slice from_to(std::int64_t start, std::int64_t stop, std::int64_t step = 1) {
  return {start, stop, step};
}

TaskId spawn(Program& program, std::vector<std::pair<RegionId, AccessMode>> accesses,
             std::vector<std::size_t> after = {}) {
  TaskSpec task;
  for (const auto& [region, mode] : accesses) task.accesses.push_back({region, mode, 0, {}});
  for (const std::size_t on : after) task.after.push_back(TaskId(on));
  return *program.spawn(task);
}

constexpr AccessMode kIn = AccessMode::kIn, kOut = AccessMode::kOut, kInout = AccessMode::kInout;

}  // namespace

TEST_CASE("two unordered writers of common elements race, and the common elements are named") {
  Program program = with_array({10, 10});
  const RegionId left = slice(program, {from_to(0, 6), from_to(0, 10, 2)});
  const RegionId right = slice(program, {from_to(4, 10), from_to(0, 10, 3)});
  spawn(program, {{left, kOut}});
  spawn(program, {{right, kInout}});
  REQUIRE(program.close());
  const RaceReport report = find_races(program);
  REQUIRE(report.races.size() == 1);
  const Race& race = report.races[0];
  CHECK(race.first == TaskId(0));
  CHECK(race.second == TaskId(1));
  CHECK(program.box_text(ArrayId(0), race.overlap) == "A[4:6, 0:7:6]");
  CHECK(!report.is_cut_short);
  const Faults faults = faults_of(program, report);
  REQUIRE(faults.size() == 2);
  CHECK(faults[0].where == "task[1]");
  CHECK(faults[0].what ==
        "data race: reads and writes A[4:10, 0:10:3], while task[0] writes A[0:6, 0:9:2] "
        "(common: A[4:6, 0:7:6]), and neither waits for the other");
  CHECK(faults[1].what.find("\"both\"") != std::string::npos);
}

TEST_CASE("tasks that share no elements, or only read, do not race") {
  Program program = with_array({10});
  const RegionId even = slice(program, {from_to(0, 10, 2)});
  const RegionId odd = slice(program, {from_to(1, 10, 2)});
  spawn(program, {{even, kInout}});
  spawn(program, {{odd, kInout}});
  REQUIRE(program.close());
  CHECK(find_races(program).is_clean());

  Program readers = with_array({10});
  const RegionId all = readers.whole(ArrayId(0)).region;
  for (int i = 0; i < 5; ++i) spawn(readers, {{all, kIn}});
  REQUIRE(readers.close());
  CHECK(find_races(readers).is_clean());
}

TEST_CASE("an order through tasks that do not touch the array counts") {
  Program program = with_array({10});
  const RegionId all = program.whole(ArrayId(0)).region;
  spawn(program, {{all, kInout}});
  spawn(program, {}, {0});
  spawn(program, {}, {1});
  spawn(program, {{all, kIn}}, {2});
  REQUIRE(program.close());
  CHECK(find_races(program).is_clean());
}

TEST_CASE("a dependency on a later task orders as well") {
  Program program = with_array({10});
  const RegionId all = program.whole(ArrayId(0)).region;
  spawn(program, {{all, kInout}}, {1});
  spawn(program, {{all, kInout}});
  REQUIRE(program.close());
  CHECK(find_races(program).is_clean());
}

TEST_CASE("the nearest of several conflicts is reported, once for each access") {
  Program program = with_array({10});
  const RegionId all = program.whole(ArrayId(0)).region;
  const RegionId low = slice(program, {from_to(0, 5)});
  const RegionId high = slice(program, {from_to(5, 10)});
  spawn(program, {{all, kOut}});
  spawn(program, {{low, kInout}}, {0});
  spawn(program, {{high, kInout}}, {0});
  spawn(program, {{low, kIn}, {high, kIn}});  // waits for nothing
  REQUIRE(program.close());
  const RaceReport report = find_races(program);
  REQUIRE(report.races.size() == 2);
  CHECK(report.races[0].second_region == low);
  CHECK(report.races[0].first == TaskId(1));
  CHECK(report.races[1].second_region == high);
  CHECK(report.races[1].first == TaskId(2));
}

TEST_CASE("an eviction, an array of 0 bytes and an empty region race with nobody") {
  Program program = with_array({10, 10});
  ArraySpec token;
  token.name = "token";
  token.shape = {0};
  const RegionId order = program.whole(*program.add_array(token)).region;
  const RegionId all = program.whole(ArrayId(0)).region;
  const RegionId empty = slice(program, {from_to(3, 3)});
  spawn(program, {{all, kInout}, {order, kInout}});
  spawn(program, {{order, kInout}, {empty, kInout}});
  TaskSpec evict;
  evict.kind = TaskKind::kEvict;
  evict.evict_space = "gpu0";
  evict.accesses = {{all, kInout, 0, {}}};
  REQUIRE(program.spawn(evict));
  REQUIRE(program.close());
  CHECK(find_races(program).is_clean());
}

TEST_CASE("reading contents that nothing before writes is reported with the elements") {
  Program program = with_array({10}, false);
  const RegionId all = program.whole(ArrayId(0)).region;
  const RegionId low = slice(program, {from_to(0, 5)});
  spawn(program, {{low, kOut}});
  spawn(program, {{low, kIn}}, {0});
  spawn(program, {{all, kInout}}, {1});
  spawn(program, {{all, kIn}}, {2});
  REQUIRE(program.close());
  const RaceReport report = find_races(program);
  CHECK(report.races.empty());
  REQUIRE(report.undefined_reads.size() == 1);
  CHECK(report.undefined_reads[0].task == TaskId(2));
  CHECK(program.box_text(ArrayId(0), report.undefined_reads[0].part) == "A[5:10]");
  CHECK(faults_of(program, report)[0].what.find("\"init\"") != std::string::npos);
}

TEST_CASE("inferred dependencies leave no races") {
  for (const DependencyMode mode : {DependencyMode::kInferred, DependencyMode::kBoth}) {
    Program program = with_array({10}, true, mode);
    const RegionId all = program.whole(ArrayId(0)).region;
    spawn(program, {{all, kInout}});
    spawn(program, {{all, kInout}});
    REQUIRE(program.close());
    CHECK(find_races(program).is_clean());
  }
}

TEST_CASE("no more races are reported than asked for, and the report says so") {
  Program program = with_array({10});
  const RegionId all = program.whole(ArrayId(0)).region;
  for (int i = 0; i < 1000; ++i) spawn(program, {{all, kInout}});
  REQUIRE(program.close());
  const RaceReport report = find_races(program);
  REQUIRE(report.races.size() == 100);
  CHECK(report.is_cut_short);
  for (std::size_t i = 0; i < 100; ++i) {
    CHECK(report.races[i].first == TaskId(i));
    CHECK(report.races[i].second == TaskId(i + 1));
  }
  const RaceReport all_of_them = find_races(program, 999);
  CHECK(all_of_them.races.size() == 999);
  CHECK(!all_of_them.is_cut_short);
}

// ---- against a brute force: all pairs of accesses, all elements, transitive closure ----

namespace {

struct Problem {
  Program program;
  std::vector<std::vector<bool>> reaches;  // [a][b]: b waits for a
};

Index random_index(std::mt19937_64& random, std::int64_t extent) {
  const auto start = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(extent));
  if (random() % 3 == 0) return start;
  const auto stop = start + static_cast<std::int64_t>(random() % 4);
  return from_to(start, stop, 1 + static_cast<std::int64_t>(random() % 3));
}

Problem random_problem(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Problem problem{with_array({5, 4}, random() % 4 != 0), {}};
  Program& program = problem.program;
  const std::size_t tasks = 2 + random() % 9;
  // Tasks wait along a hidden random order; it is the identity half of the time.
  std::vector<std::size_t> hidden(tasks);
  std::iota(hidden.begin(), hidden.end(), 0U);
  if (random() % 2 == 0) std::shuffle(hidden.begin(), hidden.end(), random);
  std::vector<std::vector<std::size_t>> after(tasks);
  problem.reaches.assign(tasks, std::vector<bool>(tasks, false));
  for (std::size_t e = random() % (4 * tasks); e > 0; --e) {
    const std::size_t a = random() % tasks, b = random() % tasks;
    if (a >= b) continue;
    after[hidden[b]].push_back(hidden[a]);
    problem.reaches[hidden[a]][hidden[b]] = true;
  }
  for (std::size_t k = 0; k < tasks; ++k) {
    for (std::size_t i = 0; i < tasks; ++i) {
      for (std::size_t j = 0; j < tasks; ++j) {
        if (problem.reaches[i][k] && problem.reaches[k][j]) problem.reaches[i][j] = true;
      }
    }
  }
  for (std::size_t t = 0; t < tasks; ++t) {
    TaskSpec spec;
    for (const std::size_t on : after[t]) spec.after.push_back(TaskId(on));
    for (std::size_t a = random() % 3; a > 0; --a) {
      std::vector<Index> indices;
      for (std::size_t d = random() % 3; d > 0; --d) {
        indices.push_back(random_index(random, indices.empty() ? 5 : 4));
      }
      const auto mode = static_cast<AccessMode>(random() % 3);
      spec.accesses.push_back({slice(program, indices), mode, 0, {}});
    }
    TaskSpec fewer = spec;
    if (!program.spawn(spec)) {  // two written operands that overlap
      fewer.accesses.resize(1);
      REQUIRE(program.spawn(fewer));
    }
  }
  REQUIRE(program.close());
  return problem;
}

bool contains(const Box& box, std::int64_t row, std::int64_t column) {
  return box[0].contains(row) && box[1].contains(column);
}

bool conflict(const Program& program, const Access& a, const Access& b) {
  if (!writes(a.mode) && !writes(b.mode)) return false;
  for (std::int64_t row = 0; row < 5; ++row) {
    for (std::int64_t column = 0; column < 4; ++column) {
      if (contains(program.region(a.region).box, row, column) &&
          contains(program.region(b.region).box, row, column)) {
        return true;
      }
    }
  }
  return false;
}

struct Expected {
  TaskId first, second;
  RegionId second_region;
};

std::vector<Expected> brute_force(const Problem& problem) {
  const Program& program = problem.program;
  const TaskGraph graph(program);
  const auto order = graph.topological_order();
  std::vector<Expected> expected;
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::vector<Expected> of_task;
    for (const Access& mine : program.accesses(order[i])) {
      for (std::size_t j = i; j-- > 0;) {
        const auto theirs = program.accesses(order[j]);
        const bool is_conflict = std::any_of(theirs.begin(), theirs.end(), [&](const Access& a) {
          return conflict(program, a, mine);
        });
        if (!is_conflict || problem.reaches[order[j].index()][order[i].index()]) continue;
        of_task.push_back({order[j], order[i], mine.region});
        break;
      }
    }
    std::sort(of_task.begin(), of_task.end(), [](const Expected& a, const Expected& b) {
      return a.second_region < b.second_region;
    });
    expected.insert(expected.end(), of_task.begin(), of_task.end());
  }
  return expected;
}

std::vector<std::pair<TaskId, RegionId>> undefined_by_brute_force(const Program& program) {
  std::vector<std::pair<TaskId, RegionId>> found;
  if (program.array(ArrayId(0)).spec.initial.kind != Initial::Kind::kNone) return found;
  const TaskGraph graph(program);
  std::vector<bool> is_written(20, false);
  const auto elements = [&](const Access& access) {
    std::vector<std::size_t> out;
    for (std::size_t e = 0; e < 20; ++e) {
      const auto row = static_cast<std::int64_t>(e / 4), column = static_cast<std::int64_t>(e % 4);
      if (contains(program.region(access.region).box, row, column)) out.push_back(e);
    }
    return out;
  };
  for (const TaskId task : graph.topological_order()) {
    for (const Access& access : program.accesses(task)) {
      const auto touched = elements(access);
      if (reads(access.mode) && !std::all_of(touched.begin(), touched.end(),
                                             [&](std::size_t e) { return is_written[e]; })) {
        found.emplace_back(task, access.region);
      }
    }
    for (const Access& access : program.accesses(task)) {
      if (!writes(access.mode)) continue;
      for (const std::size_t e : elements(access)) is_written[e] = true;
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

void compare_with_brute_force(std::uint64_t seed, std::size_t& racy) {
  CAPTURE(seed);
  const Problem problem = random_problem(seed);
  const Program& program = problem.program;
  const std::vector<Expected> expected = brute_force(problem);
  const RaceReport report = find_races(program, 1000);
  REQUIRE(report.races.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const Race& race = report.races[i];
    REQUIRE(race.first == expected[i].first);
    REQUIRE(race.second == expected[i].second);
    REQUIRE(race.second_region == expected[i].second_region);
    const auto theirs = program.accesses(race.first);
    REQUIRE(std::any_of(theirs.begin(), theirs.end(), [&](const Access& a) {
      return a.region == race.first_region && a.mode == race.first_mode;
    }));
    REQUIRE(conflict(program, {race.first_region, race.first_mode, 0, {}},
                     {race.second_region, race.second_mode, 0, {}}));
    REQUIRE(intersection(program.region(race.first_region).box,
                         program.region(race.second_region).box) == race.overlap);
  }
  const RaceReport few = find_races(program, 2);
  REQUIRE(few.races.size() == std::min<std::size_t>(2, expected.size()));
  for (std::size_t i = 0; i < few.races.size(); ++i) {
    REQUIRE(few.races[i].second == report.races[i].second);
    REQUIRE(few.races[i].first == report.races[i].first);
  }
  std::vector<std::pair<TaskId, RegionId>> undefined;
  for (const UndefinedRead& read : report.undefined_reads) {
    undefined.emplace_back(read.task, read.region);
  }
  std::sort(undefined.begin(), undefined.end());
  REQUIRE(undefined == undefined_by_brute_force(program));
  if (!expected.empty()) ++racy;
}

}  // namespace

TEST_CASE("random programs: races and undefined reads are those of a brute force") {
  constexpr std::uint64_t kProblems = 4000;
  std::size_t racy = 0;
  for (std::uint64_t seed = 1; seed <= kProblems; ++seed) compare_with_brute_force(seed, racy);
  CHECK(racy > kProblems / 10);
  CHECK(racy < kProblems * 9 / 10);
}
