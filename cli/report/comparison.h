// Figures of many runs side by side: a text table, CSV, and JSON ("parley-comparison", version 1).
#pragma once

#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "cli/report/run_result.h"

namespace parley::cli {

/// One run. Workload and machine as the command line names them.
struct ComparisonRow {
  std::string workload, machine, policy_text;
  std::int64_t gpu_bytes = 0;  // memory of a GPU, where it is varied; else 0
  PolicyChoice policies;
  bool writes_back_early = false;
  std::uint32_t window = 0;  // 0: unlimited
  std::uint64_t seed = 0;
  ModelChoice model;
  std::vector<std::string> warnings;
  std::string error;  // not empty: the run failed, and there are no figures
  std::int64_t makespan_ns = 0;
  sim::Bounds bounds;
  double above_bound = 0.0;                           // 0.25: 25% above the largest bound
  std::map<std::string, std::int64_t> link_bytes;     // by kind of link
  std::map<std::string, std::int64_t> bytes_by_kind;  // "host->device", ..., "write-back"
  std::uint64_t copies = 0, evictions = 0, refetches = 0;
  std::int64_t written_back_bytes = 0;
  std::vector<std::pair<std::string, double>> busy;  // by device, in the machine's order
  double mean_busy = 0.0;  // over the devices that are not CPUs (all, when there are only CPUs)
};

/// All figures of a run that succeeded.
ComparisonRow comparison_row(const RunResult& result);

/// One block per workload, machine and memory size; a line per set of policies, the best median
/// makespan first (equal ones as given), failures last. Repetitions (rows that differ in the seed
/// only) are one line, with the quartiles and the range of their makespans; the files have both,
/// the rows and what they come to.
void print_comparison(const std::vector<ComparisonRow>& rows, std::ostream& stream);
void write_comparison_csv(const std::vector<ComparisonRow>& rows, std::ostream& stream);
void write_comparison_json(const std::vector<ComparisonRow>& rows, std::ostream& stream);

}  // namespace parley::cli
