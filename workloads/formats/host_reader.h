// "host" of a machine file: what deciding, issuing and noticing cost, and which threads do it.
#pragma once

#include "core/machine/machine.h"
#include "workloads/formats/field_reader.h"

namespace parley::workloads {

/// What is not given costs nothing.
core::HostCosts read_host_costs(FieldReader& reader, JsonValue value);

}  // namespace parley::workloads
