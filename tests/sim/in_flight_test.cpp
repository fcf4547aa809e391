#include "sim/in_flight.h"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <vector>

#include "core/base/check.h"
#include "tests/sim/draws.h"

namespace parley::sim {
namespace {

using core::CommandId;

TEST_CASE("a command waits for those of its `after` that have not finished") {
  InFlightTable table;
  for (std::size_t i = 0; i < 3; ++i) table.add(CommandId(i));
  CHECK(table.finish(CommandId(1)).empty());
  const std::vector<CommandId> after = {CommandId(0), CommandId(1), CommandId(2)};
  CHECK(table.wait_for(after, {7, false}) == 2);
  CHECK(table.wait_for(std::vector{CommandId(0)}, {8, true}) == 1);
  const auto released = table.finish(CommandId(0));
  REQUIRE(released.size() == 2);
  CHECK(released[0].number == 7);
  CHECK_FALSE(released[0].is_drop);
  CHECK(released[1].number == 8);
  CHECK(released[1].is_drop);
}

TEST_CASE("ids must come without gaps, and `after` names earlier commands only") {
  InFlightTable table;
  table.add(CommandId(0));
  CHECK_THROWS_AS(table.add(CommandId(2)), core::InvariantViolation);
  CHECK_THROWS_AS(table.wait_for(std::vector{CommandId(1)}, {0, false}), core::InvariantViolation);
}

TEST_CASE("storage follows the commands in flight, not the length of the run") {
  InFlightTable table;
  constexpr std::size_t kRun = 20'000;
  constexpr std::size_t kWindow = 100;
  table.add(CommandId(0));  // one command lasts from the beginning to the end
  for (std::size_t i = 1; i < kRun; ++i) {
    table.add(CommandId(i));
    if (i > kWindow) table.finish(CommandId(i - kWindow));
    REQUIRE(table.chunks_in_use() <= 4);
  }
  CHECK_FALSE(table.is_finished(CommandId(0)));
  CHECK(table.is_finished(CommandId(1)));
  CHECK(table.in_flight() == kWindow + 1);
}

TEST_CASE("random runs release every waiter exactly once for each command it named") {
  for (std::uint32_t seed = 0; seed < 30; ++seed) {
    CAPTURE(seed);
    Draws random(seed);
    InFlightTable table;
    std::set<std::size_t> unfinished;
    std::map<std::size_t, std::uint32_t> pending;
    for (std::size_t i = 0; i < 2000; ++i) {
      const CommandId id(i);
      table.add(id);
      std::vector<CommandId> after;
      std::uint32_t expected = 0;
      for (std::size_t n = random.below(4); n > 0 && i > 0; --n) {
        after.emplace_back(random.below(i));
        expected += unfinished.contains(after.back().index()) ? 1 : 0;
      }
      pending[i] = table.wait_for(after, {static_cast<std::uint32_t>(i), false});
      REQUIRE(pending[i] == expected);
      unfinished.insert(i);
      while (unfinished.size() > random.below(50)) {
        auto ended = unfinished.begin();
        std::advance(ended, random.below(unfinished.size()));
        for (const Waiter& waiter : table.finish(CommandId(*ended))) {
          REQUIRE(pending[waiter.number] > 0);
          --pending[waiter.number];
        }
        unfinished.erase(ended);
      }
    }
    while (!unfinished.empty()) {
      for (const Waiter& waiter : table.finish(CommandId(*unfinished.begin()))) {
        --pending[waiter.number];
      }
      unfinished.erase(unfinished.begin());
    }
    for (const auto& [id, count] : pending) REQUIRE(count == 0);
  }
}

}  // namespace
}  // namespace parley::sim
