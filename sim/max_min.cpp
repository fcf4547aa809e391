#include "sim/max_min.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace parley::sim {
namespace {

// Levels that differ by less are one: they stand for equal capacities over equal weights, told
// apart by rounding only.
constexpr double kTolerance = 1e-12;

}  // namespace

void MaxMinProblem::clear() {
  resources_.clear();
  players_.clear();
  first_use_.clear();
  uses_.clear();
}

std::uint32_t MaxMinProblem::add_resource(double capacity) {
  resources_.push_back({capacity, 0.0, 0.0, 0.0, 0});
  return static_cast<std::uint32_t>(resources_.size() - 1);
}

/// The level at which the active players use up what is left: the root of a line or a parabola.
double MaxMinProblem::Resource::level() const {
  const double left = capacity - frozen_use;
  if (active_slope == 0.0) return left / active_weight;
  const double root = active_weight * active_weight + 4.0 * active_slope * std::max(left, 0.0);
  return 2.0 * left / (active_weight + std::sqrt(std::max(root, 0.0)));
}

std::uint32_t MaxMinProblem::add_player(double limit, double gives_way) {
  Player player;
  player.limit = limit;
  if (gives_way > 0.0 && std::isfinite(limit)) {
    player.linear = 1.0 - gives_way;
    player.quadratic = gives_way / limit;
  }
  players_.push_back(player);
  first_use_.push_back(static_cast<std::uint32_t>(uses_.size()));
  return static_cast<std::uint32_t>(players_.size() - 1);
}

void MaxMinProblem::add_use(std::uint32_t resource, double weight) {
  uses_.push_back({resource, weight});
  resources_[resource].active_weight += weight * players_.back().linear;
  resources_[resource].active_slope += weight * players_.back().quadratic;
  ++resources_[resource].active;
}

std::span<const MaxMinProblem::Use> MaxMinProblem::uses_of(std::uint32_t player) const {
  const std::size_t begin = first_use_[player];
  const std::size_t end = player + 1 < first_use_.size() ? first_use_[player + 1] : uses_.size();
  return std::span(uses_).subspan(begin, end - begin);
}

double MaxMinProblem::next_level() const {
  double level = std::numeric_limits<double>::infinity();
  for (const Resource& resource : resources_) {
    if (resource.active > 0) level = std::min(level, resource.level());
  }
  for (const std::uint32_t player : active_) level = std::min(level, players_[player].limit);
  return level;
}

bool MaxMinProblem::is_stopped(std::uint32_t player, double level) const {
  const double bound = level * (1.0 + kTolerance);
  if (players_[player].limit <= bound) return true;
  return std::ranges::any_of(
      uses_of(player), [&](const Use& use) { return resources_[use.resource].level() <= bound; });
}

void MaxMinProblem::freeze(std::uint32_t player, double rate) {
  rates_[player] = rate;
  for (const Use& use : uses_of(player)) {
    Resource& resource = resources_[use.resource];
    resource.frozen_use += use.weight * rate;
    resource.active_weight -= use.weight * players_[player].linear;
    resource.active_slope -= use.weight * players_[player].quadratic;
    --resource.active;
  }
}

std::span<const double> MaxMinProblem::solve() {
  rates_.assign(players_.size(), 0.0);
  active_.clear();
  for (std::uint32_t player = 0; player < players_.size(); ++player) active_.push_back(player);
  double level = 0.0;
  while (!active_.empty()) {
    level = std::max(level, next_level());  // levels never fall, but for rounding
    // Who stops is decided before anyone is frozen: freezing changes the resources' levels.
    stopped_.clear();
    std::erase_if(active_, [&](std::uint32_t player) {
      if (!is_stopped(player, level)) return false;
      stopped_.push_back(player);
      return true;
    });
    for (const std::uint32_t stopped : stopped_) {
      const Player& player = players_[stopped];
      freeze(stopped, player.rate(std::min(level, player.limit)));
    }
  }
  return rates_;
}

}  // namespace parley::sim
