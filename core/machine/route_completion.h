// Routes that a machine file leaves out and that follow from those it states: relays, the way
// between a host and a space that is not next to it, copies within a space. Internal to
// Machine::create.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/machine/fabric.h"
#include "core/machine/machine.h"

namespace parley::core {

struct CompletedRoutes {
  IdVector<RouteId, Route> routes;  // stated ones first, in their order
  /// From x to; none where only the home slot helps. Pairs that a fabric joins are numbered from
  /// routes.size() on, in the order of this table.
  std::vector<RouteId> ids;
};

/// Machine::create says which pairs get a route. The cap of each is lowered to what the resources
/// on its way give a single flow. Faults: a relay over a pair without a route; a space that cannot
/// be reached from a host, or cannot reach one.
/// Requires: check_values and check_references find nothing.
Result<CompletedRoutes> complete_routes(const MachineSpec& spec, const FabricRoutes& fabrics);

}  // namespace parley::core
