// Where a command talks to its user, and how it ends. Commands never touch std::cout, so that tests
// run them in-process.
#pragma once

#include <ostream>
#include <stdexcept>
#include <string>

#include "core/base/result.h"

namespace parley::cli {

enum ExitCode : int {
  kOk = 0,
  kWrongInput = 2,          // a file, flag or parameter
  kFailedVerification = 3,  // a replay or a result that differs from what it should be
  kFailedExecution = 4,     // the environment failed (disk, process), or a broken invariant
};

struct Terminal {
  std::ostream& out;
  std::ostream& err;
  bool shows_progress = false;  // err is a terminal that a person looks at
};

/// Prints every fault as "where: what" and returns kWrongInput.
int report_faults(Terminal& terminal, const core::Faults& faults);

void append(core::Faults& all, const core::Faults& more);

/// A failing environment: caught once, at top level, and reported with kFailedExecution.
class EnvironmentFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace parley::cli
