// The plan that a journal holds: every launch, prefetch, source and eviction, in order.
#pragma once

#include <istream>

#include "cli/plan/plan_names.h"
#include "core/policy/plan.h"

namespace parley::cli {

/// `journal`: behind its first line. Faults, a run that ended early among them, are left in
/// `names`.
core::Plan plan_of_journal(std::istream& journal, PlanNames& names);

}  // namespace parley::cli
