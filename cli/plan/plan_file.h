// Plans as files: decisions of one run, to be imposed on another (--plan FILE). Read from a plan
// ("parley-plan", version 1), a run summary, or a journal; only the first and the last tell of
// copies and evictions as well.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "core/policy/plan.h"

namespace parley::cli {

/// The plan in a file, for this program and machine. Of a summary, tasks are taken in the order of
/// their starts, but never before what they depend on: a task may start before an earlier reader of
/// what it overwrites. Faults: a file of another kind, names that the program or the machine lack.
/// Whether tasks may run where the plan has them, and in that order, the engine checks.
core::Result<core::Plan> load_plan(const std::string& path, const core::Program& program,
                                   const core::Machine& machine);

/// The same from the text of a plan; `where` begins the places of faults.
core::Result<core::Plan> parse_plan(const std::string& text, const std::string& where,
                                    const core::Program& program, const core::Machine& machine);

/// A plan as parse_plan() reads it, on one line.
std::string plan_text(const core::Plan& plan, const core::Program& program,
                      const core::Machine& machine);

}  // namespace parley::cli
