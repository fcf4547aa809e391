// What `parley sim` says of a run to a person: makespan against its lower bounds, what moved over
// which links, how busy the devices were.
#pragma once

#include <ostream>

#include "cli/report/run_result.h"

namespace parley::cli {

void print_report(const RunResult& result, std::ostream& stream);

/// Where each task ran, in order of issue, each followed by what it shows (the lessons' form).
void print_overviews(const RunResult& result, std::ostream& stream);

/// "work" for the largest of the bounds; "" when all are 0.
const char* name_of_best(const sim::Bounds& bounds);

}  // namespace parley::cli
