#include "sim/network.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/base/check.h"
#include "sim/copy_timing.h"

namespace parley::sim {
namespace {

// Rates that differ by less are the same rate, solved twice.
constexpr double kSameRate = 1e-13;

std::vector<double> capacities_of(const core::Machine& machine) {
  std::vector<double> capacities;
  for (const core::Resource& resource : machine.spec().resources) {
    capacities.push_back(resource.capacity.bytes_per_s());
  }
  return capacities;
}

/// What the route's resources allow one player: bytes/s.
double resource_limit(const core::Route& route) {
  return route.shared_cap.is_unlimited() ? std::numeric_limits<double>::infinity()
                                         : route.shared_cap.bytes_per_s();
}

}  // namespace

Network::Network(const core::Machine& machine)
    : machine_(&machine), shares_(capacities_of(machine), machine.longest_via()) {
  pair_player_.assign(machine.stated_route_count(), kNone);  // routes of fabrics are shared by flow
}

double Network::utilisation(core::ResourceId id) const {
  const auto number = static_cast<std::uint32_t>(id.index());
  return shares_.used(number) / machine_->spec().resources[id].capacity.bytes_per_s();
}

// ---- flows ----

std::uint32_t Network::add_player(core::RouteId id, double flow_limit) {
  const core::Route& route = machine_->route(id);
  const double most = resource_limit(route);
  const std::uint32_t player = shares_.add(std::min(most, flow_limit), route.gives_way);
  for (const core::Via& via : route.via) {
    shares_.add_use(player, static_cast<std::uint32_t>(via.resource.index()), via.weight);
  }
  if (player >= players_.size()) players_.resize(player + 1);
  players_[player] = {id, most, kNone, 0, 0.0};
  if (route.share == core::ShareMode::kPair) pair_player_[id.index()] = player;
  return player;
}

std::uint32_t Network::take_flow() {
  if (free_flows_.empty()) {
    flows_.emplace_back();
    return static_cast<std::uint32_t>(flows_.size() - 1);
  }
  const std::uint32_t id = free_flows_.back();
  free_flows_.pop_back();
  return id;
}

FlowId Network::start(core::Time now, core::RouteId route, core::Bytes bytes, double rate_limit) {
  PARLEY_CHECK(bytes > core::Bytes(0), "a flow without bytes");
  std::uint32_t number = route.index() < pair_player_.size() ? pair_player_[route.index()] : kNone;
  const bool is_new = number == kNone;
  if (is_new) number = add_player(route, rate_limit);
  const std::uint32_t id = take_flow();
  Player& player = players_[number];
  flows_[id] = {
      number, player.first_flow, kNone, rate_limit, static_cast<double>(bytes.count()), 0.0,
      now,    core::Time::max(), bytes};
  if (player.first_flow != kNone) flows_[player.first_flow].previous = id;
  player.first_flow = id;
  ++player.flow_count;
  player.flow_limits += rate_limit;
  if (!is_new) shares_.set_limit(number, std::min(player.most, player.flow_limits));
  is_dirty_ = true;
  ++flow_count_;
  return FlowId(id);
}

void Network::end(core::Time now, FlowId id) {
  Flow& flow = flows_[id.index()];
  PARLEY_CHECK(now == flow.end, "a flow ends at " + std::to_string(now.ns()) +
                                    " ns that should end at " + std::to_string(flow.end.ns()));
  Player& player = players_[flow.player];
  if (flow.previous != kNone) flows_[flow.previous].next = flow.next;
  if (flow.next != kNone) flows_[flow.next].previous = flow.previous;
  if (player.first_flow == static_cast<std::uint32_t>(id.index())) player.first_flow = flow.next;
  if (--player.flow_count == 0) {
    if (player.route.index() < pair_player_.size()) pair_player_[player.route.index()] = kNone;
    shares_.remove(flow.player);
  } else {
    player.flow_limits = 0.0;  // summed anew: limits may be infinite
    for (std::uint32_t i = player.first_flow; i != kNone; i = flows_[i].next) {
      player.flow_limits += flows_[i].limit;
    }
    shares_.set_limit(flow.player, std::min(player.most, player.flow_limits));
  }
  is_dirty_ = true;
  delivered_ += flow.bytes;
  --flow_count_;
  free_flows_.push_back(static_cast<std::uint32_t>(id.index()));
}

// ---- rates ----

std::span<const Network::Retimed> Network::settle_dirty(core::Time now) {
  retimed_.clear();
  is_dirty_ = false;
  for (const std::uint32_t player : shares_.settle()) share_out(now, player);
  return retimed_;
}

/// Gives the player's rate to its flows: equal parts, and what one cannot take to the others.
void Network::share_out(core::Time now, std::uint32_t id) {
  const Player& player = players_[id];
  const double rate = shares_.rate(id);
  if (player.flow_count == 1) {
    set_rate(now, player.first_flow, rate);
    return;
  }
  sharers_.clear();
  for (std::uint32_t i = player.first_flow; i != kNone; i = flows_[i].next) {
    sharers_.push_back(i);
  }
  std::ranges::sort(sharers_, {}, [&](std::uint32_t i) { return flows_[i].limit; });
  double left = rate;
  for (std::size_t i = 0; i < sharers_.size(); ++i) {
    const double part = left / static_cast<double>(sharers_.size() - i);
    const double given = std::min(part, flows_[sharers_[i]].limit);
    set_rate(now, sharers_[i], given);
    if (std::isfinite(left)) left -= given;  // of what has no end, no end is left
  }
}

void Network::set_rate(core::Time now, std::uint32_t id, double rate) {
  Flow& flow = flows_[id];
  rate = std::min(rate, kFastest);
  if (std::abs(rate - flow.rate) <= kSameRate * rate) return;
  const double elapsed_ns = static_cast<double>((now - flow.since).count());
  flow.remaining = std::max(flow.remaining - flow.rate * elapsed_ns * 1e-9, 0.0);
  flow.since = now;
  flow.rate = rate;
  flow.end = now + flow_duration(flow.remaining, rate);
  retimed_.push_back({FlowId(id), flow.end});
}

}  // namespace parley::sim
