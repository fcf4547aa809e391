// Costs in a workload file: {"ns": 20000}, {"flops": 2e9, "bytes": 1e8}, or by device class or
// name:
// {"gpu": {"ns": 20000}, "cpu": {"ns": 90000}}.
#pragma once

#include <string>
#include <string_view>

#include "core/graph/placement.h"
#include "workloads/formats/json_reader.h"

namespace parley::workloads {

/// What could be read; faults are noted.
core::Cost read_cost(JsonReader& reader, JsonValue value);

/// What is wrong with a device or device class as written, or "": "gpu", "gpu:1", "cpu", "any" and
/// other machines' names ("tpu", "node1.gpu:0") are right, near misses ("GPU", "gpu0") are not.
std::string device_name_fault(std::string_view name, bool is_any_allowed);

}  // namespace parley::workloads
