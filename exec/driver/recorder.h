// What an executed run was: commands as they were submitted, their measured times as they end.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/engine/command.h"
#include "core/engine/engine.h"
#include "core/journal/run_record.h"
#include "core/machine/machine.h"

namespace parley::exec {

class Recorder {
 public:
  /// Tasks and copies are listed only if `lists_commands`, samples only if `samples_memory`.
  Recorder(const core::Machine& machine, bool lists_commands, bool samples_memory);

  void submitted(const core::StartCopy& copy, core::Time now);
  void submitted(const core::LaunchTask& launch, core::Time now);
  void ended(core::CommandId id, core::Time start, core::Time end, core::Duration issue);
  void end_of_step(const core::Engine& engine, core::Time now);

  [[nodiscard]] bool is_copy(core::CommandId id) const { return commands_[id.index()].is_copy; }
  [[nodiscard]] core::TaskId task(core::CommandId id) const { return commands_[id.index()].task; }

  /// The record of all that ended; this is spent afterwards.
  core::RunRecord take();

 private:
  struct Submitted {
    core::TaskId task;
    std::uint32_t record = 0;  // position in tasks_ or copies_
    bool is_copy = false;
  };

  Submitted& add(core::CommandId id);
  void add_busy_times(core::RunRecord& run) const;

  const core::Machine* machine_;
  bool lists_commands_, samples_memory_;
  std::vector<Submitted> commands_;  // by id
  core::RunRecord run_;
  std::vector<core::TaskRecord> tasks_;   // in order of submission; those that ended have an end
  std::vector<std::int32_t> milli_vcus_;  // of tasks_
  std::vector<core::CopyRecord> copies_;
  std::vector<char> task_has_ended_, copy_has_ended_;
};

}  // namespace parley::exec
