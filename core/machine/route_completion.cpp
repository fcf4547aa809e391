#include "core/machine/route_completion.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <tuple>
#include <utility>

#include "core/base/check.h"
#include "core/machine/machine_check.h"

namespace parley::core {
namespace {

constexpr double kNsInSecond = 1e9;

/// What the resources on its way give a single flow.
Bandwidth shared_cap(const MachineSpec& spec, const Route& route) {
  double rate = std::numeric_limits<double>::infinity();
  for (const Via& via : route.via) {
    rate = std::min(rate, spec.resources[via.resource].capacity.bytes_per_s() / via.weight);
  }
  return std::isfinite(rate) ? Bandwidth(rate) : Bandwidth();
}

Bandwidth slower(Bandwidth a, Bandwidth b) {
  if (a.is_unlimited() || b.is_unlimited()) return a.is_unlimited() ? b : a;
  return a.bytes_per_s() < b.bytes_per_s() ? a : b;
}

/// The time that does not shrink with the bytes.
double startup_ns(const Route& route) { return uncontended_ns(route, 0.0); }

/// One curve for legs of which at least one has a curve: start-ups add up, and then the slowest leg
/// sets the pace.
std::vector<std::pair<std::int64_t, std::int64_t>> joint_curve(const std::vector<Route>& legs) {
  std::set<std::int64_t> sizes{0};
  double startup = 0.0;
  for (const Route& leg : legs) {
    startup += startup_ns(leg);
    for (const auto& point : leg.curve) sizes.insert(point.first);
  }
  sizes.insert(2 * std::max<std::int64_t>(*sizes.rbegin(), 1));  // the slope of the last stretch
  std::vector<std::pair<std::int64_t, std::int64_t>> curve;
  for (const std::int64_t size : sizes) {
    double slowest = 0.0;
    for (const Route& leg : legs) {
      slowest = std::max(slowest, uncontended_ns(leg, static_cast<double>(size)) - startup_ns(leg));
    }
    curve.emplace_back(size, std::llround(startup + slowest));
  }
  return curve;
}

std::string joint_kind(const std::vector<Route>& legs) {
  std::string text;
  std::set<std::string> seen;
  for (const Route& leg : legs) {
    if (!seen.insert(leg.kind).second || leg.kind.empty()) continue;
    text += (text.empty() ? "" : "+") + leg.kind;
  }
  return text;
}

/// The legs as one pipelined route: it holds all their engines and loads all their resources, a
/// resource on several legs once for each.
Route concatenated(const std::vector<Route>& legs) {
  Route route;
  route.from = legs.front().from;
  route.to = legs.back().to;
  route.kind = joint_kind(legs);
  bool has_curve = false;
  for (const Route& leg : legs) {
    for (const Via& via : leg.via) {
      const auto same = std::find_if(route.via.begin(), route.via.end(), [&](const Via& other) {
        return other.resource == via.resource;
      });
      if (same == route.via.end()) {
        route.via.push_back(via);
      } else {
        same->weight += via.weight;
      }
    }
    for (const CopyEngineId engine : leg.engines) {
      if (std::find(route.engines.begin(), route.engines.end(), engine) == route.engines.end()) {
        route.engines.push_back(engine);
      }
    }
    route.latency += leg.latency;
    route.rate_cap = slower(route.rate_cap, leg.rate_cap);
    route.gives_way = std::max(route.gives_way, leg.gives_way);
    route.issue = std::max(route.issue, leg.issue);
    if (leg.share == ShareMode::kPair) route.share = ShareMode::kPair;
    has_curve = has_curve || !leg.curve.empty();
  }
  if (has_curve) {
    route.curve = joint_curve(legs);
    route.latency = Duration(0);
    route.rate_cap = Bandwidth();
  }
  return route;
}

class Completion {
 public:
  Completion(const MachineSpec& spec, const FabricRoutes& fabrics)
      : spec_(spec), fabrics_(fabrics), count_(spec.spaces.size()) {}

  Result<CompletedRoutes> run() {
    result_.ids.assign(count_ * count_, RouteId::none());
    for (const Route& route : spec_.routes) add(route);
    for (std::size_t i = 0; i < spec_.relays.size(); ++i) add_relay(i);
    if (!faults_.empty()) return faults_;
    add_host_routes();
    if (!faults_.empty()) return faults_;
    for (std::size_t s = 0; s < count_; ++s) {
      if (id(SpaceId(s), SpaceId(s)).is_none()) add(local_route(SpaceId(s)));
    }
    number_fabric_routes();
    return std::move(result_);
  }

 private:
  void number_fabric_routes() {
    if (spec_.fabrics.empty()) return;
    for (std::size_t from = 0; from < count_; ++from) {
      for (std::size_t to = 0; to < count_; ++to) {
        RouteId& route = id(SpaceId(from), SpaceId(to));
        if (!route.is_none() || !fabrics_.joins(SpaceId(from), SpaceId(to))) continue;
        route = RouteId(result_.routes.size() + from * count_ + to);
      }
    }
  }

  RouteId& id(SpaceId from, SpaceId to) { return result_.ids[from.index() * count_ + to.index()]; }

  void add(Route route) {
    route.shared_cap = shared_cap(spec_, route);
    if (route.curve.empty()) route.rate_cap = slower(route.rate_cap, route.shared_cap);
    id(route.from, route.to) = result_.routes.push_back(std::move(route));
  }

  /// A relay through hosts alone only states what happens anyway: by way of the home slot.
  void add_relay(std::size_t index) {
    const MachineSpec::Relay& relay = spec_.relays[index];
    const std::string where = relay_place(spec_, index);
    if (!id(relay.from, relay.to).is_none()) {
      faults_.push_back({where, pair_text(spec_, relay.from, relay.to) + " has a route already"});
      return;
    }
    std::vector<SpaceId> stops = relay.through;
    stops.push_back(relay.to);
    std::vector<Route> legs;
    SpaceId from = relay.from;
    for (const SpaceId to : stops) {
      const Route* next = leg(from, to);
      if (next == nullptr) {
        faults_.push_back({where, pair_text(spec_, relay.from, relay.to) +
                                      ": there is no route from " + pair_text(spec_, from, to)});
        return;
      }
      legs.push_back(*next);
      from = to;
    }
    const bool is_by_home = std::all_of(relay.through.begin(), relay.through.end(),
                                        [&](SpaceId space) { return spec_.spaces[space].is_host; });
    if (!is_by_home) add(concatenated(legs));
  }

  /// The stated or relayed route, else that of a fabric; null when there is neither.
  const Route* leg(SpaceId from, SpaceId to) {
    const RouteId stated = id(from, to);
    if (!stated.is_none()) return &result_.routes[stated];
    return fabrics_.joins(from, to) ? &fabrics_.route(from, to) : nullptr;
  }

  [[nodiscard]] bool is_missing(SpaceId from, SpaceId to) {
    return from != to && id(from, to).is_none() && !fabrics_.joins(from, to);
  }

  /// Between each host and each other space, both ways: the path of the fewest legs over stated
  /// routes, relays and fabrics.
  void add_host_routes() {
    std::vector<Route> missing;
    for (std::size_t h = 0; h < count_; ++h) {
      const SpaceId host(h);
      if (!spec_.spaces[host].is_host) continue;
      for (const bool is_outward : {true, false}) find_missing(host, is_outward, missing);
    }
    for (Route& route : missing) add(std::move(route));
  }

  void find_missing(SpaceId host, bool is_outward, std::vector<Route>& missing) {
    std::vector<SpaceId> next;  // found when the first is missing
    for (std::size_t s = 0; s < count_; ++s) {
      const SpaceId other(s);
      const SpaceId from = is_outward ? host : other;
      const SpaceId to = is_outward ? other : host;
      // Pairs of hosts are found outward from either.
      if (!is_missing(from, to) || (spec_.spaces[other].is_host && !is_outward)) continue;
      if (next.empty()) next = paths(host, is_outward);
      if (next[s].is_none()) {
        faults_.push_back({"routes", "there is no way from " + pair_text(spec_, from, to) +
                                         "; every space must reach every host, and be reached"});
      } else {
        missing.push_back(concatenated(legs(next, host, other, is_outward)));
      }
    }
  }

  /// By space: the one next to it on the best path from (or, not outward, to) `host`; none where
  /// there is no path. Best: fewest legs, then the least time for 1 MiB, then the lowest spaces
  /// (Dijkstra 1959 by lexicographic cost).
  [[nodiscard]] std::vector<SpaceId> paths(SpaceId host, bool is_outward) {
    using Cost = std::pair<std::size_t, double>;
    const Cost kUnreached{count_ + 1, 0.0};
    std::vector<Cost> cost(count_, kUnreached);
    std::vector<SpaceId> next(count_);
    std::vector<bool> is_settled(count_);
    cost[host.index()] = {0, 0.0};
    while (true) {
      std::size_t near = count_;
      for (std::size_t s = 0; s < count_; ++s) {
        if (is_settled[s] || cost[s].first > count_) continue;
        if (near == count_ || cost[s] < cost[near]) near = s;
      }
      if (near == count_) return next;
      is_settled[near] = true;
      for (std::size_t s = 0; s < count_; ++s) {
        if (s == near || is_settled[s]) continue;
        const Route* way =
            is_outward ? leg(SpaceId(near), SpaceId(s)) : leg(SpaceId(s), SpaceId(near));
        if (way == nullptr) continue;
        constexpr double kMebibyte = 1048576.0;
        const Cost through{cost[near].first + 1,
                           cost[near].second + uncontended_ns(*way, kMebibyte)};
        if (through >= cost[s]) continue;
        cost[s] = through;
        next[s] = SpaceId(near);
      }
    }
  }

  [[nodiscard]] std::vector<Route> legs(const std::vector<SpaceId>& next, SpaceId host,
                                        SpaceId other, bool is_outward) {
    std::vector<Route> result;
    for (SpaceId at = other; at != host; at = next[at.index()]) {
      const SpaceId near = next[at.index()];
      result.push_back(is_outward ? *leg(near, at) : *leg(at, near));
    }
    if (is_outward) std::reverse(result.begin(), result.end());
    return result;
  }

  /// Reads and writes the memory of the space's fastest device; unlimited when none states a rate.
  [[nodiscard]] Route local_route(SpaceId space) const {
    Route route;
    route.from = route.to = space;
    route.kind = "local";
    double rate = 0.0;
    for (const Device& device : spec_.devices) {
      if (device.space != space || device.bytes_per_s <= rate) continue;
      rate = device.bytes_per_s;
      route.latency = device.launch;
    }
    route.rate_cap = Bandwidth(rate / 2.0);
    return route;
  }

  const MachineSpec& spec_;
  const FabricRoutes& fabrics_;
  std::size_t count_;
  CompletedRoutes result_;
  Faults faults_;
};

}  // namespace

Result<CompletedRoutes> complete_routes(const MachineSpec& spec, const FabricRoutes& fabrics) {
  return Completion(spec, fabrics).run();
}

double uncontended_ns(const Route& route, double bytes) {
  const auto& curve = route.curve;
  if (curve.empty()) {
    const double transfer =
        route.rate_cap.is_unlimited() ? 0.0 : bytes / route.rate_cap.bytes_per_s() * kNsInSecond;
    return static_cast<double>(route.latency.count()) + transfer;
  }
  if (bytes <= static_cast<double>(curve.front().first)) {
    return static_cast<double>(curve.front().second);
  }
  std::size_t next = 1;
  while (next + 1 < curve.size() && static_cast<double>(curve[next].first) < bytes) ++next;
  const auto& [low_bytes, low_ns] = curve[next - 1];
  const auto& [high_bytes, high_ns] = curve[next];
  const double slope =
      static_cast<double>(high_ns - low_ns) / static_cast<double>(high_bytes - low_bytes);
  return static_cast<double>(low_ns) + (bytes - static_cast<double>(low_bytes)) * slope;
}

}  // namespace parley::core
