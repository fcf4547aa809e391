// Why one task ran where and when it did: the mapper's reason, its operands and the copies that
// brought them, what it waited for, and the chain of waits that set its start.
#pragma once

#include <ostream>

#include "cli/report/command_log.h"
#include "cli/report/run_result.h"

namespace parley::cli {

/// Of an eviction on request there is little to say. Requires: the program has run, `log` watched
/// the task, and `engine` drove the run.
void explain_task(const RunResult& result, const core::Engine& engine, const CommandLog& log,
                  core::TaskId task, std::ostream& stream);

}  // namespace parley::cli
