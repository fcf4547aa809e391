#include "core/machine/machine.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include "core/machine/fabric.h"
#include "core/machine/machine_check.h"
#include "core/machine/route_completion.h"

namespace parley::core {

Result<Machine> Machine::create(MachineSpec spec) {
  Faults faults = check_values(spec);
  Faults of_references = check_references(spec);
  std::move(of_references.begin(), of_references.end(), std::back_inserter(faults));
  if (!faults.empty()) return faults;
  Machine machine;
  const auto fabrics = std::make_shared<const FabricRoutes>(spec);
  Result<CompletedRoutes> completed = complete_routes(spec, *fabrics);
  if (!completed) return completed.faults();
  machine.fabric_routes_ = fabrics;
  machine.longest_via_ = fabrics->longest_via();
  for (const Route& route : completed->routes) {
    machine.longest_via_ = std::max(machine.longest_via_, route.via.size());
  }
  machine.routes_ = std::move(completed->routes);
  machine.route_ids_ = std::move(completed->ids);
  std::map<std::string, SpaceId> host_of_node;
  for (std::size_t s = 0; s < spec.spaces.size(); ++s) {
    const MemorySpace& space = spec.spaces[SpaceId(s)];
    if (space.is_host) host_of_node[space.node] = SpaceId(s);
    machine.space_ids_.emplace(space.name, SpaceId(s));
  }
  for (std::size_t d = 0; d < spec.devices.size(); ++d) {
    machine.device_ids_.emplace(spec.devices[DeviceId(d)].name, DeviceId(d));
  }
  for (const MemorySpace& space : spec.spaces) {
    machine.host_of_.push_back(host_of_node.at(space.node));
  }
  machine.spec_ = std::move(spec);
  return machine;
}

std::optional<SpaceId> Machine::find_space(std::string_view name) const {
  const auto found = space_ids_.find(name);
  if (found != space_ids_.end()) return found->second;
  return name == "host" ? std::optional(host_of(SpaceId(0))) : std::nullopt;
}

std::vector<std::string> Machine::space_names() const {
  std::vector<std::string> names;
  for (const MemorySpace& space : spec_.spaces) names.push_back(space.name);
  return names;
}

std::optional<DeviceId> Machine::find_device(std::string_view name) const {
  const auto found = device_ids_.find(name);
  return found == device_ids_.end() ? std::nullopt : std::optional(found->second);
}

const Route& Machine::fabric_route(RouteId id) const {
  const std::size_t pair = id.index() - routes_.size();
  return fabric_routes_->route(SpaceId(pair / space_count()), SpaceId(pair % space_count()));
}

std::array<std::span<const CopyEngineId>, 2> Machine::engines(RouteId id) const {
  if (routes_.contains(id)) return {routes_[id].engines, {}};
  const std::size_t pair = id.index() - routes_.size();
  return fabric_routes_->engines(SpaceId(pair / space_count()), SpaceId(pair % space_count()));
}

Duration Machine::copy_duration(RouteId id, Bytes bytes) const {
  const auto longest = static_cast<double>(kTooLong.count());
  const auto count = static_cast<double>(bytes.count());
  double ns = 0.0;
  if (routes_.contains(id)) {
    ns = uncontended_ns(routes_[id], count);
  } else {
    const std::size_t pair = id.index() - routes_.size();
    ns = fabric_routes_->uncontended_ns(SpaceId(pair / space_count()),
                                        SpaceId(pair % space_count()), count);
  }
  return Duration(std::llround(std::min(ns, longest)));
}

}  // namespace parley::core
