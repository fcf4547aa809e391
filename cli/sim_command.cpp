// parley sim: one simulated run, reported as text and as files.
#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/exec_machine.h"
#include "cli/model_options.h"
#include "cli/progress_line.h"
#include "cli/report/run_result.h"
#include "cli/run_files.h"
#include "cli/run_options.h"
#include "core/base/check.h"
#include "sim/simulator.h"

namespace parley::cli {
namespace {

constexpr const char* kSimHelp = R"(Examples:
  parley sim cholesky:tiles=32,tile=2048 --machine h200x4
  parley sim program.json --mapper round_robin --window unlimited --summary run.json
  parley sim program.json --limit gpu=2GiB --evict next_use     too little memory: what is evicted?
  parley sim lesson.json --machine h200x1 --overview            states after each task that shows any
  parley sim program.json --trace run.trace.json                open it in https://ui.perfetto.dev
  parley sim program.json --journal run.jsonl && parley replay run.jsonl
  parley sim program.json --durations run.jsonl --mapper round_robin    what each task took there
  parley sim program.json --noise lognormal:sigma=0.2 --seed 7          durations vary by the seed

Files are complete or absent. FILE may be "-" for standard output (then without the report).
Policies take parameters: --mapper parla:generation=2. All of them: parley list policies.)";

struct SimArguments {
  RunOptions run;
  std::optional<std::uint32_t> devices;
  ModelOptions model;
  OutputOptions output;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Runs the program; the journal is complete up to the fault when a rule is broken.
core::Result<sim::SimResult> simulate(const SimArguments& arguments, const LoadedRun& loaded,
                                      sim::SimOptions options, RunFiles& files,
                                      Terminal& terminal) {
  options.engine = loaded.engine;
  // Nothing else names what was copied.
  options.record_boxes = !arguments.output.trace.empty() ||
                         (!arguments.output.summary.empty() && !arguments.output.is_brief);
  options.record_residency = !arguments.output.trace.empty() || arguments.output.with_states;
  ProgressLine progress(terminal, "tasks");
  options.progress = [&](std::size_t done, std::size_t total) { progress.update(done, total); };
  const core::Result<core::StepObserver*> observer =
      files.begin_journal(loaded, arguments.run.workload, {"sim", ""});
  if (!observer) return observer.faults();
  options.observer = *observer;
  try {
    core::Result<sim::SimResult> result = sim::simulate(loaded.program, loaded.machine, options);
    if (result) {
      files.end_journal();
    } else {
      files.end_journal_of(result.faults());
    }
    return result;
  } catch (const core::InvariantViolation& violation) {
    files.end_journal(violation.what());
    throw;
  }
}

int run_sim(const SimArguments& arguments, Terminal& terminal) {
  const auto start = std::chrono::steady_clock::now();
  core::Faults faults = check_model(arguments.model);
  core::Result<LoadedRun> loaded = load_run(arguments.run, [&] {
    return described_machine({arguments.run.machine, arguments.devices, arguments.run.limits});
  });
  append(faults, loaded.faults());
  if (!faults.empty()) return report_faults(terminal, faults);
  loaded->engine.record_states = arguments.output.with_states;
  sim::SimOptions options;
  std::vector<std::string> warnings;
  faults = apply_model(arguments.model, loaded->program, loaded->machine, options, warnings);
  if (!faults.empty()) return report_faults(terminal, faults);
  core::Result<RunFiles> files = RunFiles::open(arguments.output, arguments.run, terminal);
  if (!files) return report_faults(terminal, files.faults());
  WallTimes wall;
  wall.load_s = seconds_since(start);

  const auto run_start = std::chrono::steady_clock::now();
  const core::Result<sim::SimResult> simulation =
      simulate(arguments, *loaded, std::move(options), *files, terminal);
  if (!simulation) return report_faults(terminal, simulation.faults());
  wall.run_s = seconds_since(run_start);

  RunResult result = run_result(loaded->program, loaded->machine, loaded->engine, *simulation);
  result.model = model_choice(arguments.model);
  files->write(result, wall);
  warnings.insert(warnings.end(), simulation->warnings.begin(), simulation->warnings.end());
  print_warnings(loaded->program, loaded->machine, warnings, *simulation->engine, terminal);
  files->print(result, wall, terminal);
  return files->check(terminal);
}

}  // namespace

void add_sim_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<SimArguments>();
  CLI::App& command = *app.add_subcommand("sim", "simulate a workload on a machine");
  add_run_options(command, arguments->run);
  command.add_option("--devices", arguments->devices, "the machine's first N GPUs only [all]")
      ->type_name("N");
  add_model_options(command, arguments->model);
  add_output_options(command, arguments->output, arguments->run.engine);
  command.footer(kSimHelp);
  command.callback([arguments, &action] {
    action = [arguments](Terminal& terminal) { return run_sim(*arguments, terminal); };
  });
}

}  // namespace parley::cli
