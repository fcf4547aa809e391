#include "sim/transfer_bound.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

double own_limit(const core::Machine& machine, const Route& route) {
  double limit = kUnlimited;
  for (const core::Via& via : route.via) {
    const core::Resource& resource = machine.spec().resources[via.resource];
    limit = std::min(limit, resource.capacity.bytes_per_s() / via.weight);
  }
  for (const core::CopyEngineId engine : route.engines) {
    limit = std::min(limit, machine.spec().engines[engine].slots * best_rate(route));
  }
  return limit;
}

}  // namespace

double most_together(const core::Machine& machine, const std::vector<RouteId>& routes) {
  const core::MachineSpec& spec = machine.spec();
  double all = 0.0;
  std::vector<double> own;
  for (const RouteId id : routes) {
    own.push_back(own_limit(machine, machine.route(id)));
    all += own.back();
  }
  double least = all;
  // The others' limits are added up anew: infinities cannot be subtracted.
  const auto others = [&](auto uses) {
    double sum = 0.0;
    for (std::size_t i = 0; i < routes.size(); ++i) {
      if (!uses(machine.route(routes[i]))) sum += own[i];
    }
    return sum;
  };
  for (std::size_t i = 0; i < spec.resources.size(); ++i) {
    double lightest_weight = kUnlimited;
    const auto uses = [&](const Route& route) {
      const auto via = std::ranges::find(route.via, core::ResourceId(i), &core::Via::resource);
      if (via == route.via.end()) return false;
      lightest_weight = std::min(lightest_weight, via->weight);
      return true;
    };
    const double rest = others(uses);
    if (lightest_weight == kUnlimited) continue;
    const double capacity = spec.resources[core::ResourceId(i)].capacity.bytes_per_s();
    least = std::min(least, rest + capacity / lightest_weight);
  }
  for (std::size_t i = 0; i < spec.engines.size(); ++i) {
    double best = 0.0;
    const auto uses = [&](const Route& route) {
      if (std::ranges::find(route.engines, core::CopyEngineId(i)) == route.engines.end()) {
        return false;
      }
      best = std::max(best, best_rate(route));
      return true;
    };
    const double rest = others(uses);
    if (best <= 0.0) continue;
    least = std::min(least, rest + spec.engines[core::CopyEngineId(i)].slots * best);
  }
  return least;
}

TransferBound::TransferBound(const core::Program& program, const core::Machine& machine,
                             Reach& reach, std::size_t piece_count)
    : program_(program),
      machine_(machine),
      reach_(reach),
      counted_(piece_count),
      leaving_(machine.space_count()),
      entering_(machine.space_count()) {
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    SpaceSet homes(machine.space_count());
    SpaceId first;
    for (const std::string& name : program.array(core::ArrayId(i)).spec.homes) {
      const std::optional<SpaceId> space = machine.find_space(name);
      if (!space) continue;
      if (first.is_none()) first = *space;
      homes.insert(*space);
    }
    // As the engine has it: a host called otherwise than "host" still serves as the default home.
    if (first.is_none()) homes.insert(first = machine.host_of(SpaceId(0)));
    homes_.push_back(std::move(homes));
    slots_.push_back(machine.host_of(first));
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
    home.insert(slots_[array]);
    for (const FlowRead& contents : flow.final_contents(array)) {
      const bool has_contents =
          !contents.writer.is_none() ||
          program_.array(array).spec.initial.kind != core::Initial::Kind::kNone;
      if (has_contents) add(contents, origin(contents), home);
    }
  }
}

core::Duration TransferBound::bound() const {
  double longest = 0.0;
  for (std::size_t i = 0; i < machine_.space_count(); ++i) {
    const SpaceId space(i);
    std::vector<RouteId> out, in;
    for (std::size_t j = 0; j < machine_.space_count(); ++j) {
      if (i == j) continue;
      const RouteId there = machine_.route_id(space, SpaceId(j));
      const RouteId back = machine_.route_id(SpaceId(j), space);
      if (!there.is_none()) out.push_back(there);
      if (!back.is_none()) in.push_back(back);
    }
    const auto ns = [&](core::Bytes bytes, const std::vector<RouteId>& routes) {
      return bytes > core::Bytes(0)
                 ? static_cast<double>(bytes.count()) * 1e9 / most_together(machine_, routes)
                 : 0.0;
    };
    longest = std::max({longest, ns(leaving_[space], out), ns(entering_[space], in)});
  }
  return rounded_bound(longest);
}

}  // namespace parley::sim
