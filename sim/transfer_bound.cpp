#include "sim/transfer_bound.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace parley::sim {
namespace {

using core::Route;
using core::RouteId;
using core::SpaceId;

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

/// The most that copies one after the other can make of a route: bytes/s.
double best_rate(const Route& route) {
  if (route.curve.empty()) {
    return route.rate_cap.is_unlimited() ? kUnlimited : route.rate_cap.bytes_per_s();
  }
  double best = 0.0;
  for (const auto& [bytes, ns] : route.curve) {
    if (ns <= 0) return kUnlimited;
    best = std::max(best, static_cast<double>(bytes) * 1e9 / static_cast<double>(ns));
  }
  if (route.curve.size() < 2) return kUnlimited;  // flat: any size in the same time
  const auto& [low, low_ns] = route.curve[route.curve.size() - 2];
  const auto& [high, high_ns] = route.curve.back();
  if (high_ns <= low_ns) return kUnlimited;
  const double last = static_cast<double>(high - low) * 1e9 / static_cast<double>(high_ns - low_ns);
  return std::max(best, last);
}

/// Whether every copy of the route takes its engines: small ones from a GPU with streams may be
/// done by kernels.
bool always_takes_engines(const core::Machine& machine, const Route& route) {
  if (machine.host().inline_copy == core::Bytes(0) || route.from == route.to) return true;
  return std::ranges::none_of(machine.spec().devices, [&](const core::Device& device) {
    return device.space == route.from && device.streams > 0;
  });
}

double own_limit(const core::Machine& machine, const Route& route) {
  double limit = kUnlimited;
  for (const core::Via& via : route.via) {
    const core::Resource& resource = machine.spec().resources[via.resource];
    limit = std::min(limit, resource.capacity.bytes_per_s() / via.weight);
  }
  if (!always_takes_engines(machine, route)) return limit;
  for (const core::CopyEngineId engine : route.engines) {
    limit = std::min(limit, machine.spec().engines[engine].slots * best_rate(route));
  }
  return limit;
}

}  // namespace

double most_together(const core::Machine& machine, const std::vector<const Route*>& routes) {
  const core::MachineSpec& spec = machine.spec();
  // A limit of some of the routes: of a resource or an engine, with what the others carry besides.
  struct Limit {
    double carried = 0.0;
    std::vector<std::size_t> users;
  };
  std::map<core::ResourceId, Limit> resources;
  std::map<core::CopyEngineId, Limit> engines;
  std::vector<double> own;
  double all = 0.0;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    own.push_back(own_limit(machine, *routes[i]));
    all += own.back();
    for (const core::Via& via : routes[i]->via) {
      Limit& limit = resources[via.resource];
      const double carried = spec.resources[via.resource].capacity.bytes_per_s() / via.weight;
      limit.carried = std::max(limit.carried, carried);
      limit.users.push_back(i);
    }
    if (!always_takes_engines(machine, *routes[i])) continue;
    for (const core::CopyEngineId engine : routes[i]->engines) {
      Limit& limit = engines[engine];
      limit.carried = std::max(limit.carried, spec.engines[engine].slots * best_rate(*routes[i]));
      limit.users.push_back(i);
    }
  }
  double least = all;
  const auto apply = [&](const Limit& limit) {
    // The others' limits are added up anew: infinities cannot be subtracted.
    double sum = limit.carried;
    std::size_t next = 0;
    for (std::size_t i = 0; i < routes.size(); ++i) {
      if (next < limit.users.size() && limit.users[next] == i) {
        ++next;
      } else {
        sum += own[i];
      }
    }
    least = std::min(least, sum);
  };
  for (const auto& [id, limit] : resources) apply(limit);
  for (const auto& [id, limit] : engines) apply(limit);
  return least;
}

double most_together(const core::Machine& machine, const std::vector<RouteId>& routes) {
  std::vector<const Route*> pointers;
  for (const RouteId id : routes) pointers.push_back(&machine.route(id));
  return most_together(machine, pointers);
}

TransferBound::TransferBound(const core::Program& program, const core::Machine& machine,
                             Reach& reach, std::size_t piece_count)
    : program_(program),
      machine_(machine),
      reach_(reach),
      counted_(piece_count),
      leaving_(machine.space_count()),
      entering_(machine.space_count()),
      fabric_out_(machine.space_count()),
      fabric_in_(machine.space_count()) {
  for (const core::Fabric& fabric : machine.spec().fabrics) {
    for (const core::Fabric::Member& member : fabric.members) {
      Route out, in;
      out.via = member.out;
      in.via = member.in;
      fabric_out_[member.space].push_back(std::move(out));
      fabric_in_[member.space].push_back(std::move(in));
    }
  }
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    SpaceSet homes(machine.space_count());
    SpaceId first;
    for (const std::string& name : program.array(core::ArrayId(i)).spec.homes) {
      const std::optional<SpaceId> space = machine.find_space(name);
      if (!space) continue;
      if (first.is_none()) first = *space;
      homes.insert(*space);
    }
    if (first.is_none()) homes.insert(first = machine.host_of(SpaceId(0)));
    homes_.push_back(std::move(homes));
    first_homes_.push_back(first);
  }
}

/// The spaces that hold a version when it comes into being: all of them (initial contents), or one
/// that is not known yet.
const SpaceSet& TransferBound::origin(const FlowRead& read) {
  if (read.writer.is_none()) return homes_[read.array];
  return reach_.spaces(program_.task(read.writer).placement, read.writer_member);
}

void TransferBound::add(const FlowRead& read, const SpaceSet& origin, const SpaceSet& target) {
  Counted& counted = counted_[read.piece];
  if (counted.version != read.writer) counted = {read.writer, false, {}};
  const SpaceId from = origin.only();
  if (!from.is_none() && !target.contains(from) && !target.empty() && !counted.has_left) {
    counted.has_left = true;
    leaving_[from] += read.bytes;
  }
  const SpaceId to = target.only();
  if (!to.is_none() && !origin.contains(to) && !origin.empty() &&
      std::ranges::find(counted.entered, to) == counted.entered.end()) {
    counted.entered.push_back(to);
    entering_[to] += read.bytes;
  }
}

void TransferBound::add_read(core::TaskId reader, const FlowRead& read) {
  add(read, origin(read), reach_.spaces(program_.task(reader).placement, read.reader_member));
}

void TransferBound::add_at_end(const DataFlow& flow) {
  for (std::size_t i = 0; i < program_.array_count(); ++i) {
    const core::ArrayId array(i);
    if (program_.array(array).spec.at_end != core::AtEnd::kHome) continue;
    SpaceSet home(machine_.space_count());
    home.insert(first_homes_[array]);
    for (const FlowRead& contents : flow.final_contents(array)) {
      const bool has_contents =
          !contents.writer.is_none() ||
          program_.array(array).spec.initial.kind != core::Initial::Kind::kNone;
      if (has_contents) add(contents, origin(contents), home);
    }
  }
}

/// All routes out of a space, or into it, but those of fabrics: what these have in common, the
/// space's own part, stands for them, as one route that nothing else limits.
std::vector<const Route*> TransferBound::ways(SpaceId space, bool is_out) const {
  std::vector<const Route*> routes;
  for (std::size_t other = 0; other < machine_.space_count(); ++other) {
    if (SpaceId(other) == space) continue;
    const RouteId id = is_out ? machine_.route_id(space, SpaceId(other))
                              : machine_.route_id(SpaceId(other), space);
    if (id.is_none() || id.index() >= machine_.stated_route_count()) continue;
    routes.push_back(&machine_.route(id));
  }
  for (const Route& part : is_out ? fabric_out_[space] : fabric_in_[space]) routes.push_back(&part);
  return routes;
}

core::Duration TransferBound::bound() const {
  double longest = 0.0;
  const auto ns = [&](core::Bytes bytes, SpaceId space, bool is_out) {
    if (bytes <= core::Bytes(0)) return 0.0;
    return static_cast<double>(bytes.count()) * 1e9 / most_together(machine_, ways(space, is_out));
  };
  for (std::size_t i = 0; i < machine_.space_count(); ++i) {
    const SpaceId space(i);
    longest =
        std::max({longest, ns(leaving_[space], space, true), ns(entering_[space], space, false)});
  }
  return rounded_bound(longest);
}

}  // namespace parley::sim
