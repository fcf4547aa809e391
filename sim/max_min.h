// Max-min fair rates, kept up to date while players come and go: nobody's rate can grow without
// shrinking that of someone who has no more. That is so exactly if every player is at a limit of
// its own or has a bottleneck: a resource that is used up and on which nobody has a higher level
// (Bertsekas and Gallager, Data Networks, 6.5.2). A change is followed as far as it breaks that and
// no farther: see max_min.cpp.
//
// A player that gives way rises more slowly at first: at the level L, the rate of those that do
// not, it has L (1 - y (1 - L / limit)), so that it has all of its limit when they would, and less
// than they have the scarcer things are. Rates still rise with one common level, so that they are
// unique (max-min fair utilities: Cao and Zegura, Utility max-min, INFOCOM 1999; the bandwidth
// functions of Kumar et al., BwE, SIGCOMM 2015).
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace parley::sim {

/// Levels and rates are in the unit of the capacities. A rate is right to some 1e-12 of itself, and
/// the same for the same calls, whatever built this. Limits: none, or up to 1e11 capacities.
class MaxMinShares {
 public:
  using Player = std::uint32_t;    // reused after remove()
  using Resource = std::uint32_t;  // 0, 1, ...: by capacity

  /// Capacities > 0; `most_uses`: no player uses more resources.
  MaxMinShares(std::vector<double> capacities, std::size_t most_uses);

  /// A player with a limit > 0 (infinity: none). `gives_way`: the y above, 0 to 1; means nothing
  /// without a limit. Its uses follow by add_use.
  Player add(double limit, double gives_way = 0.0);
  /// So many units of the resource for each unit of rate, > 0. Requires: at most one a resource,
  /// and no settle() since the player came.
  void add_use(Player player, Resource resource, double weight);
  /// The player is told again by the next settle(), whether or not its rate changes.
  void set_limit(Player player, double limit);
  void remove(Player player);

  /// Brings all rates up to date. Returns the players whose rate may have changed or that are new,
  /// each once, in an order that follows from the calls; valid until the next call. Costs time in
  /// what changes, not in what there is.
  std::span<const Player> settle();

  /// As of the last settle(); infinity without limit and uses.
  [[nodiscard]] double rate(Player player) const { return players_[player].rate; }
  /// Units of the resource in use, as of the last settle().
  [[nodiscard]] double used(Resource resource) const;
  /// How often settle() gave up following changes and solved all anew: none is known to need it.
  [[nodiscard]] std::uint64_t solved_anew() const { return solved_anew_; }

 private:
  static constexpr double kUnlimited = std::numeric_limits<double>::infinity();
  static constexpr double kNotPending = -1.0;
  static constexpr std::uint32_t kNone = 0xffffffff;

  struct State {
    double limit = 0.0;
    double gives_way = 0.0;
    double level = 0.0;  // the limit, or that of the bottleneck
    double rate = 0.0;
    Resource bottleneck = kNone;
    std::uint32_t use_count = 0;
    bool is_alive = false;
    bool is_noted = false;  // in changed_
    [[nodiscard]] double way() const { return limit < kUnlimited ? gives_way : 0.0; }
  };
  /// Where a player is listed with a resource that it uses.
  struct Use {
    Resource resource = 0;
    std::uint32_t position = 0;
  };
  /// A player as a resource sees it: with all that finding the resource's level needs, side by
  /// side.
  struct User {
    double cap = 0.0;  // the level that it has if this resource is no limit: where others stop it
    double use = 0.0;  // units taken at the cap
    double weight = 0.0;  // units taken at the level L below the cap: linear L + quadratic L^2
    double linear = 0.0;
    double quadratic = 0.0;
    Player player = 0;
    std::uint16_t place = 0;  // among the player's uses
    bool is_own = false;      // the resource is the player's bottleneck
  };
  struct Shared {
    double capacity = 0.0;
    double level = kUnlimited;     // of those whose bottleneck it is
    double demand = 0.0;           // sum of `use`, of all users; with rounding errors
    double found = kUnlimited;     // the level that it should have
    double pending = kNotPending;  // the key of its entry in pending_ that counts
    std::uint32_t own_count = 0;
    bool is_dirty = false;
    std::vector<User> users;
  };
  /// A resource whose level is to change: the lowest levels first. Copied member by member, as they
  /// were written: a processor waits for what it has just written in two parts before it reads both
  /// at once.
  struct Pending {
    Pending(double its_key, Resource its_resource) : key(its_key), resource(its_resource) {}
    Pending(const Pending& other) : key(other.key), resource(other.resource) {}
    Pending& operator=(const Pending& other) {
      key = other.key;
      resource = other.resource;
      return *this;
    }

    double key;
    Resource resource;
    bool operator<(const Pending& other) const {  // heaps: the least on top
      return key != other.key ? key > other.key : resource > other.resource;
    }
  };
  struct Partition;

  [[nodiscard]] std::span<Use> uses_of(Player player) {
    return std::span(uses_).subspan(player * most_uses_, players_[player].use_count);
  }
  static double rate_at(const State& state, double level);
  static Partition partition(const Shared& shared, double guess);
  void shape(const State& state, User& user);
  static bool surely_fits(const Shared& shared);
  void find_level(Resource resource);
  void mark_dirty(Resource resource);
  void note(Player player);
  const State& set_level(Player player, double level, Resource bottleneck);
  void place(Player player, double level, Resource bottleneck);
  void list(const State& state, const Use& use, Resource bottleneck);
  void find_dirty_levels();
  Resource take_pending();
  void apply(Resource resource);
  void solve_anew();

  std::size_t most_uses_;
  std::vector<Shared> resources_;
  std::vector<State> players_;
  std::vector<Use> uses_;  // by player, most_uses_ each
  std::vector<Player> free_;
  std::vector<Player> changed_;
  std::vector<Player> told_;
  std::vector<Resource> dirty_;
  std::vector<Pending> pending_;
  std::uint64_t solved_anew_ = 0;
};

}  // namespace parley::sim
