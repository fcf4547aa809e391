// Max-min fair rates: nobody's rate can grow without shrinking that of someone who has no more.
// Progressive filling (Bertsekas and Gallager, Data Networks, 6.5.2) with weights and limits: all
// rates rise together; whoever reaches a limit of its own, or a resource that is used up, stops.
//
// A player that gives way rises more slowly at first: at the level L, the rate of those that do
// not, it has L (1 - y (1 - L / limit)), so that it has all of its limit when they would, and less
// than they have the scarcer things are. Rates still rise with one common level, so that they are
// unique (max-min fair utilities: Cao and Zegura, Utility max-min, INFOCOM 1999; the bandwidth
// functions of Kumar et al., BwE, SIGCOMM 2015).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace parley::sim {

/// Who wants what. A problem is filled, solved, cleared and filled again; it keeps its storage.
class MaxMinProblem {
 public:
  struct Use {
    std::uint32_t resource = 0;
    double weight = 1.0;  // units of the resource for each unit of rate, > 0
  };

  void clear();
  /// Capacity >= 0. Returns the resource's number: 0, 1, ...
  std::uint32_t add_resource(double capacity);
  /// A player with a limit > 0 (infinity: none); its uses follow by add_use. Returns its number.
  /// `gives_way`: the y above, 0 to 1; means nothing without a limit.
  std::uint32_t add_player(double limit, double gives_way = 0.0);
  /// A use of the player added last. Requires: at most one a resource.
  void add_use(std::uint32_t resource, double weight);

  /// Rates by player, valid until the next clear. A player without limit and uses gets infinity.
  /// O(rounds * resources + uses + players * log(players)), rounds <= the number of different
  /// rates.
  std::span<const double> solve();

 private:
  struct Resource {
    double capacity = 0.0;
    double frozen_use = 0.0;     // by players whose rate is known
    double active_weight = 0.0;  // of the others
    double active_slope = 0.0;   // of the others: at level L they use active_weight L + this L^2
    std::uint32_t active = 0;    // how many others
    [[nodiscard]] double level() const;
  };
  struct Player {
    double limit = 0.0;
    double linear = 1.0;  // at level L the rate is linear L + quadratic L^2
    double quadratic = 0.0;
    [[nodiscard]] double rate(double level) const {
      return quadratic == 0.0 ? level : level * (linear + quadratic * level);
    }
  };

  [[nodiscard]] std::span<const Use> uses_of(std::uint32_t player) const;
  [[nodiscard]] static double known_level(const Resource& resource);
  void begin();
  void find_stopped(double level, std::size_t first_limit);
  void freeze(std::uint32_t player, double rate);

  std::vector<Resource> resources_;
  std::vector<Player> players_;
  std::vector<std::uint32_t> first_use_;  // by player; its uses end where the next one's begin
  std::vector<Use> uses_;
  std::vector<double> rates_;           // by player
  std::vector<std::uint32_t> stopped_;  // players that stop in this round
  std::vector<std::uint32_t> changed_;  // resources that they use

  struct ByLimit {
    double limit = 0.0;
    std::uint32_t player = 0;
  };
  std::vector<ByLimit> by_limit_;            // ascending
  std::vector<std::uint32_t> first_player_;  // by resource, of players_of_
  std::vector<std::uint32_t> players_of_;
  std::vector<std::uint32_t> next_place_;
  std::vector<double> levels_;  // by resource; infinity when all its players have stopped
};

}  // namespace parley::sim
