// One task or evict entry of a workload file, as a TaskSpec.
#pragma once

#include <vector>

#include "core/graph/program.h"
#include "workloads/formats/json_reader.h"
#include "workloads/formats/kernel_reader.h"
#include "workloads/formats/placement_reader.h"
#include "workloads/formats/region_reader.h"
#include "workloads/formats/task_names.h"

namespace parley::workloads {

class TaskReader {
 public:
  TaskReader(JsonReader& reader, core::Program& program, RegionReader& regions, TaskNames& names)
      : reader_(reader),
        program_(program),
        regions_(regions),
        names_(names),
        kernels_(reader, program, regions),
        placements_(reader, kernels_) {}

  /// The entry as the task `id`. Faults are noted; what they leave of the task is such that it can
  /// still be spawned and causes no faults that are not its own: arrays that it may have written
  /// count as written, kernels are left out.
  core::TaskSpec read(JsonValue entry, core::TaskId id);

 private:
  void read_task(const Fields& fields, core::TaskSpec& spec, core::TaskId id);
  void read_evict(JsonValue entry, core::TaskSpec& spec, core::TaskId id);
  void read_accesses(const Fields& fields, core::TaskSpec& spec);
  void read_access(JsonValue value, std::optional<core::AccessMode> mode, core::TaskSpec& spec);
  void read_after(JsonValue value, core::TaskSpec& spec, core::TaskId id);
  void read_execution(const Fields& fields, core::TaskSpec& spec);
  void read_show(JsonValue value, bool is_print, core::TaskSpec& spec);
  void read_show_item(JsonValue value, bool is_print, core::TaskSpec& spec);
  void read_expect(JsonValue value, core::TaskSpec& spec);
  bool read_expected(JsonValue value, core::RegionView view, std::vector<std::byte>& bytes);
  void settle_faulty(core::TaskSpec& spec) const;

  JsonReader& reader_;
  core::Program& program_;
  RegionReader& regions_;
  TaskNames& names_;
  KernelReader kernels_;
  PlacementReader placements_;
  std::vector<core::ArrayId> maybe_written_;  // by accesses of this task that have faults
};

}  // namespace parley::workloads
