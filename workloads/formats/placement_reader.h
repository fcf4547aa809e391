// Placements in a workload file: "gpu", "gpu:1", a list of alternatives, and objects that carry an
// implementation of their own or a group of devices.
#pragma once

#include "core/graph/placement.h"
#include "workloads/formats/json_reader.h"
#include "workloads/formats/kernel_reader.h"

namespace parley::workloads {

/// Members that a task and an alternative may both have; the alternative's count.
struct AlternativeFields {
  std::optional<JsonValue> vcus, scratch_bytes, scratch;
  static AlternativeFields of(const Fields& fields);
};

class PlacementReader {
 public:
  PlacementReader(JsonReader& reader, KernelReader& kernels) : reader_(reader), kernels_(kernels) {}

  /// Reads vcus, scratch_bytes and scratch into `alternative`, over what it has.
  void read_needs(const AlternativeFields& fields, core::Alternative& alternative);
  /// The alternatives of `value`; `task` has what the task itself says, for all of them. Faults
  /// are noted; alternatives that could not be read are left out.
  core::Placement read(JsonValue value, const core::Alternative& task,
                       std::span<const core::Access> accesses);

 private:
  std::optional<core::Alternative> read_alternative(JsonValue value, const core::Alternative& task,
                                                    std::span<const core::Access> accesses);
  void read_members(const Fields& fields, core::Alternative& alternative);
  void read_group(JsonValue group, std::optional<JsonValue> count, core::Alternative& alternative);
  void read_device(JsonValue value, bool is_any_allowed, core::Alternative& alternative);

  JsonReader& reader_;
  KernelReader& kernels_;
};

}  // namespace parley::workloads
