// What a machine must be before anything runs on it. Internal to Machine::create.
#pragma once

#include "core/base/result.h"
#include "core/machine/machine.h"

namespace parley::core {

/// All faults of the parts of a machine and of the references between them; reachability is
/// complete_routes' business. `where` is a path such as "routes[3].via[0]", by position in `spec`.
Faults check_parts(const MachineSpec& spec);

/// "\"gpu0\" to \"gpu1\"", for messages. Requires: both are spaces of `spec`.
std::string pair_text(const MachineSpec& spec, SpaceId from, SpaceId to);

}  // namespace parley::core
