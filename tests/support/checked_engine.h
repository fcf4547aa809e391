// An engine under observation: a second engine gets the same events and must give the same
// commands, every command is checked, the core's own invariants are checked, and all is recorded so
// that the run can be replayed.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/journal/run_record.h"
#include "tests/support/command_checker.h"
#include "tests/support/meaning.h"
#include "tests/support/owned_command.h"

namespace parley::test {

struct RecordedStep {
  core::Time now;
  std::vector<core::Event> events;
  std::vector<OwnedCommand> commands;
};

/// Throws RuleBroken with all faults when the engine refuses the program.
std::unique_ptr<core::Engine> make_engine(const core::Program& program,
                                          const core::Machine& machine,
                                          const core::EngineOptions& options);

/// Feeds the recorded events to a fresh engine; throws RuleBroken when any command differs.
void replay(const core::Program& program, const core::Machine& machine,
            const core::EngineOptions& options, std::span<const RecordedStep> steps);

class CheckedEngine {
 public:
  /// All must outlive this. Time is a count of steps, unless a driver says otherwise.
  CheckedEngine(const core::Program& program, const core::Machine& machine,
                const core::EngineOptions& options);

  std::span<const OwnedCommand> step(std::span<const core::Event> events);
  std::span<const OwnedCommand> step(core::Time now, std::span<const core::Event> events);

  [[nodiscard]] core::Engine& engine() { return *engine_; }
  [[nodiscard]] const Meaning& meaning() const { return meaning_; }
  [[nodiscard]] CommandChecker& checker() { return checker_; }
  [[nodiscard]] std::span<const RecordedStep> steps() const { return steps_; }
  [[nodiscard]] core::Time now() const { return now_; }
  [[nodiscard]] bool has_failed() const { return has_failed_; }
  /// Not owned; may be null. Sees every step of the first engine.
  void set_observer(core::StepObserver* observer) { observer_ = observer; }
  /// The checks at the end of a run; replay too, unless the program has grown.
  void check_end();
  /// The last `most` steps as text, for messages.
  [[nodiscard]] std::string history(std::size_t most) const;

 private:
  const core::Program* program_;
  const core::Machine* machine_;
  std::size_t tasks_at_start_;
  core::EngineOptions options_;
  Meaning meaning_;
  std::unique_ptr<core::Engine> engine_;
  std::unique_ptr<core::Engine> twin_;
  CommandChecker checker_;
  core::StepObserver* observer_ = nullptr;
  core::Time now_;
  bool has_failed_ = false;
  std::vector<RecordedStep> steps_;
};

}  // namespace parley::test
