// Routes that a machine file leaves out and that follow from those it states: relays, the way
// between a host and a space that is not next to it, copies within a space. Internal to
// Machine::create.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/machine/machine.h"

namespace parley::core {

struct CompletedRoutes {
  IdVector<RouteId, Route> routes;  // stated ones first, in their order
  std::vector<RouteId> ids;         // from x to; none where only the home slot helps
};

/// Machine::create says which pairs get a route. The cap of each is lowered to what the resources
/// on its way give a single flow. Faults: a relay over a pair without a route; a space that cannot
/// be reached from a host, or cannot reach one.
/// Requires: check_values and check_references find nothing.
Result<CompletedRoutes> complete_routes(const MachineSpec& spec);

/// Uncontended time of a copy of that many bytes, nanoseconds.
double uncontended_ns(const Route& route, double bytes);

}  // namespace parley::core
