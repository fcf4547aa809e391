// Max-min fair rates: nobody's rate can grow without shrinking that of someone who has no more.
// Progressive filling (Bertsekas and Gallager, Data Networks, 6.5.2) with weights and limits: all
// rates rise together; whoever reaches a limit of its own, or a resource that is used up, stops.
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
  std::uint32_t add_player(double limit);
  /// A use of the player added last. Requires: at most one a resource.
  void add_use(std::uint32_t resource, double weight);

  /// Rates by player, valid until the next clear. A player without limit and uses gets infinity.
  /// O(rounds * (uses + resources)), rounds <= the number of different rates.
  std::span<const double> solve();

 private:
  struct Resource {
    double capacity = 0.0;
    double frozen_use = 0.0;     // by players whose rate is known
    double active_weight = 0.0;  // of the others
    std::uint32_t active = 0;    // how many others
    [[nodiscard]] double level() const { return (capacity - frozen_use) / active_weight; }
  };

  [[nodiscard]] std::span<const Use> uses_of(std::uint32_t player) const;
  [[nodiscard]] double next_level() const;
  [[nodiscard]] bool is_stopped(std::uint32_t player, double level) const;
  void freeze(std::uint32_t player, double rate);

  std::vector<Resource> resources_;
  std::vector<double> limits_;            // by player
  std::vector<std::uint32_t> first_use_;  // by player; its uses end where the next one's begin
  std::vector<Use> uses_;
  std::vector<double> rates_;           // by player
  std::vector<std::uint32_t> active_;   // players whose rate is not known yet
  std::vector<std::uint32_t> stopped_;  // players that stop in this round
};

}  // namespace parley::sim
