// The parts of the model of Parla that look for problems. Each reports what it finds to a sink, in
// the order in which the tasks are run.
#pragma once

#include <functional>

#include "workloads/check/parla_model.h"
#include "workloads/check/parla_workload.h"

namespace parley::workloads {

/// A finding of `generation`, and the number of the access among its task's.
using ParlaSink =
    std::function<void(ParlaGeneration generation, std::size_t access, ParlaFinding finding)>;

/// Runs the protocol over the tasks: stale reads, needless copies, failures.
void run_protocol(const ParlaWorkload& workload, ParlaGeneration generation, const ParlaSink& sink);

/// Prefetches that wait for no task behind the last writer of what they bring from elsewhere.
void find_prefetch_holes(const ParlaWorkload& workload, const ParlaSink& sink);

/// The first use of each slice that overlaps one used before, one of them being written.
void find_overlaps(const ParlaWorkload& workload, const ParlaSink& sink);

}  // namespace parley::workloads
