// What --verify does: the same program once more, its tasks one after another on the host, and the
// final contents of both compared.
#pragma once

#include "cli/report/execution.h"
#include "core/graph/program.h"
#include "exec/executor.h"

namespace parley::cli {

/// Requires: the run kept its contents, finished, and lists its tasks (alternatives may compute
/// different things).
Verification verify(const core::Program& program, const exec::ExecResult& executed);

}  // namespace parley::cli
