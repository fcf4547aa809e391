// The rows of a summary: which tasks ran where and when, what was copied.
#pragma once

#include "cli/report/json_writer.h"
#include "core/graph/program.h"
#include "core/journal/run_record.h"
#include "core/machine/machine.h"

namespace parley::cli {

/// Members "tasks" and "copy_list", in order of starts (then of commands), and "copy_reasons", a
/// word for each row of the latter.
void write_rows(const core::Program& program, const core::Machine& machine,
                const core::RunRecord& run, JsonWriter& json);

/// The member "busy": share of the makespan by device.
void write_busy(const core::Machine& machine, const core::RunRecord& run, JsonWriter& json);

}  // namespace parley::cli
