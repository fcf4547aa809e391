// The "factorization" of a workload file: which regions are the tiles of the matrix that its tasks
// factorise.
#pragma once

#include "core/graph/program.h"
#include "workloads/formats/json_reader.h"
#include "workloads/formats/region_reader.h"

namespace parley::workloads {

/// States it to `program`; what is wrong is noted. All arrays have been read before.
void read_factorization(JsonReader& reader, JsonValue value, core::Program& program,
                        RegionReader& regions);

}  // namespace parley::workloads
