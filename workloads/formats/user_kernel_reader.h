// The "kernels" of a workload file: kernels of its own, by name, as CUDA sources and shared
// objects.
#pragma once

#include <string>

#include "core/graph/program.h"
#include "workloads/formats/json_reader.h"

namespace parley::workloads {

/// Adds them to `program`; what is wrong is noted. Paths are relative to the folder of the file
/// `source`, and become absolute. Whether the files exist is asked when they are to be run.
void read_user_kernels(JsonReader& reader, JsonValue value, const std::string& source,
                       core::Program& program);

}  // namespace parley::workloads
