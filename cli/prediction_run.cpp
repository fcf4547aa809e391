#include "cli/prediction_run.h"

#include <cstdint>
#include <memory>
#include <sstream>
#include <utility>
#include <vector>

#include "cli/journal/journal_writer.h"
#include "cli/journal/kept_steps.h"
#include "cli/plan/journal_plan.h"
#include "cli/plan/plan_names.h"
#include "cli/report/prediction.h"
#include "cli/report/spread.h"
#include "cli/report/varied_simulation.h"
#include "exec/calibrate/calibration.h"
#include "exec/calibrate/host_speed.h"
#include "exec/executor.h"
#include "sim/simulator.h"

namespace parley::cli {
namespace {

using core::Duration;

Duration makespan(const core::RunRecord& run) { return run.makespan - core::Time(0); }

core::Bytes bytes_copied(const core::RunRecord& run) {
  core::Bytes sum;
  for (const core::CopyRecord& copy : run.copies) sum += copy.bytes;
  return sum;
}

Duration task_time(const core::RunRecord& run) {
  Duration sum(0);
  for (const core::TaskRecord& task : run.tasks) sum += task.end - task.start;
  return sum;
}

core::Result<core::RunRecord> execute_once(const LoadedRun& loaded, const PredictionRun& run,
                                           exec::Backend& backend, core::StepObserver* observer) {
  exec::ExecOptions options;
  options.engine = loaded.engine;
  options.record_commands = observer != nullptr;
  options.keep_contents = false;
  options.interrupt = run.interrupt;
  options.observer = observer;
  core::Result<exec::ExecResult> result =
      exec::execute(loaded.program, loaded.machine, options, backend);
  if (!result) return result.faults();
  if (result->is_interrupted) return core::Fault{"execution", "interrupted"};
  if (!result->stopped.empty()) return core::Fault{"execution", result->stopped};
  if (!result->failures.empty()) return core::Fault{"execution", result->failures.front().cause};
  return std::move(result->run);
}

core::Result<double> slowdown_now(const LoadedRun& loaded, const PredictionRun& run,
                                  exec::Backend& backend) {
  if (run.as_calibrated || run.backend != "cuda") return 1.0;
  return exec::host_slowdown(loaded.machine, exec::run_on(backend));
}

/// Sets measured, fastest, slowest and the host's speed beside them.
core::Faults measure(const LoadedRun& loaded, const PredictionRun& run, exec::Backend& backend,
                     PredictionRow& row) {
  std::vector<std::int64_t> times;  // nanoseconds
  std::vector<double> slowdowns;
  const auto has_enough = [&] {
    return times.size() >= run.repeat && (times.size() >= kMostRepeats * run.repeat ||
                                          uncertainty_of_median(spread_of(times)) <= kSureMedian);
  };
  for (std::uint32_t i = 0; !has_enough(); ++i) {
    const core::Result<core::RunRecord> record = execute_once(loaded, run, backend, nullptr);
    if (!record) return record.faults();
    if (i == 0) continue;
    times.push_back(makespan(*record).count());
    const core::Result<double> slowdown = slowdown_now(loaded, run, backend);
    if (!slowdown) return slowdown.faults();
    slowdowns.push_back(*slowdown);
  }
  row.timed_host_slowdown = slowdowns.back();  // before the timed run
  row.host_slowdown = median_of(std::move(slowdowns));
  const Spread spread = spread_of(std::move(times));
  row.measured = Duration(spread.median);
  row.fastest = Duration(spread.least);
  row.slowest = Duration(spread.most);
  return {};
}

struct TimedRun {
  core::RunRecord record;
  core::Plan plan;
};

core::Result<TimedRun> run_timed(const LoadedRun& loaded, const PredictionRun& run,
                                 exec::Backend& backend) {
  const core::Result<std::string> embedded = embedded_workload(run.workload);
  if (!embedded) return embedded.faults();
  KeptSteps steps;
  core::Result<core::RunRecord> record = execute_once(loaded, run, backend, &steps);
  if (!record) return record.faults();
  std::stringstream journal;
  JournalWriter writer(loaded.program, loaded.machine, loaded.engine, {"exec", run.backend},
                       *embedded, journal);
  steps.tell(writer);
  if (run.journal != nullptr) *run.journal << journal.view();
  PlanNames names(loaded.program, loaded.machine, "the run's own journal");
  std::string header;
  std::getline(journal, header);
  core::Plan plan = plan_of_journal(journal, names);
  if (!names.faults().empty()) return names.faults();
  return TimedRun{std::move(*record), std::move(plan)};
}

}  // namespace

core::Result<PredictionRow> run_and_predict(const LoadedRun& loaded, const PredictionRun& run,
                                            exec::Backend& backend) {
  PredictionRow row;
  row.tasks = loaded.program.task_count();
  core::Faults faults = measure(loaded, run, backend, row);
  if (!faults.empty()) return faults;
  core::Result<TimedRun> timed = run_timed(loaded, run, backend);
  if (!timed) return timed.faults();
  const core::Result<double> slowdown = slowdown_now(loaded, run, backend);
  if (!slowdown) return slowdown.faults();
  row.timed_host_slowdown = (row.timed_host_slowdown + *slowdown) / 2.0;
  row.timed = makespan(timed->record);
  row.bytes = bytes_copied(timed->record);
  row.task_time = task_time(timed->record);

  sim::SimOptions options;
  options.engine = loaded.engine;
  options.as_executed = true;
  options.has_power = true;  // if the machine states it
  options.host_slowdown = row.host_slowdown;
  core::Result<VariedRun> free = simulate_varied(loaded.program, loaded.machine, options);
  if (!free) return free.faults();
  row.predicted = makespan(free->result.run);
  row.predicted_bytes = bytes_copied(free->result.run);
  const Prediction compared = compare_runs(loaded.program, loaded.machine, timed->record,
                                           std::move(free->result.run), core::Time(0));
  row.same_device = compared.same_device;

  for (std::string* policy :
       {&options.engine.mapper, &options.engine.order, &options.engine.prefetch,
        &options.engine.evict, &options.engine.source}) {
    policy->clear();  // all as planned
  }
  options.host_slowdown = row.timed_host_slowdown;
  impose_plan(std::make_shared<const core::Plan>(std::move(timed->plan)), options.engine);
  const core::Result<sim::SimResult> planned =
      sim::simulate(loaded.program, loaded.machine, options);
  if (!planned) return planned.faults();
  row.planned = makespan(planned->run);
  row.planned_bytes = bytes_copied(planned->run);
  row.predicted_task_time = task_time(planned->run);
  options.recorded_durations = measured_durations(loaded.program, timed->record);
  const core::Result<sim::SimResult> retimed =
      sim::simulate(loaded.program, loaded.machine, options);
  if (!retimed) return retimed.faults();
  row.retimed = makespan(retimed->run);
  return row;
}

}  // namespace parley::cli
