// The executor: performs an engine's commands for real, through a backend (host threads, or GPUs).
// A peer of the simulator; it knows nothing of coherence or scheduling. One thread, the caller's,
// owns the engine.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "core/journal/run_record.h"
#include "core/machine/machine.h"
#include "exec/backend.h"
#include "exec/verify/sequential.h"

namespace parley::exec {

struct ExecOptions {
  core::EngineOptions engine;
  /// Start and end of each command are measured on its device, and RunRecord::tasks and copies
  /// list them. Costs a few microseconds a command on GPUs.
  bool record_commands = true;
  bool record_residency = false;  // RunRecord::residency, as allocated at the end of each step
  bool keep_contents = true;      // ExecResult::arrays
  /// Called now and then with finished tasks; may be empty.
  std::function<void(std::size_t finished, std::size_t total)> progress;
  core::StepObserver* observer = nullptr;        // not owned
  const std::atomic<bool>* interrupt = nullptr;  // not owned; once true, nothing more is started
};

/// A command that did not do its work.
struct CommandFailure {
  core::CommandId command;
  core::TaskId task;  // that it runs, or on whose behalf it copies; none for copies at the end
  bool is_copy = false;
  std::string cause;
};

/// Final contents of an array. Elements that nothing wrote, or that were lost, are
/// SequentialExecution::kUndefined bytes.
struct ArrayContents {
  std::vector<std::byte> bytes;  // row-major
  bool is_complete = true;       // every initialised element could be read
};

struct ExecResult {
  core::RunRecord run;
  std::vector<ShownValues> shown;  // in order of issue
  std::vector<FailedExpectation> failed_expectations;
  std::vector<CommandFailure> failures;  // not empty: the run ended early
  std::size_t cancelled_commands = 0;
  std::vector<core::LostPiece> lost;
  bool is_interrupted = false;
  std::string stopped;  // by what, where the environment ended the run early
  core::IdVector<core::ArrayId, ArrayContents> arrays;  // empty unless keep_contents
  std::vector<std::string> warnings;
  std::unique_ptr<core::Engine> engine;  // after the run: overviews, locations, statistics
  double setup_s = 0;                    // wall time before the first command: memory, contents
  [[nodiscard]] bool is_finished() const {
    return failures.empty() && !is_interrupted && stopped.empty();
  }
};

/// The engine's options as execute() uses them: the engine pauses where the program shows or
/// expects values. A journal's header states these.
core::EngineOptions executed_options(const core::Program& program, core::EngineOptions options);

/// Where the environment's faults are said to be.
inline constexpr const char* kEnvironmentFault = "execution";

/// Runs the whole program on `backend`, which keeps its memory for the next call. Faults: what
/// Engine::create refuses, and an environment that fails before the first command. A failure during
/// the run is part of the result. A stall is a broken invariant.
core::Result<ExecResult> execute(const core::Program& program, const core::Machine& machine,
                                 const ExecOptions& options, Backend& backend);

}  // namespace parley::exec
