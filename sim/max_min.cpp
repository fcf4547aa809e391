#include "sim/max_min.h"

#include <algorithm>
#include <limits>

namespace parley::sim {
namespace {

// Levels that differ by less are one: they stand for equal capacities over equal weights, told
// apart by rounding only.
constexpr double kTolerance = 1e-12;

}  // namespace

void MaxMinProblem::clear() {
  resources_.clear();
  limits_.clear();
  first_use_.clear();
  uses_.clear();
}

std::uint32_t MaxMinProblem::add_resource(double capacity) {
  resources_.push_back({capacity, 0.0, 0.0, 0});
  return static_cast<std::uint32_t>(resources_.size() - 1);
}

std::uint32_t MaxMinProblem::add_player(double limit) {
  limits_.push_back(limit);
  first_use_.push_back(static_cast<std::uint32_t>(uses_.size()));
  return static_cast<std::uint32_t>(limits_.size() - 1);
}

void MaxMinProblem::add_use(std::uint32_t resource, double weight) {
  uses_.push_back({resource, weight});
  resources_[resource].active_weight += weight;
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
  for (const std::uint32_t player : active_) level = std::min(level, limits_[player]);
  return level;
}

bool MaxMinProblem::is_stopped(std::uint32_t player, double level) const {
  const double bound = level * (1.0 + kTolerance);
  if (limits_[player] <= bound) return true;
  return std::ranges::any_of(
      uses_of(player), [&](const Use& use) { return resources_[use.resource].level() <= bound; });
}

void MaxMinProblem::freeze(std::uint32_t player, double rate) {
  rates_[player] = rate;
  for (const Use& use : uses_of(player)) {
    Resource& resource = resources_[use.resource];
    resource.frozen_use += use.weight * rate;
    resource.active_weight -= use.weight;
    --resource.active;
  }
}

std::span<const double> MaxMinProblem::solve() {
  rates_.assign(limits_.size(), 0.0);
  active_.clear();
  for (std::uint32_t player = 0; player < limits_.size(); ++player) active_.push_back(player);
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
    for (const std::uint32_t player : stopped_) freeze(player, std::min(level, limits_[player]));
  }
  return rates_;
}

}  // namespace parley::sim
