// Workloads by name: a file in the workload format, or a generator with parameters. The one entry
// point that the command line uses.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/graph/program.h"

namespace parley::workloads {

/// A closed program from "FILE" (it exists, or ends in .json) or "generator:parameter=value,...".
/// All faults of a file at once; `where` starts with the file's name.
core::Result<core::Program> load_workload(const std::string& text);

/// The same from JSON text; `source` names it in faults.
core::Result<core::Program> parse_workload(std::string_view json, const std::string& source);

/// The program as a workload file, version 1. Loading it gives an equal program.
std::string format_workload(const core::Program& program);

}  // namespace parley::workloads
