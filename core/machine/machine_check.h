// What a machine must be before anything runs on it. Used by Machine::create, and by readers of
// machine files, which report values and what they could not read in one go.
#pragma once

#include <cstddef>
#include <string>

#include "core/base/result.h"
#include "core/machine/machine.h"

namespace parley::core {

/// Faults of values and names, each part by itself; references that lead nowhere are passed over.
/// `where` is a path such as "routes[3].via[0]", by position in `spec`.
Faults check_values(const MachineSpec& spec);

/// Faults of references between the parts: to what does not exist, and parts that nothing refers
/// to. Reachability is complete_routes' business.
Faults check_references(const MachineSpec& spec);

/// A relay's place, for messages.
std::string relay_place(const MachineSpec& spec, std::size_t index);

/// "\"gpu0\" to \"gpu1\"", for messages. Requires: both are spaces of `spec`.
std::string pair_text(const MachineSpec& spec, SpaceId from, SpaceId to);

}  // namespace parley::core
