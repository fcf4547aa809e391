// Bytes on their way: flows over resources (links, ports, host-memory limits), whose capacities
// they share max-min fairly; under ShareMode::kPair the flows of one (from, to) pair count as one
// and share its rate. Rates change only when a flow starts or ends, and only for flows that are
// connected through resources that can run out: with every flow at the most it could ever get, such
// a resource would be overbooked. A flow that meets no such resource gets its most at no cost.
//
// Rates are doubles, times whole nanoseconds: the end of a flow is rounded up, so that a flow never
// ends before its bytes could have arrived.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/machine/machine.h"
#include "sim/max_min.h"

namespace parley::sim {

using FlowId = core::Id<struct FlowTag>;

class Network {
 public:
  /// The rate, in bytes/s, of a flow that nothing limits: in place of infinity, which cannot be
  /// subtracted. Any copy takes less than a nanosecond.
  static constexpr double kFastest = 1e30;

  /// The machine must outlive the network.
  explicit Network(const core::Machine& machine);

  /// A flow of `bytes` (> 0), of at most `rate_limit` bytes/s (infinity: none) apart from what its
  /// route's resources allow. Its id is reused after end().
  FlowId start(core::Time now, core::RouteId route, core::Bytes bytes, double rate_limit);
  /// All bytes have arrived. Requires: `now` is the flow's latest end as told by settle().
  void end(core::Time now, FlowId flow);

  struct Retimed {
    FlowId flow;
    core::Time end;
  };
  /// Brings all rates up to date with the starts and ends since the last call. Returns the flows
  /// whose end has moved; valid until the next call. To be called before time goes on.
  std::span<const Retimed> settle(core::Time now) {
    if (dirty_.empty()) return {};
    return settle_dirty(now);
  }

  /// Bytes/s as of the last settle().
  [[nodiscard]] double rate(FlowId flow) const { return flows_[flow.index()].rate; }
  [[nodiscard]] std::size_t flow_count() const { return flow_count_; }
  /// Of all flows that have ended.
  [[nodiscard]] core::Bytes delivered() const { return delivered_; }
  /// Share of a resource in use by the flows of now, as of the last settle(): 0 to 1.
  [[nodiscard]] double utilisation(core::ResourceId resource) const;

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;

  struct Flow {
    std::uint32_t player = kNone;
    std::uint32_t next = kNone, previous = kNone;  // among the player's flows
    double limit = 0.0;                            // bytes/s
    double remaining = 0.0;                        // bytes, at `since`
    double rate = 0.0;                             // bytes/s, from `since` on
    core::Time since, end;
    core::Bytes bytes;
  };
  /// Who takes part in the sharing: one flow, or all flows of a pair.
  struct Player {
    core::RouteId route;
    const core::Route* way = nullptr;  // that of the id
    std::uint32_t first_flow = kNone;
    std::uint32_t flow_count = 0;
    double flow_limits = 0.0;  // sum over its flows
    double limit = 0.0;        // the most it could get: bytes/s
    double rate = 0.0;
    std::uint32_t number = 0;   // in the problem being solved
    std::uint64_t visited = 0;  // epoch of the settle() that saw it last
    bool is_dirty = false;      // a flow came or went, or a resource it shares changed
  };
  struct Link {
    std::uint32_t player = 0;
    std::uint32_t position = 0;  // of the resource in the route's via
  };
  struct Resource {
    double capacity = 0.0;
    double demand = 0.0;  // sum of weight * limit over its players
    std::vector<Link> players;
    std::uint32_t number = 0;  // in the problem being solved
    std::uint64_t visited = 0;
  };

  std::span<const Retimed> settle_dirty(core::Time now);
  [[nodiscard]] const std::vector<core::Via>& via_of(const Player& player) const {
    return player.way->via;
  }
  [[nodiscard]] bool can_run_out(const Resource& resource) const;
  std::uint32_t player_for(core::RouteId route);
  void add_player_links(std::uint32_t player);
  void remove_player_links(std::uint32_t player);
  void update_limit(std::uint32_t player);
  void mark_dirty(std::uint32_t player);
  void mark_neighbours_dirty(const Player& player);
  void collect_component(std::uint32_t seed);
  void state_component();
  void share_out(core::Time now, std::uint32_t player, double rate);
  void set_rate(core::Time now, std::uint32_t flow, double rate);

  const core::Machine* machine_;
  std::vector<std::uint32_t> pair_player_;  // by route with ShareMode::kPair
  std::size_t longest_via_ = 0;
  core::IdVector<core::ResourceId, Resource> resources_;
  std::vector<Flow> flows_;
  std::vector<std::uint32_t> free_flows_;
  std::vector<Player> players_;
  std::vector<std::uint32_t> link_position_;  // (player, position in via) -> index in the resource
  std::vector<std::uint32_t> free_players_;

  std::vector<std::uint32_t> dirty_;
  std::vector<std::uint32_t> component_;            // players
  std::vector<core::ResourceId> shared_resources_;  // of the component, those that can run out
  MaxMinProblem problem_;
  std::vector<std::uint32_t> sharers_;  // flows of the pair being shared out
  std::vector<Retimed> retimed_;
  std::uint64_t epoch_ = 0;
  std::size_t flow_count_ = 0;
  core::Bytes delivered_;
};

}  // namespace parley::sim
