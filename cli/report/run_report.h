// What `parley sim` and `parley exec` say of a run to a person: makespan against its lower bounds,
// what moved over which links, how busy the devices were.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>

#include "cli/report/run_result.h"

namespace parley::cli {

void print_report(const RunResult& result, std::ostream& stream);

/// Where each task ran, in order of issue, each followed by what it shows (the lessons' form).
void print_overviews(const RunResult& result, std::ostream& stream);

/// Values that belong to an overview (its position); nullptr where there are none.
const exec::ShownValues* shown_values(const RunResult& result, std::size_t overview);

/// An overview as the task asked for it, with its values where there are any.
std::string shown_text(const RunResult& result, std::size_t overview);

/// "work" for the largest of the bounds; "" when all are 0.
const char* name_of_best(const sim::Bounds& bounds);

}  // namespace parley::cli
