// Random problems run for real by exec::execute() on any backend, and everything that such a run
// leaves behind compared with what the program means: its bytes, its accounts (each command issued
// ended in one way), the order of its completions, a replay of its journal.
//
// After a failure each element is either intact or lost, never both. Intact is one whose last
// issued writer finished, with the bytes of that writer in sequential execution; an element is lost
// only if a command that failed or was cancelled wrote or moved it, or if the memory of a device is
// gone, where nothing intact may be then.
#pragma once

#include <cstddef>
#include <cstdint>

#include "exec/backend.h"
#include "tests/property/fuzz.h"

namespace parley::test {

/// What the runs so far had to deal with, for a test to see that it tests something.
struct ExecutedTally {
  std::size_t problems = 0, refused = 0, commands = 0, copies = 0, evictions = 0, shown = 0;
  std::size_t failed = 0, cancelled = 0, lost_elements = 0, intact_elements = 0;  // after failures
  std::size_t gone_elements = 0;  // lost only as they were in memory that is gone
};

/// Runs a problem and makes every check above; throws RuleBroken, for a program that is refused
/// with a text that begins with "refused". `is_timed`: ExecOptions::record_commands.
void run_executed(const Problem& problem, const core::EngineOptions& engine, exec::Backend& backend,
                  bool is_timed, ExecutedTally& tally);

/// Builds an executable draft and runs it; whatever is thrown is the outcome's fault.
Outcome play_executed(const ProblemDraft& draft, exec::Backend& backend, bool is_timed,
                      ExecutedTally& tally);

}  // namespace parley::test
