#include "cli/exec_run.h"

#include <atomic>
#include <chrono>
#include <numeric>
#include <utility>
#include <vector>

#include "cli/crash_report.h"
#include "cli/interrupt.h"
#include "cli/progress_line.h"
#include "cli/report/execution.h"
#include "cli/report/prediction.h"
#include "cli/report/run_result.h"
#include "cli/report/varied_simulation.h"
#include "core/base/check.h"
#include "exec/calibrate/calibration.h"
#include "exec/calibrate/host_speed.h"
#include "exec/executor.h"
#include "exec/verify/verification.h"
#include "sim/simulator.h"

namespace parley::cli {
namespace {

/// Below the lower bound by this share of it, measuring cannot be to blame any more.
constexpr double kClearlyFaster = 0.1;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

core::Faults check_arguments(const ExecArguments& arguments) {
  core::Faults faults;
  if (arguments.repeat == 0) faults.push_back({"--repeat", "found 0; allowed: 1 or more"});
  if (arguments.streams.value_or(1) == 0)
    faults.push_back({"--streams", "found 0; allowed: 1 or more"});
  constexpr std::uint32_t kMostPerGpu = 16;  // each has streams, and memory for libraries
  const std::uint32_t per_gpu = arguments.devices_per_gpu.value_or(1);
  if (per_gpu == 0 || per_gpu > kMostPerGpu) {
    faults.push_back({"--devices-per-gpu", "found " + std::to_string(per_gpu) + "; allowed: 1 to " +
                                               std::to_string(kMostPerGpu)});
  } else if (per_gpu > 1 && arguments.predicts) {
    faults.push_back({"--devices-per-gpu", "--predict simulates no GPU that others share"});
  }
  const std::pair<bool, const char*> need_times[] = {
      {arguments.predicts, "--predict"},
      {arguments.verifies, "--verify"},
      {!arguments.output.trace.empty(), "--trace"},
      {arguments.output.with_overviews, "--overview"}};
  for (const auto& [is_asked, option] : need_times) {
    if (!arguments.is_untimed || !is_asked) continue;
    faults.push_back({"--untimed", std::string(option) + " needs the list of tasks and copies"});
  }
  if (arguments.as_calibrated && !arguments.predicts) {
    faults.push_back({"--as-calibrated", "counts with --predict only"});
  }
  if (arguments.repeat > 1 && arguments.output.journal == "-") {
    faults.push_back({"--repeat", "a journal on standard output can hold one run only"});
  }
  return faults;
}

core::Result<LoadedRun> load(const ExecArguments& arguments, const Computer& computer) {
  core::Result<LoadedRun> loaded = load_run(arguments.run, [&] {
    return choose_machine(
        {arguments.run.machine, arguments.devices, arguments.run.limits, arguments.streams},
        computer);
  });
  if (!loaded) return loaded;
  loaded->engine.record_states = arguments.output.with_states;
  loaded->engine = exec::executed_options(loaded->program, loaded->engine);
  return loaded;
}

/// One run for real and all that is made of it.
class ExecRun {
 public:
  ExecRun(const ExecArguments& arguments, const LoadedRun& loaded, exec::Backend& backend,
          RunFiles& files, Terminal& terminal)
      : arguments_(arguments),
        loaded_(loaded),
        backend_(backend),
        files_(files),
        terminal_(terminal) {}

  /// Faults: what refuses to run at all.
  core::Result<exec::ExecResult> run();
  /// Verifies, predicts, writes and prints. Returns the exit code.
  int report(const exec::ExecResult& result, WallTimes wall);
  /// Wall time of run() that was spent on something else than running, seconds.
  [[nodiscard]] double beside_s() const { return beside_s_; }

 private:
  core::Result<exec::ExecResult> run_once();
  /// None when a signal came first.
  [[nodiscard]] std::optional<exec::VerificationReport> verify(
      const exec::ExecResult& result) const;
  void measure_host();
  [[nodiscard]] Prediction predict(const exec::ExecResult& result) const;
  [[nodiscard]] int exit_code(const Execution& execution);

  const InterruptGuard guard_;  // until all is reported and written
  const CrashReport crash_report_;
  const ExecArguments& arguments_;
  const LoadedRun& loaded_;
  exec::Backend& backend_;
  RunFiles& files_;
  Terminal& terminal_;
  std::vector<core::Time> makespans_;
  std::vector<double> host_slowdowns_;  // before and after the last run
  double beside_s_ = 0.0;               // wall time that measuring them took
};

/// For the journal's last line; "" when the run went through.
std::string reason_to_stop(const exec::ExecResult& result) {
  if (result.is_interrupted) return "interrupted";
  if (!result.stopped.empty()) return "the run was stopped: " + result.stopped;
  return result.failures.empty() ? "" : "a command failed: " + result.failures.front().cause;
}

core::Result<exec::ExecResult> ExecRun::run() {
  for (std::uint32_t i = 1;; ++i) {
    if (i == arguments_.repeat) measure_host();  // the last one is compared
    core::Result<exec::ExecResult> result = run_once();
    if (!result) return result;
    if (result->is_finished()) makespans_.push_back(result->run.makespan);
    if (i < arguments_.repeat && result->is_finished()) continue;
    files_.end_journal(reason_to_stop(*result));
    if (i == arguments_.repeat && result->is_finished()) measure_host();
    return result;
  }
}

/// Beside the run that is predicted, on GPUs. A graph's launches need no threads.
void ExecRun::measure_host() {
  const bool is_asked = arguments_.predicts && !arguments_.as_calibrated;
  if (!is_asked || arguments_.backend != "cuda" || arguments_.uses_graph) return;
  const auto start = Clock::now();
  const core::Result<double> slowdown =
      exec::host_slowdown(loaded_.machine, exec::run_on(backend_));
  beside_s_ += seconds_since(start);
  if (slowdown) {
    host_slowdowns_.push_back(*slowdown);
  } else {  // the run counts, and not what it is compared with
    terminal_.err << "warning: how fast the host is could not be measured: "
                  << slowdown.faults().front().what << '\n';
  }
}

/// The journal is complete up to the fault when a rule is broken.
core::Result<exec::ExecResult> ExecRun::run_once() {
  exec::ExecOptions options;
  options.engine = loaded_.engine;
  options.record_commands = !arguments_.is_untimed;
  options.record_residency = !arguments_.output.trace.empty() || arguments_.output.with_states;
  options.keep_contents =
      arguments_.verifies || (!arguments_.output.summary.empty() && !arguments_.output.is_brief);
  options.interrupt = &guard_.flag();
  ProgressLine progress(terminal_, "tasks");
  options.progress = [&](std::size_t done, std::size_t total) { progress.update(done, total); };
  const core::Result<core::StepObserver*> observer =
      files_.begin_journal(loaded_, arguments_.run.workload, {"exec", arguments_.backend});
  if (!observer) return observer.faults();
  options.observer = *observer;
  try {
    return exec::execute(loaded_.program, loaded_.machine, options, backend_);
  } catch (const core::InvariantViolation& violation) {
    files_.end_journal(violation.what());
    throw;
  }
}

std::optional<exec::VerificationReport> ExecRun::verify(const exec::ExecResult& result) const {
  struct Interrupted {};
  exec::VerifyOptions options;
  ProgressLine progress(terminal_, "tasks verified");
  options.progress = [&](std::size_t done, std::size_t total) {
    if (guard_.flag()) throw Interrupted();
    progress.update(done, total);
  };
  try {
    return exec::verify(loaded_.program, result, options);
  } catch (const Interrupted&) {
    return std::nullopt;
  }
}

Prediction ExecRun::predict(const exec::ExecResult& result) const {
  sim::SimOptions options;
  options.engine = loaded_.engine;
  options.as_executed = true;
  options.has_power = true;  // if the machine states it
  if (!host_slowdowns_.empty()) {
    options.host_slowdown = std::accumulate(host_slowdowns_.begin(), host_slowdowns_.end(), 0.0) /
                            static_cast<double>(host_slowdowns_.size());
  }
  auto simulated = simulate_varied(loaded_.program, loaded_.machine, options);
  options.recorded_durations = measured_durations(loaded_.program, result.run);
  const auto retimed = sim::simulate(loaded_.program, loaded_.machine, options);
  PARLEY_CHECK(simulated && retimed, "what was executed cannot be simulated");
  Prediction prediction = compare_runs(loaded_.program, loaded_.machine, result.run,
                                       std::move(simulated->result.run), retimed->run.makespan);
  prediction.noise_seed = simulated->noise_seed;
  prediction.host_slowdown = options.host_slowdown;
  for (const std::string& warning : simulated->result.warnings) {
    terminal_.err << "warning: predicted: " << warning << '\n';
  }
  return prediction;
}

/// Says what went wrong.
int ExecRun::exit_code(const Execution& execution) {
  if (!execution.result.is_finished()) return kFailedExecution;
  int code = kOk;
  for (const exec::FailedExpectation& failed : execution.result.failed_expectations) {
    terminal_.err << expectation_text(loaded_.program, failed) << '\n';
    code = kFailedVerification;
  }
  if (execution.verification && !execution.verification->holds) {
    for (const std::string& difference : execution.verification->differences) {
      terminal_.err << "verification failed: " << difference << '\n';
    }
    code = kFailedVerification;
  }
  return code;
}

int ExecRun::report(const exec::ExecResult& executed, WallTimes wall) {
  wall.setup_s = executed.setup_s;
  Execution execution{arguments_.backend, executed, values_by_overview(loaded_.program, executed),
                      makespans_};
  execution.tasks_finished = arguments_.is_untimed ? executed.engine->statistics().tasks_finished
                                                   : executed.run.tasks.size();
  if (arguments_.verifies && executed.is_finished()) {
    const auto start = Clock::now();
    execution.verification = verify(executed);
    wall.verify_s = seconds_since(start);
  }
  const bool is_unverified = arguments_.verifies && !execution.verification;
  const bool is_unpredicted = arguments_.predicts && (!executed.is_finished() || guard_.flag());
  std::optional<Prediction> prediction;
  if (arguments_.predicts && executed.is_finished() && !is_unpredicted) {
    prediction = predict(executed);
    if (arguments_.run.machine.empty()) {
      terminal_.err << "warning: predicted with default rates; parley calibrate measures those of "
                       "this computer\n";
    }
  }
  if (prediction) execution.prediction = &*prediction;
  // Default machines have no rates that a bound could be taken from.
  std::optional<sim::Bounds> bounds;
  if (!arguments_.run.machine.empty()) {
    bounds = sim::lower_bounds(loaded_.program, loaded_.machine);
  }
  const RunResult result =
      run_result(loaded_.program, loaded_.machine, loaded_.engine, executed, execution, bounds);
  files_.write(result, wall);
  print_warnings(loaded_.program, loaded_.machine, executed.warnings, *executed.engine, terminal_);
  if (bounds && executed.is_finished() &&
      above_bound(result.run.makespan, *bounds) < -kClearlyFaster) {
    terminal_.err << "warning: faster than the lower bound: the rates of the machine or the costs "
                     "that tasks state are not those of this computer (parley calibrate)\n";
  }
  print_failures(result, terminal_.err);
  files_.print(result, wall, terminal_);
  int code = exit_code(execution);
  for (const auto& [is_left_out, what] :
       {std::pair(is_unverified, "verification"), std::pair(is_unpredicted, "prediction")}) {
    if (!is_left_out) continue;
    terminal_.err << what
                  << (executed.is_finished() ? ": interrupted\n"
                                             : ": left out, as the run ended early\n");
    code = kFailedExecution;
  }
  return files_.check(terminal_) == kOk ? code : static_cast<int>(kFailedExecution);
}

}  // namespace

int run_exec(const ExecArguments& arguments, const Computer& computer,
             const MakeBackend& make_backend, Terminal& terminal) {
  const auto start = Clock::now();
  const core::Faults faults = check_arguments(arguments);
  if (!faults.empty()) return report_faults(terminal, faults);
  const core::Result<LoadedRun> loaded =
      load(arguments, with_devices_per_gpu(computer, arguments.devices_per_gpu.value_or(1)));
  if (!loaded) return report_faults(terminal, loaded.faults());
  core::Result<RunFiles> files = RunFiles::open(arguments.output, arguments.run, terminal);
  if (!files) return report_faults(terminal, files.faults());
  const core::Result<std::unique_ptr<exec::Backend>> backend = make_backend();
  if (!backend) return report_faults(terminal, backend.faults());
  WallTimes wall;
  wall.load_s = seconds_since(start);

  const auto run_start = Clock::now();
  ExecRun run(arguments, *loaded, **backend, *files, terminal);
  const core::Result<exec::ExecResult> result = run.run();
  if (!result) {
    const int code = report_faults(terminal, result.faults());
    const bool is_environment = result.faults().front().where == exec::kEnvironmentFault;
    return is_environment ? static_cast<int>(kFailedExecution) : code;
  }
  wall.run_s = seconds_since(run_start) - run.beside_s();
  return run.report(*result, wall);
}

}  // namespace parley::cli
