// A driver whose every move is made by hand: which command starts, ends, fails, and when the engine
// hears of it. Bytes really move: a command reads its operands when it starts and writes its
// results when it ends, and what it will write is poisoned in between. No threads, no time.
//
// `ManualDriver` adds names for tests of single cases; the adversarial driver plays the moves at
// random or in every order.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/checked_engine.h"
#include "tests/support/slabs.h"

namespace parley::test {

enum class CommandStage : std::uint8_t {
  kWaiting,  // some command of `after` has not ended
  kReady,
  kRunning,
  kEnded,  // the engine has not heard of it yet
  kReported,
  kStopped,  // failed or cancelled
};

class VirtualDriver {
 public:
  /// All must outlive the driver; the program may grow.
  VirtualDriver(const core::Program& program, const core::Machine& machine,
                const core::EngineOptions& options);

  // ---- events ----
  /// Tasks below `end` exist now, and whether more may come.
  void submit(core::TaskId end, bool is_closed);
  /// The whole program, which is closed.
  void submit_all();
  /// The task's release time comes, if it has not come yet.
  void release(core::TaskId task);
  /// Tells the engine of ended commands, in one step. Requires: what they waited for was reported
  /// before or is among them.
  void report(std::span<const core::CommandId> ended);

  // ---- commands ----
  /// Ascending.
  [[nodiscard]] std::vector<core::CommandId> in_stage(CommandStage stage) const;
  [[nodiscard]] CommandStage stage(core::CommandId id) const { return commands_[id.index()].stage; }
  [[nodiscard]] const OwnedCommand& command(core::CommandId id) const {
    return commands_[id.index()].command;
  }
  [[nodiscard]] std::size_t command_count() const { return commands_.size(); }
  /// Ended commands of which the engine may be told now.
  [[nodiscard]] std::vector<core::CommandId> reportable() const;
  void start(core::CommandId id);
  void end(core::CommandId id);
  /// A ready or running command fails; what it was writing is lost, and the engine is told.
  void fail(core::CommandId id, const std::string& cause);

  [[nodiscard]] bool is_finished() const { return is_finished_; }
  /// Nothing runs, nothing can start, nothing is to be reported.
  [[nodiscard]] bool is_idle() const;
  /// The checks at the end: invariants, final bytes against sequential execution, replay.
  void check_end();

  [[nodiscard]] CheckedEngine& checked() { return engine_; }
  [[nodiscard]] const CheckedEngine& checked() const { return engine_; }
  [[nodiscard]] core::Engine& engine() { return engine_.engine(); }
  [[nodiscard]] const Slabs& slabs() const { return slabs_; }
  [[nodiscard]] const core::Program& program() const { return *program_; }
  [[nodiscard]] std::vector<std::byte> contents(core::ArrayId array) {
    return slabs_.contents(engine(), array, kPoison);
  }
  /// Commands given by the step, in order, drops included.
  [[nodiscard]] std::span<const OwnedCommand> last_commands() const { return last_commands_; }

 private:
  struct Entry {
    OwnedCommand command;
    CommandStage stage = CommandStage::kWaiting;
    std::size_t missing = 0;               // commands of `after` that have not ended
    std::vector<core::CommandId> waiting;  // for this one
    std::vector<std::size_t> waiting_drops;
    std::vector<std::vector<std::byte>> results;  // of a running command, by part or operand
  };
  struct PendingDrop {
    OwnedDrop drop;
    std::size_t missing = 0;
  };

  void step(std::span<const core::Event> events);
  void step(core::Time now, std::span<const core::Event> events);
  void admit(const OwnedCommand& command);
  void admit_drop(const OwnedDrop& drop);
  bool has_ended(core::CommandId id) const;
  void note_end(core::CommandId id);
  void start_copy(Entry& entry, const OwnedCopy& copy);
  void start_launch(Entry& entry, const OwnedLaunch& launch);
  void check_failure_bytes();
  [[nodiscard]] std::vector<bool> lost_elements(core::ArrayId array);

  const core::Program* program_;
  CheckedEngine engine_;
  Slabs slabs_;
  exec::KernelRegistry registry_;
  std::vector<Entry> commands_;
  std::vector<PendingDrop> drops_;
  std::vector<OwnedCommand> last_commands_;
  std::map<core::TaskId, std::uint16_t> alternatives_;
  std::size_t submitted_ = 0;
  bool is_finished_ = false;
};

/// Cases by name: "the copy of A to gpu0", "the launch of T[1]".
class ManualDriver : public VirtualDriver {
 public:
  ManualDriver(const core::Program& program, const core::Machine& machine,
               const core::EngineOptions& options)
      : VirtualDriver(program, machine, options), machine_(&machine) {}

  /// The launch of the task, or none when it was not issued yet.
  [[nodiscard]] core::CommandId launch_of(std::string_view task) const;
  /// Copies of the array between two spaces, unfinished or not, in order. "" is any space.
  [[nodiscard]] std::vector<core::CommandId> copies_of(std::string_view array,
                                                       std::string_view from = "",
                                                       std::string_view to = "") const;
  /// Starts and ends the command and all it waits for, each reported by itself.
  void complete(core::CommandId id);
  /// Completes commands in order of ids until nothing is left to do.
  void complete_all();

 private:
  const core::Machine* machine_;
};

}  // namespace parley::test
