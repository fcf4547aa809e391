#include "core/machine/fabric.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "core/base/check.h"

namespace parley::core {
namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();
constexpr double kSecondInNs = 1e9;

double rate_of(Bandwidth bandwidth) {
  return bandwidth.is_unlimited() ? kUnlimited : bandwidth.bytes_per_s();
}

Bandwidth bandwidth_of(double rate) { return std::isfinite(rate) ? Bandwidth(rate) : Bandwidth(); }

/// Levels are nested: once both ends are in one group, they stay in one.
std::size_t crossed_levels(const Fabric& fabric, const Fabric::Member& from,
                           const Fabric::Member& to) {
  std::size_t level = 0;
  while (level < fabric.levels.size() && from.groups[level] != to.groups[level]) ++level;
  return level;
}

Duration latency(const Fabric& fabric, const Fabric::Member& from, const Fabric::Member& to,
                 std::size_t levels) {
  Duration sum = fabric.latency + from.latency_out + to.latency_in;
  for (std::size_t level = 0; level < levels; ++level) sum += fabric.levels[level].latency;
  return sum;
}

}  // namespace

FabricRoutes::FabricRoutes(const MachineSpec& spec)
    : fabrics_(spec.fabrics), places_(spec.spaces.size()), space_count_(spec.spaces.size()) {
  for (const Resource& resource : spec.resources) {
    capacities_.push_back(resource.capacity.bytes_per_s());
  }
  std::map<std::string, std::uint32_t> nodes;
  for (const MemorySpace& space : spec.spaces) {
    nodes_.push_back(nodes.emplace(space.node, nodes.size()).first->second);
  }
  for (std::uint32_t f = 0; f < fabrics_.size(); ++f) {
    for (std::uint32_t m = 0; m < fabrics_[f].members.size(); ++m) {
      Fabric::Member& member = fabrics_[f].members[m];
      places_[member.space.index()].push_back({f, m});
      member.rate_out =
          bandwidth_of(std::min(rate_of(member.rate_out), lowest_capacity(member.out)));
      member.rate_in = bandwidth_of(std::min(rate_of(member.rate_in), lowest_capacity(member.in)));
    }
  }
  if (!fabrics_.empty()) {
    table_ = std::make_unique<std::atomic<const Route*>[]>(space_count_ * space_count_);
  }
}

double FabricRoutes::capacity(const Via& via) const {
  return capacities_[via.resource.index()] / via.weight;
}

double FabricRoutes::lowest_capacity(const std::vector<Via>& via) const {
  double lowest = kUnlimited;
  for (const Via& part : via) lowest = std::min(lowest, capacity(part));
  return lowest;
}

std::optional<FabricRoutes::Ends> FabricRoutes::ends(SpaceId from, SpaceId to) const {
  if (nodes_[from.index()] == nodes_[to.index()]) return std::nullopt;
  for (const Place& a : places_[from.index()]) {
    for (const Place& b : places_[to.index()]) {
      if (a.fabric != b.fabric) continue;
      const Fabric& fabric = fabrics_[a.fabric];
      return Ends{fabric, fabric.members[a.member], fabric.members[b.member]};
    }
  }
  return std::nullopt;
}

bool FabricRoutes::joins(SpaceId from, SpaceId to) const { return ends(from, to).has_value(); }

const Route& FabricRoutes::route(SpaceId from, SpaceId to) const {
  std::atomic<const Route*>& entry = table_[from.index() * space_count_ + to.index()];
  const Route* known = entry.load(std::memory_order_acquire);
  if (known != nullptr) return *known;
  const std::optional<Ends> both = ends(from, to);
  PARLEY_CHECK(both.has_value(), "no fabric joins the two spaces");
  Route route = made(*both);
  const std::lock_guard lock(mutex_);
  known = entry.load(std::memory_order_relaxed);
  if (known != nullptr) return *known;
  routes_.push_back(std::move(route));
  entry.store(&routes_.back(), std::memory_order_release);
  return routes_.back();
}

Route FabricRoutes::made(const Ends& ends) const {
  const auto& [fabric, from, to] = ends;
  const std::size_t levels = crossed_levels(fabric, from, to);
  Route route;
  route.from = from.space;
  route.to = to.space;
  route.kind = fabric.kind;
  route.latency = latency(fabric, from, to, levels);
  route.via.reserve(from.out.size() + 2 * levels + fabric.via.size() + to.in.size());
  route.via = from.out;
  for (std::size_t level = 0; level < levels; ++level) {
    route.via.push_back({fabric.levels[level].groups[from.groups[level]].up});
  }
  route.via.insert(route.via.end(), fabric.via.begin(), fabric.via.end());
  for (std::size_t level = levels; level-- > 0;) {
    route.via.push_back({fabric.levels[level].groups[to.groups[level]].down});
  }
  route.via.insert(route.via.end(), to.in.begin(), to.in.end());
  route.engines = from.engines_out;
  route.engines.insert(route.engines.end(), to.engines_in.begin(), to.engines_in.end());
  const double carried = lowest_capacity(route.via);
  route.shared_cap = bandwidth_of(carried);
  route.rate_cap = bandwidth_of(
      std::min({carried, rate_of(fabric.rate_cap), rate_of(from.rate_out), rate_of(to.rate_in)}));
  return route;
}

std::array<std::span<const CopyEngineId>, 2> FabricRoutes::engines(SpaceId from, SpaceId to) const {
  const std::optional<Ends> both = ends(from, to);
  PARLEY_CHECK(both.has_value(), "no fabric joins the two spaces");
  return {both->from.engines_out, both->to.engines_in};
}

std::size_t FabricRoutes::longest_via() const {
  std::size_t longest = 0;
  for (const Fabric& fabric : fabrics_) {
    std::size_t out = 0, in = 0;
    for (const Fabric::Member& member : fabric.members) {
      out = std::max(out, member.out.size());
      in = std::max(in, member.in.size());
    }
    longest = std::max(longest, out + 2 * fabric.levels.size() + fabric.via.size() + in);
  }
  return longest;
}

double FabricRoutes::uncontended_ns(SpaceId from, SpaceId to, double bytes) const {
  const std::optional<Ends> both = ends(from, to);
  PARLEY_CHECK(both.has_value(), "no fabric joins the two spaces");
  const auto& [fabric, source, target] = *both;
  const std::size_t levels = crossed_levels(fabric, source, target);
  double rate = std::min({rate_of(fabric.rate_cap), rate_of(source.rate_out),
                          rate_of(target.rate_in), lowest_capacity(fabric.via)});
  for (std::size_t level = 0; level < levels; ++level) {
    const std::vector<Fabric::Group>& groups = fabric.levels[level].groups;
    rate = std::min({rate, capacity({groups[source.groups[level]].up}),
                     capacity({groups[target.groups[level]].down})});
  }
  const auto start = static_cast<double>(latency(fabric, source, target, levels).count());
  return start + (std::isfinite(rate) ? bytes / rate * kSecondInNs : 0.0);
}

}  // namespace parley::core
