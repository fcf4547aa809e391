// Plays a program against the core in the worst order that `after` allows: which ready command
// starts, which running one ends, and when the engine hears of it, in batches of any size, is up to
// a chooser. Tasks may be submitted in portions and commands may be made to fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "tests/support/chooser.h"

namespace parley::test {

struct AdversarialPlan {
  /// Numbers of tasks after each portion that is submitted, ascending; the last is all of them.
  /// Empty: all at once. With `grow` the program is extended just before each portion.
  std::vector<std::size_t> portions;
  std::function<void(std::size_t portion)> grow;
  /// The number of the command that fails, or none. Numbers wrap around the commands given so far
  /// when the moment comes: after `fail_after` commands have ended.
  bool has_failure = false;
  std::size_t fail_after = 0;
  /// Only whole commands in single events: far fewer orders, for exhaustive runs.
  bool is_coarse = false;
};

struct AdversarialResult {
  std::string fault;    // "" when every rule held
  std::string history;  // the last steps before the fault
  std::size_t steps = 0, commands = 0, evictions = 0, write_backs = 0, compactions = 0;
  bool has_failed = false;
};

/// One run, with every check at every step and at the end. A broken rule or invariant is the
/// result's fault; nothing is thrown.
AdversarialResult run_adversarial(const core::Program& program, const core::Machine& machine,
                                  const core::EngineOptions& options, const AdversarialPlan& plan,
                                  Chooser& chooser);

/// Every completion order (coarse), at most `most_runs` of them. Returns the number of runs, and
/// the first result with a fault, if any.
struct ExhaustiveResult {
  std::size_t runs = 0;
  bool is_complete = false;
  AdversarialResult last;
};
ExhaustiveResult run_every_order(const core::Program& program, const core::Machine& machine,
                                 const core::EngineOptions& options, std::size_t most_runs);

}  // namespace parley::test
