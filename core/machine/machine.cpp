#include "core/machine/machine.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include "core/machine/machine_check.h"
#include "core/machine/route_completion.h"

namespace parley::core {

Result<Machine> Machine::create(MachineSpec spec) {
  Faults faults = check_values(spec);
  Faults of_references = check_references(spec);
  std::move(of_references.begin(), of_references.end(), std::back_inserter(faults));
  if (!faults.empty()) return faults;
  Result<CompletedRoutes> completed = complete_routes(spec);
  if (!completed) return completed.faults();
  Machine machine;
  machine.routes_ = std::move(completed->routes);
  machine.route_ids_ = std::move(completed->ids);
  std::map<std::string, SpaceId> host_of_node;
  for (std::size_t s = 0; s < spec.spaces.size(); ++s) {
    const MemorySpace& space = spec.spaces[SpaceId(s)];
    if (space.is_host) host_of_node[space.node] = SpaceId(s);
  }
  for (const MemorySpace& space : spec.spaces) {
    machine.host_of_.push_back(host_of_node.at(space.node));
  }
  machine.spec_ = std::move(spec);
  return machine;
}

std::optional<SpaceId> Machine::find_space(std::string_view name) const {
  for (std::size_t s = 0; s < spec_.spaces.size(); ++s) {
    if (spec_.spaces[SpaceId(s)].name == name) return SpaceId(s);
  }
  return std::nullopt;
}

std::optional<DeviceId> Machine::find_device(std::string_view name) const {
  for (std::size_t d = 0; d < spec_.devices.size(); ++d) {
    if (spec_.devices[DeviceId(d)].name == name) return DeviceId(d);
  }
  return std::nullopt;
}

Duration Machine::copy_duration(RouteId id, Bytes bytes) const {
  const auto longest = static_cast<double>(kLongestDuration.count());
  const double ns = uncontended_ns(routes_[id], static_cast<double>(bytes.count()));
  return Duration(std::llround(std::min(ns, longest)));
}

}  // namespace parley::core
