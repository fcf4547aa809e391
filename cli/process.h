// Runs another program and waits for it. No shell: arguments arrive as they are.
#pragma once

#include <string>
#include <vector>

namespace parley::cli {

struct ProcessResult {
  int exit_code = 0;   // 128 + signal when it was killed, 127 when it could not be started
  std::string output;  // standard output and error, as they came
};

/// Requires: `command` is not empty; its first word is looked up in PATH unless it has a slash.
/// Throws EnvironmentFailure when the system has no process or pipe left.
ProcessResult run_process(const std::vector<std::string>& command);

}  // namespace parley::cli
