// The whole command line as a function: main() and the tests call it.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace parley::cli {

/// Runs `parley ARGUMENTS...` and returns its exit code: 0, 2 (wrong input), 3 (verification
/// failed) or 4 (execution failed). `shows_progress`: `err` is a terminal.
int run_cli(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err,
            bool shows_progress = false);

}  // namespace parley::cli
