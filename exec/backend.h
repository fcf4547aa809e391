// What carries an engine's commands out: memory for each space, and queues of copies and launches.
// All functions are called by one thread, the one that owns the engine; a backend's own threads are
// its business. Commands are performed in any order that respects their `after`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/engine/command.h"
#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"

namespace parley::exec {

/// The environment does not do what was asked of it (CUDA, memory); the text says what.
class EnvironmentFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How a command ended. Times are from begin() on; equal when they are not measured.
struct Completion {
  enum class Kind : std::uint8_t { kDone, kFailed, kCancelled } kind = Kind::kDone;
  core::CommandId id;
  core::Time start, end;
  std::string cause;                         // kFailed
  core::Duration issue = core::Duration(0);  // TaskRecord::issue, CopyRecord::issue
};

class Backend {
 public:
  virtual ~Backend() = default;

  /// Slabs for the engine's spaces and all that the program's tasks need (kernels found, libraries
  /// loaded, workspaces reserved), so that nothing is allocated during the run. Memory is kept from
  /// one run to the next. Program and machine must outlive the run. Throws EnvironmentFailure.
  virtual void prepare(const core::Program& program, const core::Machine& machine,
                       const core::Engine& engine) = 0;
  /// Kernels that the tasks name and that have no body here, and the like; asked before prepare().
  [[nodiscard]] virtual core::Faults check(const core::Program& program,
                                           const core::Machine& machine) const = 0;

  /// Contiguous bytes of a slab, while nothing is in flight. Throw EnvironmentFailure.
  virtual void write(core::SpaceId space, std::int64_t offset,
                     std::span<const std::byte> bytes) = 0;
  virtual void read(core::SpaceId space, std::int64_t offset, std::span<std::byte> bytes) = 0;

  /// Starts the clock. `is_timed`: start and end of each command are measured on its device.
  virtual void begin(bool is_timed) = 0;
  [[nodiscard]] virtual core::Time now() const = 0;
  /// Takes a copy of the command and performs it when its `after` has finished. What depends on a
  /// failed or cancelled command is cancelled.
  virtual void submit(const core::StartCopy& copy) = 0;
  virtual void submit(const core::LaunchTask& launch) = 0;
  /// All commands of a step have been submitted.
  virtual void flush() = 0;
  /// Appends what has ended since the last call; a completion never precedes those of its `after`.
  /// Waits for at least one if `waits`, but no longer than some milliseconds.
  virtual void collect(std::vector<Completion>& completions, bool waits) = 0;
  /// The run is to end early: of what was submitted and has not started, as much as possible is
  /// cancelled, and collected as that.
  virtual void cancel_waiting() {}
  /// Nothing is in flight any more: waits for the device side and stops the clock.
  virtual void end() = 0;
  /// After a failure and end(), by the same thread: spaces whose memory can no longer be read, as
  /// their device is gone.
  [[nodiscard]] virtual std::vector<core::SpaceId> lost_spaces() const { return {}; }
};

}  // namespace parley::exec
