// The part of check_values and check_references that is about links: resources, engines, routes,
// relays and fabrics.
#pragma once

#include "core/base/result.h"
#include "core/machine/machine.h"

namespace parley::core {

Faults link_values(const MachineSpec& spec);
Faults link_references(const MachineSpec& spec);

}  // namespace parley::core
