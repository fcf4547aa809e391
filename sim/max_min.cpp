#include "sim/max_min.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace parley::sim {
namespace {

// Levels that differ by less are one: they stand for equal capacities over equal weights, told
// apart by rounding only.
constexpr double kTolerance = 1e-12;
// In place of rates, which are not negative.
constexpr double kNotKnown = -1.0;
constexpr double kStopping = -2.0;

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

/// Infinity when nobody uses it any more.
double MaxMinProblem::known_level(const Resource& resource) {
  return resource.active > 0 ? resource.level() : std::numeric_limits<double>::infinity();
}

/// Players by resource, the least limits first, and the level of each resource.
void MaxMinProblem::begin() {
  first_player_.assign(resources_.size() + 1, 0);
  for (const Use& use : uses_) ++first_player_[use.resource + 1];
  for (std::size_t r = 0; r < resources_.size(); ++r) first_player_[r + 1] += first_player_[r];
  players_of_.resize(uses_.size());
  next_place_.assign(first_player_.begin(), first_player_.end() - 1);
  by_limit_.clear();
  for (std::uint32_t player = 0; player < players_.size(); ++player) {
    for (const Use& use : uses_of(player)) players_of_[next_place_[use.resource]++] = player;
    by_limit_.push_back({players_[player].limit, player});
  }
  std::ranges::sort(by_limit_, {}, &ByLimit::limit);
  levels_.clear();
  for (const Resource& resource : resources_) levels_.push_back(known_level(resource));
  rates_.assign(players_.size(), kNotKnown);
}

/// Freezing changes the levels of the player's resources: they are to be asked for again.
void MaxMinProblem::freeze(std::uint32_t player, double rate) {
  rates_[player] = rate;
  for (const Use& use : uses_of(player)) {
    Resource& resource = resources_[use.resource];
    resource.frozen_use += use.weight * rate;
    resource.active_weight -= use.weight * players_[player].linear;
    resource.active_slope -= use.weight * players_[player].quadratic;
    --resource.active;
    changed_.push_back(use.resource);
  }
}

/// Who stops at the level is decided before anyone is frozen: in `stopped_`, ascending.
void MaxMinProblem::find_stopped(double level, std::size_t first_limit) {
  const double bound = level * (1.0 + kTolerance);
  stopped_.clear();
  const auto stop = [&](std::uint32_t player) {
    if (rates_[player] != kNotKnown) return;
    rates_[player] = kStopping;
    stopped_.push_back(player);
  };
  for (std::size_t i = first_limit; i < by_limit_.size() && by_limit_[i].limit <= bound; ++i) {
    stop(by_limit_[i].player);
  }
  for (std::size_t r = 0; r < levels_.size(); ++r) {
    if (levels_[r] > bound) continue;
    for (std::uint32_t i = first_player_[r]; i < first_player_[r + 1]; ++i) stop(players_of_[i]);
  }
  std::ranges::sort(stopped_);
}

std::span<const double> MaxMinProblem::solve() {
  begin();
  double level = 0.0;
  std::size_t first_limit = 0;  // in by_limit_, of those that have not stopped
  for (std::size_t left = players_.size(); left > 0; left -= stopped_.size()) {
    while (rates_[by_limit_[first_limit].player] != kNotKnown) ++first_limit;
    double next = by_limit_[first_limit].limit;
    for (const double resource_level : levels_) next = std::min(next, resource_level);
    level = std::max(level, next);  // levels never fall, but for rounding
    find_stopped(level, first_limit);
    changed_.clear();
    for (const std::uint32_t stopped : stopped_) {
      const Player& player = players_[stopped];
      freeze(stopped, player.rate(std::min(level, player.limit)));
    }
    for (const std::uint32_t r : changed_) levels_[r] = known_level(resources_[r]);
  }
  return rates_;
}

}  // namespace parley::sim
