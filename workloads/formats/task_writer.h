// One task of a program as an entry of "tasks". What the format takes for granted is left out.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/graph/program.h"
#include "workloads/formats/json_writer.h"

namespace parley::workloads {

class TaskWriter {
 public:
  /// Appends to `out`; both must outlive the writer.
  TaskWriter(std::string& out, const core::Program& program) : out_(out), program_(program) {}

  void append(core::TaskId id);

 private:
  void append_evict(ObjectWriter& object, core::TaskId id);
  void append_after(ObjectWriter& object, core::TaskId id);
  void append_compute(ObjectWriter& object, core::TaskId id);
  void append_accesses(ObjectWriter& object, std::span<const core::Access> accesses);
  void append_operand(core::RegionId region, core::OperandView view, std::int64_t member,
                      std::string_view mode);
  void append_kernel(ObjectWriter& object, const core::Kernel& kernel, core::TaskId id,
                     std::span<const core::ScratchArray> scratch);
  void append_call(const core::KernelCall& call, core::TaskId id,
                   std::span<const core::ScratchArray> scratch);
  void append_placement(ObjectWriter& object, core::TaskId id);
  void append_alternative(const core::Alternative& alternative, const core::Alternative& task,
                          core::TaskId id);
  void append_needs(ObjectWriter& object, const core::Alternative& alternative,
                    const core::Alternative& taken_for_granted);
  void append_cost(const core::Cost& cost);
  void append_extras(ObjectWriter& object, const core::TaskExtras& extras);
  void append_show(const core::Show& show);
  [[nodiscard]] bool moves_by_default_when_run(const core::Task& task) const;

  std::string& out_;
  const core::Program& program_;
};

}  // namespace parley::workloads
