// A run for real beside the simulation of the same program on the same machine under the same
// policies: how far apart makespans, classes of tasks and bytes are. Times that the simulator gives
// when it is told the measured durations separate errors of durations from errors of the model of
// copies, of the host and of decisions.
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>

#include "cli/report/json_writer.h"
#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/graph/program.h"
#include "core/journal/run_record.h"
#include "core/machine/machine.h"

namespace parley::cli {

/// Sums over the tasks of a class: those with the same kernel or, without one, of the same name up
/// to its first index.
struct ClassPrediction {
  std::uint64_t tasks = 0;
  core::Duration measured, predicted;
};

struct BytesPrediction {
  core::Bytes measured, predicted;
};

struct Prediction {
  core::RunRecord simulated;  // lists tasks and copies
  core::Time measured, predicted;
  double host_slowdown = 1.0;    // with which it was simulated: sim::SimOptions
  std::uint64_t noise_seed = 0;  // of `simulated` (varied_simulation.h)
  core::Time retimed;            // predicted with the measured duration of every task
  std::map<std::string, ClassPrediction> classes;
  std::map<std::string, BytesPrediction> bytes;  // by "from->to"
  std::uint64_t tasks = 0, same_device = 0;      // tasks that both runs put on the same devices
};

/// Relative error of a prediction: 0.1 is 10% too long. 0 when both are 0, infinite when only
/// `measured` is.
double prediction_error(std::int64_t measured, std::int64_t predicted);

/// Measured durations by task, for SimOptions::recorded_durations; -1 ns for tasks that did not
/// end.
core::IdVector<core::TaskId, core::Duration> measured_durations(const core::Program& program,
                                                                const core::RunRecord& run);

/// All records list their tasks and copies. `retimed`: makespan of the simulation with measured
/// durations.
Prediction compare_runs(const core::Program& program, const core::Machine& machine,
                        const core::RunRecord& measured, core::RunRecord predicted,
                        core::Time retimed);

void print_prediction(const Prediction& prediction, std::ostream& stream);
/// The member "prediction" of the summary. `with_run`: the simulated run as well, row by row.
void write_prediction(const core::Program& program, const core::Machine& machine,
                      const Prediction& prediction, bool with_run, JsonWriter& json);

}  // namespace parley::cli
