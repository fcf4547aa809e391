#include "sim/max_min.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "tests/sim/draws.h"
#include "tests/sim/water_filling.h"

namespace parley::sim {
namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

constexpr std::size_t kMostUses = 8;

MaxMinShares::Player add(MaxMinShares& shares, const WaterFilling::Player& player) {
  const MaxMinShares::Player number = shares.add(player.limit, player.gives_way);
  for (const auto& [resource, weight] : player.uses) {
    shares.add_use(number, static_cast<MaxMinShares::Resource>(resource), weight);
  }
  return number;
}

std::vector<double> solved(const WaterFilling& problem) {
  MaxMinShares shares(problem.capacities, kMostUses);
  for (const WaterFilling::Player& player : problem.players) add(shares, player);
  CHECK(shares.settle().size() == problem.players.size());
  CHECK(shares.solved_anew() == 0);
  std::vector<double> rates;
  for (MaxMinShares::Player p = 0; p < problem.players.size(); ++p) rates.push_back(shares.rate(p));
  return rates;
}

TEST_CASE("rates of small problems") {
  struct Row {
    const char* name;
    WaterFilling problem;
    std::vector<double> rates;
  };
  const std::vector<Row> table = {
      {"alone: the capacity", {{100.0}, {{kUnlimited, {{0, 1.0}}}}}, {100.0}},
      {"alone: its own limit", {{100.0}, {{30.0, {{0, 1.0}}}}}, {30.0}},
      {"two share equally",
       {{100.0}, {{kUnlimited, {{0, 1.0}}}, {kUnlimited, {{0, 1.0}}}}},
       {50.0, 50.0}},
      {"what one cannot take the other gets",
       {{100.0}, {{20.0, {{0, 1.0}}}, {kUnlimited, {{0, 1.0}}}}},
       {20.0, 80.0}},
      {"weight: a byte that takes two units",
       {{90.0}, {{kUnlimited, {{0, 2.0}}}, {kUnlimited, {{0, 1.0}}}}},
       {30.0, 30.0}},
      {"the second link of a long way fills up first",
       {{100.0, 40.0},
        {{kUnlimited, {{0, 1.0}, {1, 1.0}}}, {kUnlimited, {{1, 1.0}}}, {kUnlimited, {{0, 1.0}}}}},
       {20.0, 20.0, 80.0}},
      // At the level L the second has L (1 - 0.5 (1 - L / 100)); 80 + 72 = 152.
      {"one that gives way gets less, the more the scarcer things are",
       {{152.0}, {{100.0, {{0, 1.0}}}, {100.0, {{0, 1.0}}, 0.5}}},
       {80.0, 72.0}},
      {"at the level 20 already 40 % less",
       {{32.0}, {{100.0, {{0, 1.0}}}, {100.0, {{0, 1.0}}, 0.5}}},
       {20.0, 12.0}},
      {"alone it gives way to nobody", {{50.0}, {{100.0, {{0, 1.0}}, 1.0}}}, {50.0}},
      {"of what it cannot take, others get more",
       {{110.0}, {{100.0, {{0, 1.0}}}, {10.0, {{0, 1.0}}, 1.0}}},
       {100.0, 10.0}},
      {"no resource and no limit: infinity", {{}, {{kUnlimited, {}}}}, {kUnlimited}},
  };
  for (const Row& row : table) {
    CAPTURE(row.name);
    const std::vector<double> rates = solved(row.problem);
    REQUIRE(rates.size() == row.rates.size());
    for (std::size_t i = 0; i < rates.size(); ++i) {
      const bool is_equal =
          rates[i] == row.rates[i] || std::abs(rates[i] - row.rates[i]) <= 1e-12 * row.rates[i];
      CHECK(is_equal);
    }
  }
}

WaterFilling::Player random_player(Draws& random, std::size_t resources) {
  constexpr double kWeights[] = {0.5, 1.0, 1.0, 1.0, 2.0, 3.0};
  WaterFilling::Player player;
  player.limit = random.below(2) == 0 ? kUnlimited : 1 + random.below(300);
  const std::size_t sparsity = resources < kMostUses ? 3 : resources;
  for (std::size_t r = 0; r < resources && player.uses.size() < kMostUses; ++r) {
    if (random.below(sparsity) < (resources < kMostUses ? 1U : 3U))
      player.uses.emplace_back(r, kWeights[random.below(6)]);
  }
  if (player.limit < kUnlimited && random.below(4) == 0) {
    player.gives_way = 0.25 * (1 + random.below(4));
  }
  if (player.uses.empty()) player.uses.emplace_back(random.below(resources), 1.0);
  return player;
}

WaterFilling random_problem(Draws& random) {
  WaterFilling problem;
  const std::size_t resources = 1 + random.below(6);
  for (std::size_t r = 0; r < resources; ++r) problem.capacities.push_back(1 + random.below(1000));
  const std::size_t players = 1 + random.below(12);
  for (std::size_t p = 0; p < players; ++p) {
    problem.players.push_back(random_player(random, resources));
  }
  return problem;
}

TEST_CASE("random problems: rates are those of brute-force water-filling") {
  for (std::uint32_t seed = 0; seed < 2000; ++seed) {
    CAPTURE(seed);
    Draws random(seed);
    const WaterFilling problem = random_problem(random);
    const std::vector<double> rates = solved(problem);
    const std::vector<double> expected = problem.rates();
    for (std::size_t p = 0; p < rates.size(); ++p) {
      REQUIRE(rates[p] == doctest::Approx(expected[p]).epsilon(1e-6));
    }
  }
}

/// The level at which a player has its rate: the rate itself but for one that gives way.
double level_of(const WaterFilling::Player& player, double rate) {
  double low = 0.0, high = std::min(player.limit, 1e7);
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2.0;
    (player.rate(middle) < rate ? low : high) = middle;
  }
  return high;
}

// The definition, which needs no second solver: a level can rise only at the cost of one that is no
// higher, that is, every player is at its limit or first on a resource that is used up.
TEST_CASE("random problems: no capacity is exceeded, and everybody has a bottleneck") {
  for (std::uint32_t seed = 0; seed < 5000; ++seed) {
    CAPTURE(seed);
    Draws random(seed);
    const WaterFilling problem = random_problem(random);
    const std::vector<double> rates = solved(problem);
    const std::vector<double> used = problem.usage(rates);
    std::vector<double> levels;
    for (std::size_t p = 0; p < rates.size(); ++p) {
      levels.push_back(level_of(problem.players[p], rates[p]));
    }
    for (std::size_t r = 0; r < used.size(); ++r) {
      REQUIRE(used[r] <= problem.capacities[r] * (1.0 + 1e-9));
    }
    for (std::size_t p = 0; p < rates.size(); ++p) {
      bool is_stopped = rates[p] >= problem.players[p].limit * (1.0 - 1e-9);
      for (const auto& [resource, weight] : problem.players[p].uses) {
        bool is_first = used[resource] >= problem.capacities[resource] * (1.0 - 1e-9);
        for (std::size_t q = 0; q < rates.size(); ++q) {
          for (const auto& [other, other_weight] : problem.players[q].uses) {
            if (other == resource && levels[q] > levels[p] * (1.0 + 1e-6)) is_first = false;
          }
        }
        is_stopped = is_stopped || is_first;
      }
      REQUIRE(is_stopped);
    }
  }
}

// ---- players that come and go ----

/// Rates of those who are there, as a solver that never saw anybody else finds them.
void check_against_anew(const MaxMinShares& shares, const std::vector<double>& capacities,
                        const std::map<MaxMinShares::Player, WaterFilling::Player>& present) {
  MaxMinShares anew(capacities, kMostUses);
  std::vector<MaxMinShares::Player> numbers;
  for (const auto& [number, player] : present) numbers.push_back(add(anew, player));
  anew.settle();
  std::size_t next = 0;
  for (const auto& [number, player] : present) {
    REQUIRE(shares.rate(number) == doctest::Approx(anew.rate(numbers[next++])).epsilon(1e-10));
  }
}

// Capacities and weights from few values make ties, which rounding could tell apart.
TEST_CASE("random arrivals, departures and limits: rates are those of all solved anew") {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    Draws random(seed);
    WaterFilling problem;
    const bool has_ties = random.below(2) == 0;
    for (std::size_t r = 0; r < 2 + random.below(30); ++r) {
      problem.capacities.push_back(has_ties ? 100 << random.below(2) : 1 + random.below(1000));
    }
    MaxMinShares shares(problem.capacities, kMostUses);
    std::map<MaxMinShares::Player, WaterFilling::Player> present;
    std::map<MaxMinShares::Player, double> rates;
    const std::size_t most = 1 + random.below(60);
    for (int step = 0; step < 100; ++step) {
      CAPTURE(step);
      std::set<MaxMinShares::Player> touched;
      for (std::size_t n = 1 + random.below(3); n > 0; --n) {
        const auto chosen = std::next(present.begin(), random.below(present.size() + 1));
        if (chosen == present.end() || present.size() < most / 2) {
          const WaterFilling::Player player = random_player(random, problem.capacities.size());
          const MaxMinShares::Player number = add(shares, player);
          present[number] = player;
          touched.insert(number);
        } else if (random.below(3) == 0) {
          chosen->second.limit = random.below(4) == 0 ? kUnlimited : 1 + random.below(300);
          shares.set_limit(chosen->first, chosen->second.limit);
          touched.insert(chosen->first);
        } else {
          shares.remove(chosen->first);
          touched.erase(chosen->first);
          rates.erase(chosen->first);
          present.erase(chosen);
        }
      }
      for (const MaxMinShares::Player number : shares.settle()) {
        rates[number] = shares.rate(number);
        touched.erase(number);
      }
      REQUIRE(touched.empty());
      REQUIRE(rates.size() == present.size());
      for (const auto& [number, rate] : rates) REQUIRE(shares.rate(number) == rate);
      check_against_anew(shares, problem.capacities, present);
    }
    CHECK(shares.solved_anew() == 0);
  }
}

TEST_CASE("a change is told to those whom it reaches, and to nobody else") {
  // Three links in a row; who comes to the first shrinks its neighbour on the second, and whoever
  // is left there grows, but the third is no limit to anybody.
  MaxMinShares shares({10.0, 10.0, 100.0}, 2);
  const MaxMinShares::Player across = add(shares, {kUnlimited, {{0, 1.0}, {1, 1.0}}});
  const MaxMinShares::Player second = add(shares, {kUnlimited, {{1, 1.0}}});
  const MaxMinShares::Player onward = add(shares, {3.9, {{1, 1.0}, {2, 1.0}}});
  const MaxMinShares::Player third = add(shares, {50.0, {{2, 1.0}}});
  const auto listed = [](std::span<const MaxMinShares::Player> told) {
    std::vector<MaxMinShares::Player> players(told.begin(), told.end());
    std::ranges::sort(players);
    return players;
  };
  CHECK(listed(shares.settle()) == std::vector{across, second, onward, third});
  CHECK(shares.rate(across) == doctest::Approx(10.0 / 3.0));
  const MaxMinShares::Player first = add(shares, {8.0, {{0, 4.0}}});
  CHECK(listed(shares.settle()) == std::vector{across, second, onward, first});
  CHECK(shares.rate(across) == doctest::Approx(2.0));
  CHECK(shares.rate(second) == doctest::Approx(4.1));
  shares.remove(first);
  CHECK(listed(shares.settle()) == std::vector{across, second, onward});
  CHECK(shares.settle().empty());
}

}  // namespace
}  // namespace parley::sim
