// The run summary ("parley-summary", version 1): one JSON object with all figures of a run. The
// same run gives the same bytes; only "wall_s", written on request, differs. Runs for real also
// have values, failures, digests of final contents: see execution.h.
#pragma once

#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include "cli/report/run_result.h"

namespace parley::cli {

struct WallTimes {
  double load_s = 0.0;
  std::optional<double> setup_s, verify_s;  // executed runs: memory and contents; --verify
  double run_s = 0.0;

  /// In the order in which they pass.
  [[nodiscard]] std::vector<std::pair<const char*, double>> parts() const;
};

struct SummaryOptions {
  bool is_brief = false;        // without "tasks", "copy_list", "copy_reasons" and "final"
  bool with_residency = false;  // "residency": the record's samples
  std::optional<WallTimes> wall;
};

/// Rows of "tasks" are in order of their starts (then of their commands), as are those of
/// "copy_list"; "copy_reasons" has one word for each of its rows. "states" is written when state
/// changes were recorded.
void write_summary(const RunResult& result, const SummaryOptions& options, std::ostream& stream);

}  // namespace parley::cli
