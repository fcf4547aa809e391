// Each resource has a level: what those have whose bottleneck it is. It follows from the levels at
// which others stop its other users: the highest at which the resource is not overbooked. Where a
// player came, went or changed its level, the levels of its resources are found anew; one that
// differs from what its users have is pending. The pending resource with the lowest level, old or
// new, is right for good but for rounding: nothing that happens at a higher level changes what is
// left of it, as in progressive filling. Its users get its level, and their other resources are
// looked at. What is not pending in the end is as the definition of max-min fairness demands.
#include "sim/max_min.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "core/base/check.h"

namespace parley::sim {
namespace {

// Levels that differ by less are one: told apart by rounding only.
constexpr double kTolerance = 1e-13;
// A resource that is overbooked by less is not; so much error have running sums that begin exact.
constexpr double kFits = 1e-12;
constexpr double kSurelyFits = 1e-6;

bool is_above(double level, double other) { return level > other * (1.0 + kTolerance); }

}  // namespace

MaxMinShares::MaxMinShares(std::vector<double> capacities, std::size_t most_uses)
    : most_uses_(most_uses) {
  for (const double capacity : capacities) {
    resources_.emplace_back();
    resources_.back().capacity = capacity;
  }
}

// ---- players ----

MaxMinShares::Player MaxMinShares::add(double limit, double gives_way) {
  auto player = static_cast<Player>(players_.size());
  if (free_.empty()) {
    players_.emplace_back();
    uses_.resize(uses_.size() + most_uses_);
  } else {
    player = free_.back();
    free_.pop_back();
  }
  State& state = players_[player];
  const bool is_noted = state.is_noted;  // its former self may be on the list still
  state = {};
  state.limit = state.level = state.rate = limit;
  state.gives_way = gives_way;
  state.is_alive = true;
  state.is_noted = is_noted;
  note(player);
  return player;
}

void MaxMinShares::add_use(Player player, Resource resource, double weight) {
  State& state = players_[player];
  Shared& shared = resources_[resource];
  PARLEY_CHECK(state.use_count < most_uses_, "a player with more uses than were told");
  uses_[player * most_uses_ + state.use_count] = {resource,
                                                  static_cast<std::uint32_t>(shared.users.size())};
  const bool is_first = shared.users.empty();
  User& user = shared.users.emplace_back();  // filled in in place: see Pending
  user.weight = weight;
  user.player = player;
  user.place = static_cast<std::uint16_t>(state.use_count++);
  shape(state, user);
  user.cap = state.level;
  user.use = weight * state.rate;
  shared.demand = is_first ? user.use : shared.demand + user.use;
  mark_dirty(resource);
}

void MaxMinShares::set_limit(Player player, double limit) {
  State& state = players_[player];
  note(player);
  if (limit == state.limit) return;
  state.limit = limit;
  for (const Use& use : uses_of(player)) {
    shape(state, resources_[use.resource].users[use.position]);
    mark_dirty(use.resource);
  }
  const bool is_stopped = state.bottleneck != kNone && state.level < limit;
  place(player, is_stopped ? state.level : limit, is_stopped ? state.bottleneck : kNone);
}

void MaxMinShares::remove(Player player) {
  for (const Use& use : uses_of(player)) {
    Shared& shared = resources_[use.resource];
    User& hole = shared.users[use.position];
    shared.demand -= hole.use;
    if (hole.is_own) --shared.own_count;
    if (use.position + 1 < shared.users.size()) {
      hole = shared.users.back();
      uses_[hole.player * most_uses_ + hole.place].position = use.position;
    }
    shared.users.pop_back();
    mark_dirty(use.resource);
  }
  players_[player].is_alive = false;
  free_.push_back(player);
}

double MaxMinShares::used(Resource resource) const {
  double sum = 0.0;
  for (const User& user : resources_[resource].users) sum += user.weight * rate(user.player);
  return sum;
}

double MaxMinShares::rate_at(const State& state, double level) {
  const double way = state.way();
  if (way == 0.0 || level >= state.limit) return std::min(level, state.limit);
  return level * (1.0 - way + way / state.limit * level);
}

void MaxMinShares::shape(const State& state, User& user) {
  const double way = state.way();
  user.linear = user.weight * (1.0 - way);
  user.quadratic = way == 0.0 ? 0.0 : user.weight * way / state.limit;
}

void MaxMinShares::mark_dirty(Resource resource) {
  if (resources_[resource].is_dirty) return;
  resources_[resource].is_dirty = true;
  dirty_.push_back(resource);
}

void MaxMinShares::note(Player player) {
  if (players_[player].is_noted) return;
  players_[player].is_noted = true;
  changed_.push_back(player);
}

// ---- the level of a resource ----

/// The users of a resource by a level: those stopped elsewhere below it, and the others.
struct MaxMinShares::Partition {
  double demand = 0.0;  // of all, at their caps
  double stopped_use = 0.0;
  double linear = 0.0, quadratic = 0.0;  // of the others
  std::uint32_t others = 0;
  double highest_stopped = 0.0, lowest_other = kUnlimited;
  double highest_foreign = 0.0;  // cap of one whose bottleneck is not here

  /// The level at which the others use up what the stopped leave: the root of a line or a parabola.
  [[nodiscard]] double level(double capacity) const {
    const double left = capacity - stopped_use;
    if (left <= 0.0) return 0.0;
    if (quadratic == 0.0) return left / linear;
    return 2.0 * left / (linear + std::sqrt(linear * linear + 4.0 * quadratic * left));
  }
};

MaxMinShares::Partition MaxMinShares::partition(const Shared& shared, double guess) {
  Partition part;
  for (const User& user : shared.users) {
    part.demand += user.use;
    if (!user.is_own) part.highest_foreign = std::max(part.highest_foreign, user.cap);
    if (user.cap <= guess) {
      part.stopped_use += user.use;
      part.highest_stopped = std::max(part.highest_stopped, user.cap);
    } else {
      part.linear += user.linear;
      part.quadratic += user.quadratic;
      part.lowest_other = std::min(part.lowest_other, user.cap);
      ++part.others;
    }
  }
  return part;
}

/// Of one user, and of none, the demand is exact.
bool MaxMinShares::surely_fits(const Shared& shared) {
  return shared.demand <= shared.capacity * (1.0 - kSurelyFits) ||
         (shared.users.size() < 2 && shared.demand <= shared.capacity);
}

/// From any guess the next is no higher than the level sought, and from there on they rise to it
/// (Newton's method on a concave function); the last one is usually right.
void MaxMinShares::find_level(Resource resource) {
  Shared& shared = resources_[resource];
  shared.pending = kNotPending;
  const bool has_own = shared.own_count > 0;
  if (!has_own && surely_fits(shared)) return;
  double guess = has_own ? shared.level : 0.0;
  double highest_foreign = 0.0;
  for (bool is_first = true;; is_first = false) {
    Partition part = partition(shared, guess);
    shared.demand = part.demand;
    highest_foreign = part.highest_foreign;
    if (part.demand <= shared.capacity * (1.0 + kFits)) {
      guess = kUnlimited;
      break;
    }
    if (part.others == 0) part = partition(shared, 0.0);
    const double next = part.level(shared.capacity);
    const bool is_right = part.highest_stopped <= next && next <= part.lowest_other;
    const bool has_risen = next > guess;
    guess = next;
    if (is_right || (!is_first && !has_risen)) break;  // what rounding told apart stays so
  }
  shared.found = guess;
  const bool is_foreign_above = is_above(highest_foreign, guess);
  const bool is_moved = has_own && (is_above(guess, shared.level) || is_above(shared.level, guess));
  if (!is_foreign_above && !is_moved) return;
  shared.pending = has_own ? std::min(guess, shared.level) : guess;
  pending_.push_back({shared.pending, resource});
  std::ranges::push_heap(pending_, std::less<>());
}

void MaxMinShares::find_dirty_levels() {
  for (const Resource resource : dirty_) {
    resources_[resource].is_dirty = false;
    find_level(resource);
  }
  dirty_.clear();
}

// ---- following a change ----

/// Tells a resource of its user.
inline void MaxMinShares::list(const State& state, const Use& use, Resource bottleneck) {
  Shared& shared = resources_[use.resource];
  User& user = shared.users[use.position];
  const bool is_own = use.resource == bottleneck;
  if (is_own != user.is_own) shared.own_count += is_own ? 1U : -1U;
  user.is_own = is_own;
  user.cap = is_own ? state.limit : state.level;
  const double wanted = user.weight * (is_own ? state.limit : state.rate);
  shared.demand += wanted - user.use;
  user.use = wanted;
}

/// Gives the player a level; the resources that it uses are to be told.
const MaxMinShares::State& MaxMinShares::set_level(Player player, double level,
                                                   Resource bottleneck) {
  State& state = players_[player];
  note(player);
  state.level = level;
  state.bottleneck = bottleneck;
  state.rate = rate_at(state, level);
  return state;
}

/// The same, and tells them.
void MaxMinShares::place(Player player, double level, Resource bottleneck) {
  const State& state = set_level(player, level, bottleneck);
  for (const Use& use : uses_of(player)) list(state, use, bottleneck);
}

/// Gives the resource the level that was found for it.
void MaxMinShares::apply(Resource resource) {
  Shared& shared = resources_[resource];
  shared.pending = kNotPending;
  shared.level = shared.found;
  const double level = shared.found;
  for (const User& user : shared.users) {
    if (!user.is_own && !is_above(user.cap, level)) continue;
    const double limit = players_[user.player].limit;
    const Resource bottleneck = level < limit ? resource : kNone;
    const State& state = set_level(user.player, std::min(level, limit), bottleneck);
    for (const Use& use : uses_of(user.player)) {
      list(state, use, bottleneck);
      if (use.resource != resource) mark_dirty(use.resource);
    }
  }
  find_dirty_levels();
}

/// The pending resource of the lowest level, or kNone.
MaxMinShares::Resource MaxMinShares::take_pending() {
  while (!pending_.empty()) {
    const Pending next = pending_.front();
    std::ranges::pop_heap(pending_, std::less<>());
    pending_.pop_back();
    if (next.key == resources_[next.resource].pending) return next.resource;
  }
  return kNone;
}

std::span<const MaxMinShares::Player> MaxMinShares::settle() {
  find_dirty_levels();
  // In exact arithmetic a resource is pending at most twice: as its level falls, as it rises.
  std::size_t budget = 64 + 8 * resources_.size();
  for (Resource next = take_pending(); next != kNone; next = take_pending()) {
    if (budget-- == 0) {
      solve_anew();
      break;
    }
    apply(next);
  }
  told_.clear();
  for (const Player player : changed_) {
    players_[player].is_noted = false;
    if (players_[player].is_alive) told_.push_back(player);
  }
  changed_.clear();
  return told_;
}

/// Progressive filling: everybody wants the most, and resources stop their users one by one, the
/// scarcest first, each once. Ends whatever rounding does.
void MaxMinShares::solve_anew() {
  ++solved_anew_;
  pending_.clear();
  for (Player player = 0; player < players_.size(); ++player) {
    if (players_[player].is_alive) place(player, players_[player].limit, kNone);
  }
  for (Resource resource = 0; resource < resources_.size(); ++resource) find_level(resource);
  std::vector<char> is_done(resources_.size(), 0);
  for (Resource next = take_pending(); next != kNone; next = take_pending()) {
    if (is_done[next] == 0) apply(next);
    is_done[next] = 1;
  }
}

}  // namespace parley::sim
