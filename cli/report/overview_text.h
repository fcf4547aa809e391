// What a person sees of an array's copies, in the form of the lessons: print_overview's block, and
// the dictionary that `print A` gives.
#pragma once

#include <string>

#include "cli/report/array_text.h"
#include "core/coherence/overview.h"
#include "core/graph/program.h"
#include "core/journal/run_record.h"
#include "core/machine/machine.h"

namespace parley::cli {

/// The block from "---Overview of PArray" to "---End of Overview", a newline at the end. The state
/// of a space that holds the array in pieces, or part of it, is followed by the valid pieces in the
/// order of their first elements, one to a line.
std::string overview_text(const core::Program& program, const core::Machine& machine,
                          const core::Overview& overview);

/// "{0: valid, 1: None, -1: valid}" and a newline: GPUs from 0 on, the host -1. A space that holds
/// part of the array lists the regions: "{0: [A[0:1]], ...}". With `values` arrays stand where
/// `valid` and the regions do: "{0: array([1., 2.]), 1: None, -1: [array([1.])]}".
std::string print_text(const core::Program& program, const core::Machine& machine,
                       const core::Overview& overview, const ArrayValues* values = nullptr);

/// Either of the two, as the task asked; an overview is followed by its `values`.
std::string shown_text(const core::Program& program, const core::Machine& machine,
                       const core::Overview& overview, const ArrayValues* values = nullptr);

/// "Task(T_0)  running on  GPUEnvironment(GPU:0)".
std::string running_text(const core::Program& program, const core::Machine& machine,
                         const core::TaskRecord& task);

/// "Task(E)  evicts A[0:2] from gpu1". Requires: the task is an eviction.
std::string eviction_text(const core::Program& program, core::TaskId task);

}  // namespace parley::cli
