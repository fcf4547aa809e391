// The parts of a machine file, each list in turn: spaces, devices, "gpus", resources, engines,
// routes, "links"; then what the host and the kernels cost.
#pragma once

#include "workloads/formats/field_reader.h"
#include "workloads/formats/machine_draft.h"

namespace parley::workloads {

/// `size`: instead of the "count" of "gpus", and on how many nodes.
void read_machine_parts(FieldReader& reader, const JsonDocument& document, const FieldList& file,
                        MachineSize size, MachineDraft& draft);

/// "host" and "kernels", where they are there; a kernel's table replaces the one before.
void read_machine_costs(FieldReader& reader, const JsonDocument& document, const FieldList& file,
                        MachineDraft& draft);

}  // namespace parley::workloads
