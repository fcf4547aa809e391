// Links by type ("pcie", "nvlink", "nvswitch", "network", "shared_bus", "local"): shorthands of a
// machine file that stand for resources, copy engines and routes.
#pragma once

#include "workloads/formats/field_reader.h"
#include "workloads/formats/machine_draft.h"

namespace parley::workloads {

/// Adds what one entry of "links" stands for. Parts that it names and that exist are shared: an
/// engine "gpu0.peer_out" of two links is one engine.
/// Requires: all spaces of the file are in the draft.
void read_link(FieldReader& reader, MachineDraft& draft, JsonValue link);

}  // namespace parley::workloads
