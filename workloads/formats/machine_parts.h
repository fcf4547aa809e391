// The parts of a machine file, each list in turn: spaces, devices, "gpus", resources, engines,
// routes, "links"; then what the host and the kernels cost.
#pragma once

#include <cstdint>

#include "workloads/formats/field_reader.h"
#include "workloads/formats/machine_draft.h"

namespace parley::workloads {

/// `gpu_count`: instead of the "count" of "gpus"; 0: as the file says.
void read_machine_parts(FieldReader& reader, const JsonDocument& document, const FieldList& file,
                        std::int64_t gpu_count, MachineDraft& draft);

/// "host" and "kernels", where they are there; a kernel's table replaces the one before.
void read_machine_costs(FieldReader& reader, const JsonDocument& document, const FieldList& file,
                        MachineDraft& draft);

}  // namespace parley::workloads
