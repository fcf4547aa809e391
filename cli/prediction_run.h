// Runs for real, and what the simulator says of them: a workload runs several times on a backend,
// then once more with every task and copy timed and every decision noted; it is simulated on the
// same machine under the same policies, under the decisions noted, and with the durations measured.
// How fast the host's threads are is measured beside each run, and simulated so.
// Where the first is wrong and the last is right, durations or decisions are to blame, and not the
// model of copies and of the host.
#pragma once

#include <atomic>
#include <cstdint>
#include <iosfwd>
#include <string>

#include "cli/report/prediction_row.h"
#include "cli/run_options.h"
#include "core/base/result.h"
#include "exec/backend.h"

namespace parley::cli {

inline constexpr std::size_t kMostRepeats = 3;
inline constexpr double kSureMedian = 0.03;  // uncertainty_of_median()

struct PredictionRun {
  std::string workload;  // as on the command line
  std::string backend;
  /// Untimed runs that count, and up to kMostRepeats times as many until their median is known to
  /// kSureMedian. One before them does not count.
  std::uint32_t repeat = 5;
  bool as_calibrated = false;  // the host is taken to be as fast as the machine says
  const std::atomic<bool>* interrupt = nullptr;
  std::ostream* journal = nullptr;  // gets the journal of the timed run, if there
};

/// Fills the figures of a row. Faults: what refuses to run, a run that fails, an interruption.
core::Result<PredictionRow> run_and_predict(const LoadedRun& loaded, const PredictionRun& run,
                                            exec::Backend& backend);

}  // namespace parley::cli
