// Checks a stream of commands against the design's invariants (1 to 6 and 8), knowing nothing of
// the engine but its commands, slabs and answers about locations: every byte a command reads was
// written by a command that is certain to have ended, and is the version that the program's meaning
// prescribes; nothing is overwritten before its readers have ended. Bytes alone would miss most
// faults, as the wrong order often happens not to matter.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/engine/event.h"
#include "core/machine/cost_model.h"
#include "core/machine/machine.h"
#include "tests/support/meaning.h"
#include "tests/support/owned_command.h"
#include "tests/support/shadow.h"

namespace parley::test {

/// A rule that the engine broke: what() names the rule, the command and the values.
class RuleBroken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class CommandChecker {
 public:
  /// All must outlive the checker. `window` as in EngineOptions.
  CommandChecker(const core::Program& program, const core::Machine& machine,
                 const core::Engine& engine, const Meaning& meaning, std::uint32_t window);

  /// Before the step that gets the event.
  void on_event(core::Time now, const core::Event& event);
  /// In order, after the step.
  void on_command(const OwnedCommand& command);
  /// The engine says that these will never run.
  void on_cancelled(core::CommandId id);
  /// After Finish: every task was launched, and every element lies where the engine says, at the
  /// last version in sequential order. After a failure, when nothing runs any more: every element
  /// lies there at its last version in issue order, or is listed as lost.
  void check_end(bool has_failed);

  /// The last version of an element in issue order.
  [[nodiscard]] Version current_version(core::ArrayId array, std::int64_t element) const {
    return current_[array][static_cast<std::size_t>(element)];
  }
  [[nodiscard]] core::CommandId launch_of(core::TaskId task) const;

 private:
  struct Block {
    std::int64_t end = 0;
    core::ReplicaId replica;  // none: a home slot
  };

  [[noreturn]] void fail(const std::string& rule, const std::string& what) const;
  void admit(core::CommandId id, std::span<const core::CommandId> after);
  void check(const OwnedCopy& copy);
  void check(const OwnedLaunch& launch);
  void check(const OwnedDrop& drop);
  void check(const OwnedFinish& finish);
  void check_part(const OwnedCopy& copy, const OwnedPart& part);
  void move_cell(const OwnedCopy& copy, std::int64_t source, std::int64_t target,
                 std::vector<std::uint32_t>& moved);
  void check_order(const OwnedLaunch& launch);
  void check_timed(core::TaskId on, const OwnedLaunch& launch);
  void check_devices(const OwnedLaunch& launch);
  void check_window(const OwnedLaunch& launch);
  void check_binding(const OwnedLaunch& launch, std::size_t access);
  void read_operand(const OwnedLaunch& launch, std::size_t access);
  void write_operand(const OwnedLaunch& launch, std::size_t access);
  void write_scratch(const OwnedLaunch& launch, std::size_t member);
  void note_block(core::SpaceId space, std::int64_t offset, std::int64_t bytes,
                  core::ReplicaId replica);
  void overwrite(ShadowCell& cell, core::CommandId id, std::int64_t offset);
  void check_bounds(core::SpaceId space, std::int64_t offset, std::int64_t bytes,
                    const std::string& what) const;
  void check_locations(core::ArrayId array, bool has_failed);
  [[nodiscard]] bool may_home_be_evicted() const;
  void check_is_home(core::ArrayId array);
  void lay_out_initial();
  [[nodiscard]] std::int64_t cells_per_element(core::ArrayId array) const;
  [[nodiscard]] bool has_contents(const core::Access& access) const;

  const core::Program* program_;
  const core::Machine* machine_;
  const core::Engine* engine_;
  const Meaning* meaning_;
  std::uint32_t window_;
  ShadowMemory memory_;
  ReaderLists readers_;
  Ancestry ancestry_;
  core::IdVector<core::ArrayId, std::vector<Version>> current_;
  std::vector<std::map<std::int64_t, Block>> blocks_;  // by space, then offset
  std::map<core::TaskId, core::CommandId> launches_;
  std::vector<std::vector<core::DeviceId>> devices_of_;  // by command; none for copies
  std::vector<std::uint32_t> running_;                   // issued, unfinished tasks by device
  std::vector<bool> has_stopped_;                        // failed or cancelled, by command
  std::size_t submitted_ = 0;
  core::Time now_;
  bool has_failed_ = false;
  bool is_finished_ = false;
  const OwnedCommand* now_checking_ = nullptr;
  std::map<core::PlacementId, std::vector<core::Candidate>> candidates_;  // resolved once
};

}  // namespace parley::test
