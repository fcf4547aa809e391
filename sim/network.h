// Bytes on their way: flows over resources (links, ports, host-memory limits), whose capacities
// they share max-min fairly (max_min.h); under ShareMode::kPair the flows of one (from, to) pair
// count as one and share its rate. Rates change only when a flow starts or ends, and are solved
// only as far as that reaches.
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
    if (!is_dirty_) return {};
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
  /// Who takes part in the sharing: one flow, or all flows of a pair. Numbered as in shares_.
  struct Player {
    core::RouteId route;
    double most = 0.0;  // what its route's resources allow: bytes/s
    std::uint32_t first_flow = kNone;
    std::uint32_t flow_count = 0;
    double flow_limits = 0.0;  // sum over its flows
  };

  std::span<const Retimed> settle_dirty(core::Time now);
  std::uint32_t add_player(core::RouteId route, double flow_limit);
  std::uint32_t take_flow();
  void share_out(core::Time now, std::uint32_t player);
  void set_rate(core::Time now, std::uint32_t flow, double rate);

  const core::Machine* machine_;
  std::vector<std::uint32_t> pair_player_;  // by route with ShareMode::kPair
  MaxMinShares shares_;
  std::vector<Flow> flows_;
  std::vector<std::uint32_t> free_flows_;
  std::vector<Player> players_;
  std::vector<std::uint32_t> sharers_;  // flows of the pair being shared out
  std::vector<Retimed> retimed_;
  bool is_dirty_ = false;  // a flow came or went since the last settle()
  std::size_t flow_count_ = 0;
  core::Bytes delivered_;
};

}  // namespace parley::sim
