// The trace of a run in Chrome's Trace Event format, which Perfetto and chrome://tracing open as it
// is: a track per device, copy engine and link, arrows from each copy to the task that it was made
// for, counters of resident bytes per memory space and of copies at a time per shared resource.
// Written as a stream.
#pragma once

#include <ostream>

#include "core/graph/program.h"
#include "core/journal/run_record.h"
#include "core/machine/machine.h"

namespace parley::cli {

/// Where several intervals of one track overlap (slots, shares of a device), further lanes
/// ("cpu (2)") hold them, because slices of one lane have to nest.
void write_trace(const core::Program& program, const core::Machine& machine,
                 const core::RunRecord& run, std::ostream& stream);

}  // namespace parley::cli
