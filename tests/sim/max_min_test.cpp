#include "sim/max_min.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/sim/draws.h"
#include "tests/sim/water_filling.h"

namespace parley::sim {
namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

std::vector<double> solved(const WaterFilling& problem) {
  MaxMinProblem solver;
  for (const double capacity : problem.capacities) solver.add_resource(capacity);
  for (const WaterFilling::Player& player : problem.players) {
    solver.add_player(player.limit, player.gives_way);
    for (const auto& [resource, weight] : player.uses) {
      solver.add_use(static_cast<std::uint32_t>(resource), weight);
    }
  }
  const auto rates = solver.solve();
  return {rates.begin(), rates.end()};
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

WaterFilling random_problem(Draws& random) {
  WaterFilling problem;
  const std::size_t resources = 1 + random.below(6);
  for (std::size_t r = 0; r < resources; ++r) problem.capacities.push_back(1 + random.below(1000));
  const std::size_t players = 1 + random.below(12);
  constexpr double kWeights[] = {0.5, 1.0, 1.0, 1.0, 2.0, 3.0};
  for (std::size_t p = 0; p < players; ++p) {
    WaterFilling::Player player;
    player.limit = random.below(2) == 0 ? kUnlimited : 1 + random.below(300);
    for (std::size_t r = 0; r < resources; ++r) {
      if (random.below(3) == 0) player.uses.emplace_back(r, kWeights[random.below(6)]);
    }
    if (player.limit < kUnlimited && random.below(4) == 0) {
      player.gives_way = 0.25 * (1 + random.below(4));
    }
    if (player.uses.empty()) player.uses.emplace_back(random.below(resources), 1.0);
    problem.players.push_back(player);
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

}  // namespace
}  // namespace parley::sim
