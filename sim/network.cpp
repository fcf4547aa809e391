#include "sim/network.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "core/base/check.h"
#include "sim/copy_timing.h"

namespace parley::sim {
namespace {

// A resource within this share of being overbooked counts as overbooked: its demand is a running
// sum with rounding errors, and solving once too often is harmless.
constexpr double kDemandSlack = 1e-9;
// Rates that differ by less are the same rate, solved twice.
constexpr double kSameRate = 1e-13;

/// What the route's resources allow one player: bytes/s.
double resource_limit(const core::Route& route) {
  return route.shared_cap.is_unlimited() ? std::numeric_limits<double>::infinity()
                                         : route.shared_cap.bytes_per_s();
}

}  // namespace

Network::Network(const core::Machine& machine) : machine_(&machine) {
  for (const core::Resource& resource : machine.spec().resources) {
    Resource entry;
    entry.capacity = resource.capacity.bytes_per_s();
    resources_.push_back(std::move(entry));
  }
  longest_via_ = machine.longest_via();
  pair_player_.assign(machine.stated_route_count(), kNone);  // routes of fabrics are shared by flow
}

double Network::utilisation(core::ResourceId id) const {
  const Resource& resource = resources_[id];
  double used = 0.0;
  for (const Link& link : resource.players) {
    const Player& player = players_[link.player];
    used += player.rate * via_of(player)[link.position].weight;
  }
  return used / resource.capacity;
}

bool Network::can_run_out(const Resource& resource) const {
  return resource.players.size() > 1 && resource.demand > resource.capacity * (1.0 - kDemandSlack);
}

// ---- players ----

/// The pair's player, or a new one.
std::uint32_t Network::player_for(core::RouteId id) {
  const bool is_pair = machine_->route(id).share == core::ShareMode::kPair;
  if (is_pair && pair_player_[id.index()] != kNone) return pair_player_[id.index()];
  std::uint32_t player = 0;
  if (free_players_.empty()) {
    player = static_cast<std::uint32_t>(players_.size());
    players_.emplace_back();
    link_position_.resize(link_position_.size() + longest_via_);
  } else {
    player = free_players_.back();
    free_players_.pop_back();
  }
  const bool is_dirty = players_[player].is_dirty;  // its former self may still be on the list
  players_[player] = {};
  players_[player].is_dirty = is_dirty;
  players_[player].route = id;
  players_[player].way = &machine_->route(id);
  add_player_links(player);
  if (is_pair) pair_player_[id.index()] = player;
  return player;
}

void Network::add_player_links(std::uint32_t player) {
  const std::vector<core::Via>& via = via_of(players_[player]);
  for (std::uint32_t i = 0; i < via.size(); ++i) {
    Resource& resource = resources_[via[i].resource];
    link_position_[player * longest_via_ + i] = static_cast<std::uint32_t>(resource.players.size());
    resource.players.push_back({player, i});
  }
}

void Network::remove_player_links(std::uint32_t player) {
  const std::vector<core::Via>& via = via_of(players_[player]);
  for (std::uint32_t i = 0; i < via.size(); ++i) {
    Resource& resource = resources_[via[i].resource];
    const std::uint32_t hole = link_position_[player * longest_via_ + i];
    const Link moved = resource.players.back();
    resource.players[hole] = moved;
    resource.players.pop_back();
    link_position_[moved.player * longest_via_ + moved.position] = hole;
    if (resource.players.empty()) resource.demand = 0.0;  // no error outlives the flows
  }
}

/// The most that the player could get has changed with its flows.
void Network::update_limit(std::uint32_t id) {
  Player& player = players_[id];
  const double limit =
      player.flow_count == 0 ? 0.0 : std::min(resource_limit(*player.way), player.flow_limits);
  for (const core::Via& via : via_of(player)) {
    resources_[via.resource].demand += via.weight * (limit - player.limit);
  }
  player.limit = limit;
}

void Network::mark_dirty(std::uint32_t player) {
  if (players_[player].is_dirty) return;
  players_[player].is_dirty = true;
  dirty_.push_back(player);
}

/// Those whose rates depend on the player's at present.
void Network::mark_neighbours_dirty(const Player& player) {
  for (const core::Via& via : via_of(player)) {
    const Resource& resource = resources_[via.resource];
    if (!can_run_out(resource)) continue;
    for (const Link& link : resource.players) mark_dirty(link.player);
  }
}

// ---- flows ----

FlowId Network::start(core::Time now, core::RouteId route, core::Bytes bytes, double rate_limit) {
  PARLEY_CHECK(bytes > core::Bytes(0), "a flow without bytes");
  std::uint32_t id = 0;
  if (free_flows_.empty()) {
    id = static_cast<std::uint32_t>(flows_.size());
    flows_.emplace_back();
  } else {
    id = free_flows_.back();
    free_flows_.pop_back();
  }
  const std::uint32_t player_id = player_for(route);
  Player& player = players_[player_id];
  Flow& flow = flows_[id];
  flow = {player_id, player.first_flow, kNone, rate_limit, static_cast<double>(bytes.count()), 0.0,
          now,       core::Time::max(), bytes};
  if (player.first_flow != kNone) flows_[player.first_flow].previous = id;
  player.first_flow = id;
  ++player.flow_count;
  player.flow_limits += rate_limit;
  update_limit(player_id);
  mark_dirty(player_id);
  ++flow_count_;
  return FlowId(id);
}

void Network::end(core::Time now, FlowId id) {
  Flow& flow = flows_[id.index()];
  PARLEY_CHECK(now == flow.end, "a flow ends at " + std::to_string(now.ns()) +
                                    " ns that should end at " + std::to_string(flow.end.ns()));
  Player& player = players_[flow.player];
  mark_neighbours_dirty(player);
  if (flow.previous != kNone) flows_[flow.previous].next = flow.next;
  if (flow.next != kNone) flows_[flow.next].previous = flow.previous;
  if (player.first_flow == static_cast<std::uint32_t>(id.index())) player.first_flow = flow.next;
  --player.flow_count;
  player.flow_limits = 0.0;  // summed anew: limits may be infinite
  for (std::uint32_t i = player.first_flow; i != kNone; i = flows_[i].next) {
    player.flow_limits += flows_[i].limit;
  }
  update_limit(flow.player);
  if (player.flow_count > 0) {
    mark_dirty(flow.player);
  } else {
    remove_player_links(flow.player);
    if (player.route.index() < pair_player_.size()) pair_player_[player.route.index()] = kNone;
    free_players_.push_back(flow.player);
  }
  delivered_ += flow.bytes;
  --flow_count_;
  free_flows_.push_back(static_cast<std::uint32_t>(id.index()));
}

// ---- rates ----

std::span<const Network::Retimed> Network::settle_dirty(core::Time now) {
  retimed_.clear();
  ++epoch_;
  for (const std::uint32_t seed : dirty_) {
    Player& player = players_[seed];
    player.is_dirty = false;
    if (player.flow_count == 0 || player.visited == epoch_) continue;
    collect_component(seed);
    if (shared_resources_.empty()) {
      share_out(now, seed, players_[seed].limit);
      continue;
    }
    state_component();
    const std::span<const double> rates = problem_.solve();
    for (const std::uint32_t member : component_) {
      share_out(now, member, rates[players_[member].number]);
    }
  }
  dirty_.clear();
  return retimed_;
}

/// All players that are connected to `seed` through resources that can run out.
void Network::collect_component(std::uint32_t seed) {
  component_.assign(1, seed);
  shared_resources_.clear();
  players_[seed].visited = epoch_;
  for (std::size_t next = 0; next < component_.size(); ++next) {
    for (const core::Via& via : via_of(players_[component_[next]])) {
      Resource& resource = resources_[via.resource];
      if (resource.visited == epoch_ || !can_run_out(resource)) continue;
      resource.visited = epoch_;
      shared_resources_.push_back(via.resource);
      for (const Link& link : resource.players) {
        if (players_[link.player].visited == epoch_) continue;
        players_[link.player].visited = epoch_;
        component_.push_back(link.player);
      }
    }
  }
}

/// States the component as a problem. Its other resources are in the players' limits already.
void Network::state_component() {
  problem_.clear();
  for (const core::ResourceId id : shared_resources_) {
    resources_[id].number = problem_.add_resource(resources_[id].capacity);
  }
  for (const std::uint32_t member : component_) {
    Player& player = players_[member];
    player.number = problem_.add_player(player.limit, player.way->gives_way);
    for (const core::Via& via : via_of(player)) {
      const Resource& resource = resources_[via.resource];
      if (resource.visited == epoch_) problem_.add_use(resource.number, via.weight);
    }
  }
}

/// Gives the player's rate to its flows: equal parts, and what one cannot take to the others.
void Network::share_out(core::Time now, std::uint32_t id, double rate) {
  Player& player = players_[id];
  player.rate = rate;
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
