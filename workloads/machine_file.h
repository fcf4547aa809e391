// Machines by name (shipped) or file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/machine/machine.h"

namespace parley::workloads {

/// Shipped names, sorted.
std::vector<std::string> shipped_machines();

/// What "template" may name in a machine file; the command line takes them as
/// "dgx-h200:gpus=8,nodes=128".
std::vector<std::string> machine_templates();

/// A shipped machine, that of a file, or of a template with its size. `limits`: "gpu=8GiB", "gpu:1=2GiB", "gpu0=...",
/// "cpu=64GiB": class, device or space, and a size (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB); a limit
/// above what a space holds changes nothing.
core::Result<core::Machine> load_machine(const std::string& name_or_file,
                                         const std::vector<std::string>& limits = {});

/// Lowers the capacities that `limits` name. Faults name the limit.
core::Faults apply_limits(const std::vector<std::string>& limits, core::MachineSpec& spec);

core::Result<core::MachineSpec> parse_machine(std::string_view json, const std::string& source);
std::string format_machine(const core::MachineSpec& spec);

/// "8GiB", "1.5GB", "4096" -> bytes, rounded; fault for anything else.
core::Result<core::Bytes> parse_bytes(std::string_view text);

}  // namespace parley::workloads
