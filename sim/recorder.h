// What a simulated run was: the record of tasks and copies as they end, and how long devices and
// copy engines were in use.
#pragma once

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/graph/program.h"
#include "core/journal/run_record.h"
#include "core/machine/machine.h"
#include "sim/in_flight.h"

namespace parley::sim {

class Recorder {
 public:
  /// Tasks and copies are listed only if `lists_commands`.
  Recorder(const core::Machine& machine, bool lists_commands);

  [[nodiscard]] bool lists_commands() const { return lists_commands_; }
  void task_ended(core::CommandId id, const InFlight& launch, core::Time end);
  void copy_ended(core::CommandId id, const InFlight& copy, core::Time end);
  /// The record without residency; this is spent afterwards.
  core::RunRecord take();

 private:
  const core::Machine* machine_;
  bool lists_commands_;
  core::RunRecord run_;
  core::IdVector<core::DeviceId, __int128> milli_busy_;  // ns times thousandths of a slot
};

}  // namespace parley::sim
