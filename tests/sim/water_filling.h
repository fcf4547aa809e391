// Max-min fair rates by brute force: the highest common level is found by bisection on what is
// feasible, again and again. Slow and unlike the solver under test.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace parley::sim {

struct WaterFilling {
  struct Player {
    double limit = 0.0;
    std::vector<std::pair<std::size_t, double>> uses;  // resource, weight
    double gives_way = 0.0;
    [[nodiscard]] double rate(double level) const {
      const double reached = std::min(level, limit);
      return gives_way == 0.0 ? reached : reached * (1.0 - gives_way * (1.0 - reached / limit));
    }
  };
  std::vector<double> capacities;
  std::vector<Player> players;

  [[nodiscard]] std::vector<double> usage(const std::vector<double>& rates) const {
    std::vector<double> used(capacities.size(), 0.0);
    for (std::size_t p = 0; p < players.size(); ++p) {
      for (const auto& [resource, weight] : players[p].uses) used[resource] += weight * rates[p];
    }
    return used;
  }

  [[nodiscard]] bool is_feasible(const std::vector<double>& rates) const {
    const std::vector<double> used = usage(rates);
    for (std::size_t r = 0; r < used.size(); ++r) {
      if (used[r] > capacities[r] * (1.0 + 1e-12)) return false;
    }
    return true;
  }

  [[nodiscard]] std::vector<double> rates() const {
    std::vector<double> found(players.size(), 0.0);
    std::vector<bool> is_frozen(players.size(), false);
    while (std::ranges::count(is_frozen, false) > 0) {
      const auto raised = [&](double level) {
        std::vector<double> raised_rates = found;
        for (std::size_t p = 0; p < players.size(); ++p) {
          if (!is_frozen[p]) raised_rates[p] = players[p].rate(level);
        }
        return raised_rates;
      };
      double low = 0.0, high = 1e7;
      for (int i = 0; i < 200; ++i) {
        const double middle = (low + high) / 2.0;
        (is_feasible(raised(middle)) ? low : high) = middle;
      }
      found = raised(low);
      const std::vector<double> used = usage(found);
      const std::vector<bool> before = is_frozen;
      for (std::size_t p = 0; p < players.size(); ++p) {
        if (found[p] >= players[p].limit * (1.0 - 1e-9)) is_frozen[p] = true;
        for (const auto& [resource, weight] : players[p].uses) {
          if (used[resource] >= capacities[resource] * (1.0 - 1e-9)) is_frozen[p] = true;
        }
      }
      if (before == is_frozen) break;  // nothing limits the rest
    }
    return found;
  }
};

}  // namespace parley::sim
