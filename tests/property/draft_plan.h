// Plans for the policies of a draft that follow one: any order that respects the dependencies, any
// places that fit, and copies and evictions that may have nothing to do with the run.
#pragma once

#include "core/engine/engine.h"
#include "tests/property/random_problem.h"

namespace parley::test {

/// The draft's options, and whether the problem grows; with a plan, drawn from the draft's numbers,
/// if any of its policies needs one. Requires then: the program does not grow.
core::EngineOptions planned_options(const ProblemDraft& draft, const Problem& problem);

/// Whether any of the policies follows a plan.
bool needs_plan(const core::EngineOptions& options);

}  // namespace parley::test
