// Where busy threads go: cores of their own, never more than half of all.
#include "exec/processors.h"

#include <doctest/doctest.h>
#include <sched.h>

#include <set>
#include <thread>
#include <vector>

using parley::exec::allowed_processors;
using parley::exec::Processor;
using parley::exec::spread;
using parley::exec::ThreadBinding;

namespace {

std::vector<Processor> alone(int count) {
  std::vector<Processor> processors;
  for (int i = 0; i < count; ++i) processors.push_back({i, i});
  return processors;
}

/// Processor i and i + cores share a core, as most systems number them.
std::vector<Processor> in_pairs(int cores) {
  std::vector<Processor> processors;
  for (int i = 0; i < 2 * cores; ++i) processors.push_back({i, i % cores});
  return processors;
}

std::vector<int> numbers_allowed() {
  std::vector<int> numbers;
  for (const Processor& processor : allowed_processors()) numbers.push_back(processor.number);
  return numbers;
}

}  // namespace

TEST_CASE("busy threads are spread over cores") {
  struct Case {
    const char* what;
    std::vector<Processor> allowed;
    int current;
    std::size_t count;
    std::vector<int> expected;
  };
  const std::vector<Case> cases = {
      {"every second where none tells of its core", alone(8), 0, 3, {0, 2, 4}},
      {"from the current one on", alone(8), 3, 2, {3, 5}},
      {"around the end", alone(8), 6, 3, {6, 0, 2}},
      {"all that leave half to others", alone(6), 1, 3, {1, 3, 5}},
      {"too few", alone(6), 0, 4, {}},
      {"one processor", alone(1), 0, 1, {}},
      {"none", {}, 0, 1, {}},
      {"one of each core", in_pairs(4), 0, 4, {0, 1, 2, 3}},
      {"siblings are left alone", in_pairs(4), 6, 3, {6, 7, 0}},
      {"the current one is not allowed", alone(4), 9, 2, {0, 2}},
      {"gaps", {{3, 3}, {5, 5}, {11, 11}, {12, 12}}, 5, 2, {5, 12}},
      {"siblings side by side", {{0, 0}, {1, 0}, {2, 2}, {3, 2}}, 1, 2, {1, 2}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    CHECK(spread(c.allowed, c.current, c.count) == c.expected);
  }
}

TEST_CASE("spread threads never share a core") {
  for (int size = 1; size <= 12; ++size) {
    for (const std::vector<Processor>& allowed : {alone(size), in_pairs(size)}) {
      for (std::size_t count = 0; count <= allowed.size(); ++count) {
        for (const Processor& current : allowed) {
          const std::vector<int> chosen = spread(allowed, current.number, count);
          if (chosen.empty()) continue;
          CHECK(chosen.size() == count);
          CHECK(2 * count <= allowed.size());
          std::set<int> cores;
          for (const int number : chosen) {
            cores.insert(allowed[static_cast<std::size_t>(number)].core);
          }
          CHECK(cores.size() == count);
        }
      }
    }
  }
}

TEST_CASE("a binding ends where it began") {
  const std::vector<int> before = numbers_allowed();
  REQUIRE_FALSE(before.empty());
  {
    const ThreadBinding bound = ThreadBinding::to(before.back());
    if (!bound.is_bound()) {
      MESSAGE("skipped: this system lets no thread be bound");
      return;
    }
    CHECK(numbers_allowed() == std::vector<int>{before.back()});
    CHECK(sched_getcpu() == before.back());
  }
  CHECK(numbers_allowed() == before);
  ThreadBinding moved;
  moved = ThreadBinding::to(before.front());
  CHECK(numbers_allowed() == std::vector<int>{before.front()});
  moved = ThreadBinding();
  CHECK(numbers_allowed() == before);
  if (before.size() > 1) {
    const std::vector<int> first = {before.front()};
    const ThreadBinding others = ThreadBinding::to_others_than(first);
    CHECK(numbers_allowed() == std::vector<int>(before.begin() + 1, before.end()));
  }
  CHECK(numbers_allowed() == before);
  const ThreadBinding none_left = ThreadBinding::to_others_than(before);
  CHECK(numbers_allowed() == before);
}
