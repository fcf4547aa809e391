// Machine files, version 1: JSON to core's MachineSpec and back. Shorthands ("gpus", "links",
// "template") are expanded when read; what is written is always the long form.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/machine/machine.h"

namespace parley::workloads {

/// What "template" may name, and the text of its machine file.
struct MachineTemplates {
  std::vector<std::string> names;
  std::function<std::string_view(const std::string& name)> text;  // of one of the names
};

/// All faults of the file at once; `source` (its name) in front of every path.
core::Result<core::MachineSpec> read_machine(std::string_view json, const std::string& source,
                                             const MachineTemplates& templates);

std::string write_machine(const core::MachineSpec& spec);

}  // namespace parley::workloads
