// What a simulation says of runs for real, one row for each workload, machine and set of policies,
// as a table of text and as CSV; and what all rows say together.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "core/base/units.h"

namespace parley::cli {

/// Times are makespans. What is measured is the median of runs in which no single task was timed;
/// the timed run is one more, whose decisions and durations the simulator is told in turn.
struct PredictionRow {
  std::string workload, policies;
  std::uint32_t devices = 0;  // GPUs, real or virtual
  std::uint64_t tasks = 0;
  core::Duration measured, fastest, slowest;
  double host_slowdown = 1.0;        // median beside these runs: sim::SimOptions; 1: not measured
  double timed_host_slowdown = 1.0;  // beside the timed run
  core::Duration predicted;          // under the same policies, which may decide otherwise
  core::Duration timed;              // of the timed run
  core::Duration planned;            // predicted when the decisions are those of the timed run
  core::Duration retimed;            // the same, and every task takes what it took there
  core::Duration task_time, predicted_task_time;      // sums over all tasks, timed and planned
  core::Bytes bytes, predicted_bytes, planned_bytes;  // copied
  std::uint64_t same_device = 0;  // tasks that timed and predicted run put on the same devices
  std::string fault;              // why there are no figures; "" when there are
};

void write_csv(const std::vector<PredictionRow>& rows, std::ostream& stream);
void print(const std::vector<PredictionRow>& rows, std::ostream& stream);

/// The mean of the two in the middle of an even number; 0 of none.
double median_of(std::vector<double> values);

/// Over all rows that ran; errors are relative, 0.1 is 10 %.
struct PredictionSummary {
  std::size_t rows = 0, long_rows = 0;
  double median_error = 0.0;        // of absolute errors
  double worst_error = 0.0;         // of rows of at least `long_run`
  double median_planned = 0.0;      // of `planned` against `timed`
  double median_retimed = 0.0;      // of `retimed` against `timed`
  std::size_t exact_bytes = 0;      // rows whose planned bytes are those of the timed run
  std::size_t pairs = 0, kept = 0;  // policies of one workload, measured clearly apart; order kept
};
inline constexpr core::Duration kLongRun{50'000'000};
inline constexpr double kClearlyApart = 0.05;
PredictionSummary summary_of(const std::vector<PredictionRow>& rows);

}  // namespace parley::cli
