// Elements of arrays as JSON: numbers, true and false for bool, [real, imaginary] for complex, and
// "nan", "inf", "-inf", which JSON's numbers lack. Integers are exact or refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/graph/dtype.h"
#include "workloads/formats/json_reader.h"

namespace parley::workloads {

/// One element into `out` (its element_bytes). False, and noted, when it does not fit the dtype.
bool read_element(JsonReader& reader, JsonValue value, core::DType dtype, std::byte* out);

/// Lists nested as `shape` says, appended to `out` row-major; every misfit is noted. False if any.
bool read_elements(JsonReader& reader, JsonValue value, core::DType dtype,
                   std::span<const std::int64_t> shape, std::vector<std::byte>& out);

/// One element as JSON, such that reading it gives the same bytes (but for the bits of a NaN).
void append_element(std::string& out, core::DType dtype, const std::byte* element);

/// The same for elements in row-major order, as nested lists. Requires: bytes for all of `shape`.
void append_elements(std::string& out, core::DType dtype, std::span<const std::int64_t> shape,
                     std::span<const std::byte> bytes);

}  // namespace parley::workloads
