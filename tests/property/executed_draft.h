// Random drafts made fit for drivers that run programs for real, and disturbances of such runs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "exec/host/host_backend.h"
#include "tests/property/random_problem.h"

namespace parley::test {

/// The draft as an executing driver can run it: submitted as a whole, and its failure, if any, left
/// to the backend. Tasks that show values make runs pause.
ProblemDraft executable(ProblemDraft draft);

/// The same on a machine of one host and `gpus` GPUs.
ProblemDraft fitted(ProblemDraft draft, std::size_t gpus);

/// Makes commands slow (some of them, for microseconds) or fail, by their numbers and a seed alone.
/// `is_failing`: one command fails, and from time to time half of those that come after it.
exec::FaultInjector disturbance(std::uint64_t seed, const ProblemDraft& draft, bool is_failing);

}  // namespace parley::test
