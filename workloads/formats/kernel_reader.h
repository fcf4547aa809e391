// Kernels of a task: {"name": "add_scalar", "value": 1}, or a list of such calls; their arguments
// are operands of the task or scratch arrays ("$t").
#pragma once

#include <span>
#include <vector>

#include "core/graph/program.h"
#include "workloads/formats/json_reader.h"
#include "workloads/formats/region_reader.h"

namespace parley::workloads {

/// What kernels may name as arguments.
struct Operands {
  std::span<const core::Access> accesses;
  /// An undeclared $name as clone_here's target is added, with its source's shape and dtype.
  std::vector<core::ScratchArray>& scratch;
};

class KernelReader {
 public:
  KernelReader(JsonReader& reader, core::Program& program, RegionReader& regions)
      : reader_(reader), program_(program), regions_(regions) {}

  /// The calls that could be read; faults are noted.
  core::Kernel read(JsonValue value, const Operands& operands);
  /// {"t": {"shape": [2, 2], "dtype": "float64"}}, appended to `scratch`.
  void read_scratch(JsonValue value, std::vector<core::ScratchArray>& scratch);

 private:
  core::KernelCall read_call(JsonValue value, const Operands& operands);
  void read_parameter(JsonValue member, const core::KernelSignature& signature,
                      core::KernelCall& call);
  void read_arguments(JsonValue list, const Operands& operands, core::KernelCall& call);
  std::optional<core::KernelArgument> read_argument(JsonValue value, const Operands& operands,
                                                    const core::KernelCall& call);
  std::optional<core::KernelArgument> scratch_argument(JsonValue value, std::string_view name,
                                                       const Operands& operands,
                                                       const core::KernelCall& call);

  JsonReader& reader_;
  core::Program& program_;
  RegionReader& regions_;
};

/// Whether a call moves its operands itself, when it runs (clone_here and copy).
bool moves_when_run(const core::Kernel& kernel);

/// Extents of a region as the view shows it: without dropped dimensions.
std::vector<std::int64_t> visible_shape(const core::Program& program, core::RegionView view);

}  // namespace parley::workloads
