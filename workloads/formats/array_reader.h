// The "arrays" of a workload file.
#pragma once

#include "core/graph/program.h"
#include "workloads/formats/json_reader.h"
#include "workloads/formats/region_reader.h"

namespace parley::workloads {

/// Adds all arrays to `program`; what is wrong is noted, and refused arrays are made known to
/// `regions`.
void read_arrays(JsonReader& reader, JsonValue arrays, core::Program& program,
                 RegionReader& regions);

/// A list of extents >= 0. Nothing, and noted, when it is none.
std::optional<std::vector<std::int64_t>> read_shape(JsonReader& reader, JsonValue value);

/// The element type of that name.
std::optional<core::DType> read_dtype(JsonReader& reader, JsonValue value);

}  // namespace parley::workloads
