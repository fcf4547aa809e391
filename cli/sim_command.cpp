// parley sim: one simulated run, reported as text and as files.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "cli/command.h"
#include "cli/journal/journal_writer.h"
#include "cli/output_file.h"
#include "cli/progress_line.h"
#include "cli/report/quantities.h"
#include "cli/report/run_report.h"
#include "cli/report/run_result.h"
#include "cli/report/summary.h"
#include "cli/report/trace.h"
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

Files are complete or absent. FILE may be "-" for standard output (then without the report).
Policies take parameters: --mapper parla:generation=2. All of them: parley list policies.)";

struct SimArguments {
  RunOptions run;
  std::string summary, trace, journal;
  bool is_brief = false;
  bool with_states = false;
  bool with_overviews = false;
  bool with_timing = false;
};

/// The files that a run writes, opened before it starts.
struct Outputs {
  std::unique_ptr<OutputFile> summary, trace, journal;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

bool writes_to_terminal(const SimArguments& arguments) {
  return arguments.summary == "-" || arguments.trace == "-" || arguments.journal == "-";
}

/// Two outputs of one name, or an output over an input, would destroy one of them.
core::Faults check_paths(const SimArguments& arguments) {
  const std::pair<const char*, const std::string&> files[] = {{"--summary", arguments.summary},
                                                              {"--trace", arguments.trace},
                                                              {"--journal", arguments.journal}};
  core::Faults faults;
  for (std::size_t i = 0; i < std::size(files); ++i) {
    const auto& [option, path] = files[i];
    if (path.empty()) continue;
    if (path == arguments.run.workload || path == arguments.run.machine) {
      faults.push_back({option, "\"" + path + "\" is an input of this run"});
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (files[j].second != path) continue;
      faults.push_back({option, "\"" + path + "\" is also the file of " + files[j].first});
    }
  }
  return faults;
}

core::Result<Outputs> open_outputs(const SimArguments& arguments, Terminal& terminal) {
  Outputs outputs;
  core::Faults faults;
  const std::pair<const std::string&, std::unique_ptr<OutputFile>&> wanted[] = {
      {arguments.summary, outputs.summary},
      {arguments.trace, outputs.trace},
      {arguments.journal, outputs.journal}};
  for (const auto& [path, file] : wanted) {
    if (path.empty()) continue;
    core::Result<std::unique_ptr<OutputFile>> opened = OutputFile::create(path, terminal);
    if (opened) {
      file = std::move(*opened);
    } else {
      append(faults, opened.faults());
    }
  }
  if (!faults.empty()) return faults;
  return outputs;
}

void print_warnings(const core::Program& program, const core::Machine& machine,
                    const sim::SimResult& simulation, Terminal& terminal) {
  for (const std::string& warning : simulation.warnings) {
    terminal.err << "warning: " << warning << '\n';
  }
  constexpr std::size_t kMostThrashing = 3;
  for (const core::Thrashing& thrashing : simulation.engine->thrashing(kMostThrashing)) {
    terminal.err << "warning: thrashing: " << program.region_text(thrashing.region)
                 << " was evicted from " << machine.space(thrashing.space).name
                 << " and fetched again " << text_of_count(thrashing.times)
                 << (thrashing.times == 1 ? " time\n" : " times\n");
  }
}

/// Runs the program; the journal is complete up to the fault when a rule is broken.
core::Result<sim::SimResult> simulate(const SimArguments& arguments, const LoadedRun& loaded,
                                      OutputFile* journal_file, Terminal& terminal) {
  sim::SimOptions options;
  options.engine = loaded.engine;
  options.record_residency = !arguments.trace.empty() || arguments.with_states;
  ProgressLine progress(terminal, "tasks");
  options.progress = [&](std::size_t done, std::size_t total) { progress.update(done, total); };
  std::optional<JournalWriter> journal;
  if (journal_file != nullptr) {
    const core::Result<std::string> workload = embedded_workload(arguments.run.workload);
    if (!workload) return workload.faults();
    journal.emplace(loaded.program, loaded.machine, loaded.engine, *workload,
                    journal_file->stream());
    options.observer = &*journal;
  }
  try {
    core::Result<sim::SimResult> result = sim::simulate(loaded.program, loaded.machine, options);
    if (result && journal_file != nullptr) journal_file->commit();
    return result;
  } catch (const core::InvariantViolation& violation) {
    if (journal) {
      journal->write_stop(violation.what());
      journal_file->commit();
    }
    throw;
  }
}

void write_files(const SimArguments& arguments, const RunResult& result,
                 std::optional<WallTimes> wall, Outputs& outputs) {
  if (outputs.summary) {
    write_summary(result, {arguments.is_brief, arguments.with_states, wall},
                  outputs.summary->stream());
    outputs.summary->commit();
  }
  if (outputs.trace) {
    write_trace(result.program, result.machine, result.run, outputs.trace->stream());
    outputs.trace->commit();
  }
}

int run_sim(const SimArguments& arguments, Terminal& terminal) {
  const auto start = std::chrono::steady_clock::now();
  const core::Faults wrong_paths = check_paths(arguments);
  if (!wrong_paths.empty()) return report_faults(terminal, wrong_paths);
  core::Result<LoadedRun> loaded = load_run(arguments.run);
  if (!loaded) return report_faults(terminal, loaded.faults());
  loaded->engine.record_states = arguments.with_states;
  core::Result<Outputs> outputs = open_outputs(arguments, terminal);
  if (!outputs) return report_faults(terminal, outputs.faults());
  WallTimes wall{seconds_since(start), 0.0};

  const auto run_start = std::chrono::steady_clock::now();
  const core::Result<sim::SimResult> simulation =
      simulate(arguments, *loaded, outputs->journal.get(), terminal);
  if (!simulation) return report_faults(terminal, simulation.faults());
  wall.run_s = seconds_since(run_start);

  const RunResult result =
      run_result(loaded->program, loaded->machine, loaded->engine, *simulation);
  write_files(arguments, result, arguments.with_timing ? std::optional(wall) : std::nullopt,
              *outputs);
  print_warnings(loaded->program, loaded->machine, *simulation, terminal);
  if (writes_to_terminal(arguments)) return kOk;
  if (arguments.with_overviews) {
    print_overviews(result, terminal.out);
    terminal.out << '\n';
  }
  print_report(result, terminal.out);
  if (arguments.with_timing) {
    terminal.out << "\nWall time  load " << text_of(core::Duration(std::llround(wall.load_s * 1e9)))
                 << ", run " << text_of(core::Duration(std::llround(wall.run_s * 1e9))) << '\n';
  }
  return kOk;
}

}  // namespace

void add_sim_command(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<SimArguments>();
  CLI::App& command = *app.add_subcommand("sim", "simulate a workload on a machine");
  add_run_options(command, arguments->run);
  command.add_flag("--check", arguments->run.engine.check_invariants,
                   "check every rule of coherence and memory after every step");
  command.add_option("--summary", arguments->summary, "write the run summary")->type_name("FILE");
  command.add_flag("--summary-brief", arguments->is_brief,
                   "leave out of the summary the lists of tasks and copies");
  command.add_flag("--states", arguments->with_states,
                   "add to the summary the state of every array over time, and resident bytes");
  command.add_option("--trace", arguments->trace, "write a trace for Perfetto")->type_name("FILE");
  command.add_option("--journal", arguments->journal, "write events and commands, for replay")
      ->type_name("FILE");
  command.add_flag("--overview", arguments->with_overviews,
                   "print where each task runs, and what it shows");
  command.add_flag("--timing", arguments->with_timing,
                   "print, and add to the summary, the time that parley itself took");
  command.footer(kSimHelp);
  command.callback([arguments, &action] {
    action = [arguments](Terminal& terminal) { return run_sim(*arguments, terminal); };
  });
}

}  // namespace parley::cli
