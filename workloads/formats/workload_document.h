// From a parsed document to a program. Apart from parse_workload, so that a file's text need not be
// kept while its tasks are read.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/graph/program.h"
#include "workloads/formats/json_document.h"

namespace parley::workloads {

/// A closed program, or all faults; `source` is in front of each path. Requires: the document was
/// parsed with kKeyNames as known keys.
core::Result<core::Program> read_workload(const JsonDocument& document, const std::string& source);

}  // namespace parley::workloads
