#include "core/graph/reachability.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>

using namespace parley::core;

namespace {

TaskGraph graph_of(const std::vector<std::vector<std::size_t>>& dependencies) {
  std::vector<std::uint64_t> first = {0};
  std::vector<TaskId> targets;
  for (const auto& of_task : dependencies) {
    for (const std::size_t on : of_task) targets.push_back(TaskId(on));
    first.push_back(targets.size());
  }
  return {first, targets};
}

}  // namespace

TEST_CASE("reachability of random graphs is their transitive closure") {
  std::mt19937_64 random(7);
  std::size_t searched = 0;
  for (int trial = 0; trial < 300; ++trial) {
    CAPTURE(trial);
    const std::size_t tasks = 1 + random() % 60;
    std::vector<std::size_t> hidden(tasks);
    std::iota(hidden.begin(), hidden.end(), 0U);
    std::shuffle(hidden.begin(), hidden.end(), random);
    std::vector<std::vector<std::size_t>> lists(tasks);
    std::vector<std::vector<bool>> reaches(tasks, std::vector<bool>(tasks, false));
    for (std::size_t e = random() % (3 * tasks); e > 0; --e) {
      const std::size_t a = random() % tasks, b = random() % tasks;
      if (a >= b) continue;
      lists[hidden[b]].push_back(hidden[a]);
      reaches[hidden[a]][hidden[b]] = true;
    }
    for (std::size_t k = 0; k < tasks; ++k) {
      for (std::size_t i = 0; i < tasks; ++i) {
        for (std::size_t j = 0; j < tasks; ++j) {
          if (reaches[i][k] && reaches[k][j]) reaches[i][j] = true;
        }
      }
    }
    const TaskGraph graph = graph_of(lists);
    Reachability reachability(graph);
    for (std::size_t a = 0; a < tasks; ++a) {
      for (std::size_t b = 0; b < tasks; ++b) {
        if (reachability.surely_reaches(TaskId(a), TaskId(b))) REQUIRE(reaches[a][b]);
        REQUIRE(reachability.reaches(TaskId(a), TaskId(b)) == reaches[a][b]);
      }
    }
    searched += reachability.searched();
  }
  CHECK(searched > 0);  // else the search was never tested
}

TEST_CASE("a path of a million tasks is found without visiting it") {
  constexpr std::size_t kTasks = 1'000'000;
  std::vector<std::vector<std::size_t>> lists(kTasks);
  for (std::size_t t = 1; t < kTasks; ++t) lists[t].push_back(t - 1);
  const TaskGraph graph = graph_of(lists);
  Reachability reachability(graph);
  CHECK(reachability.reaches(TaskId(0), TaskId(kTasks - 1)));
  CHECK(!reachability.reaches(TaskId(kTasks - 1), TaskId(0)));
  CHECK(!reachability.reaches(TaskId(5), TaskId(5)));
  CHECK(reachability.searched() == 0);
}

TEST_CASE("a path through two barriers is found in a few steps") {
  constexpr std::size_t kWidth = 10'000;
  std::vector<std::vector<std::size_t>> lists;  // phase, barrier, phase, barrier, phase
  const auto add_phase = [&](bool is_first) {
    const std::size_t barrier = lists.size() - 1;
    for (std::size_t i = 0; i < kWidth; ++i) {
      lists.push_back(is_first ? std::vector<std::size_t>{} : std::vector<std::size_t>{barrier});
    }
    const std::size_t begin = lists.size() - kWidth;
    std::vector<std::size_t> all(kWidth);
    std::iota(all.begin(), all.end(), begin);
    lists.push_back(all);
  };
  add_phase(true);
  add_phase(false);
  add_phase(false);
  const TaskGraph graph = graph_of(lists);
  Reachability reachability(graph);
  for (std::size_t i = 0; i < kWidth; ++i) {
    REQUIRE(reachability.reaches(TaskId(i), TaskId(2 * (kWidth + 1) + i)));
  }
  CHECK(reachability.searched() < 10 * kWidth);
}
