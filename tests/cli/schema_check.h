// Whether JSON is as one of the shipped schemas says: the part of JSON Schema that they use, and
// stricter in one point, that an object has no member which its schema does not describe.
#pragma once

#include <string>

namespace parley::cli {

/// "" when `json` follows workloads/schema/`schema`, else the path of the first fault and what it
/// is.
std::string schema_fault(const std::string& schema, const std::string& json);

}  // namespace parley::cli
