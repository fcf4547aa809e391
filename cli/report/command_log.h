// What an engine commanded during a run, kept for questions afterwards: when each command was
// issued, what it waited for, and who had written each buffer of one task before it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/graph/program.h"
#include "core/journal/run_record.h"

namespace parley::cli {

/// A buffer of the watched task as its launch found it.
struct WatchedOperand {
  core::OperandBinding binding;
  core::CommandId writer;  // the last command that wrote to the buffer; none: there from the start
};

class CommandLog : public core::StepObserver {
 public:
  /// `program` must outlive the log. `watched`: the task whose buffers are noted.
  CommandLog(const core::Program& program, core::TaskId watched)
      : program_(program), watched_(watched) {}

  void on_step(core::Time now, std::span<const core::Event> events,
               std::span<const core::Command> commands) override;

  [[nodiscard]] core::Time issued(core::CommandId id) const { return entries_[id.index()].issued; }
  /// Commands that `id` had to wait for.
  [[nodiscard]] std::span<const core::CommandId> after(core::CommandId id) const;
  /// The buffer that a copy wrote to; none for a launch.
  [[nodiscard]] core::ReplicaId target(core::CommandId id) const {
    return entries_[id.index()].target;
  }
  [[nodiscard]] const std::vector<WatchedOperand>& operands() const { return operands_; }

 private:
  struct Entry {
    core::Time issued;
    std::size_t first_after = 0;
    std::uint32_t after_count = 0;
    core::ReplicaId target;
  };

  void note(core::CommandId id, core::Time now, std::span<const core::CommandId> after,
            core::ReplicaId target);
  void note_launch(const core::LaunchTask& launch);

  const core::Program& program_;
  core::TaskId watched_;
  std::vector<Entry> entries_;  // by command
  std::vector<core::CommandId> after_;
  std::map<core::ReplicaId, core::CommandId> writers_;
  std::vector<WatchedOperand> operands_;
};

}  // namespace parley::cli
