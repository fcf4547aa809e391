// The host's own commands in a run on GPUs: tasks placed on processors, and copies within host
// memory. They start when all before them has ended, since the host can wait for no stream. Used by
// the thread that owns the engine; threads of its own perform the commands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "core/base/units.h"
#include "core/machine/machine.h"
#include "exec/cuda/command_slots.h"
#include "exec/host/command_scheduler.h"
#include "exec/host/host_performer.h"

namespace parley::exec::cuda {

class HostCommands {
 public:
  /// Starts a thread for each slot of the machine's processors, at most 16, and one for copies. All
  /// must outlive this. `now`: the clock of the run.
  HostCommands(const core::Machine& machine, CommandSlots& slots, const HostPerformer& performer,
               std::function<core::Time()> now);
  /// Waits for what has started.
  ~HostCommands();
  HostCommands(const HostCommands&) = delete;
  HostCommands& operator=(const HostCommands&) = delete;

  /// Takes over the command in slot `index`, whose phase is pending.
  void add(std::uint32_t index) { waiting_.push_back(index); }
  /// Starts what waits for nothing any more. Appends to `ended` what follows something that
  /// stopped, and is cancelled.
  void start_ready(std::vector<std::uint32_t>& ended) {
    if (!waiting_.empty()) start_those_ready(ended);
  }
  /// Appends the slots of those that have ended since.
  void take_ended(std::vector<std::uint32_t>& ended) {
    if (started_ > 0) collect(ended);
  }

 private:
  void start_those_ready(std::vector<std::uint32_t>& ended);
  void collect(std::vector<std::uint32_t>& ended);
  void serve(bool serves_copies);

  CommandSlots& slots_;
  const HostPerformer& performer_;
  std::function<core::Time()> now_;
  CommandScheduler scheduler_;
  std::vector<std::uint32_t> waiting_;  // not started
  std::size_t started_ = 0;             // and not ended
  std::vector<Completion> completions_;
  std::vector<std::jthread> threads_;
};

}  // namespace parley::exec::cuda
