// Real threads and real bytes, no GPU: a stream (a thread that serves its commands in the order of
// issue) per device and per pair of spaces, one loop thread that owns the core. A command waits for
// its `after` on the stream itself, so the thread sanitizer sees exactly the order that the core
// asked for, and a missing wait shows as a data race.
#pragma once

#include <cstddef>
#include <vector>

#include "core/coherence/overview.h"
#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "core/journal/run_record.h"
#include "core/machine/machine.h"

namespace parley::test {

struct ThreadedOptions {
  core::EngineOptions engine;
  core::StepObserver* observer = nullptr;  // not owned
};

struct ThreadedResult {
  core::IdVector<core::ArrayId, std::vector<std::byte>> arrays;  // final contents
  std::vector<core::Overview> overviews;
  core::EngineStatistics statistics;
  std::vector<core::CopyRecord> copies;  // in order of issue; times are steps
  std::vector<core::TaskRecord> tasks;   // likewise
};

/// Runs a closed program. Every check of checked_engine.h is made, each operand's bytes are
/// compared before its task runs, and final contents with sequential execution; throws RuleBroken
/// when anything differs.
ThreadedResult run_threaded(const core::Program& program, const core::Machine& machine,
                            const ThreadedOptions& options = {});

}  // namespace parley::test
