// "interference" and "power" of a device in a machine file: what slows its kernels down.
#pragma once

#include "core/machine/machine.h"
#include "workloads/formats/field_reader.h"

namespace parley::workloads {

/// {"bytes_per_s": 3.95e11, "slowdown": 1.04}
core::Interference read_interference(FieldReader& reader, JsonValue value);
/// {"burst_ns": 40000000, "sustained": 0.9}
core::PowerCap read_power(FieldReader& reader, JsonValue value);

}  // namespace parley::workloads
