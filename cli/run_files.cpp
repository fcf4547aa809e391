#include "cli/run_files.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <utility>

#include "cli/report/quantities.h"
#include "cli/report/run_report.h"
#include "cli/report/trace.h"

namespace parley::cli {
namespace {

bool writes_to_terminal(const OutputOptions& options) {
  return options.summary == "-" || options.trace == "-" || options.journal == "-";
}

/// Two outputs of one name, or an output over an input, would destroy one of them.
core::Faults check_paths(const OutputOptions& options, const RunOptions& inputs) {
  const std::pair<const char*, const std::string&> files[] = {
      {"--summary", options.summary}, {"--trace", options.trace}, {"--journal", options.journal}};
  core::Faults faults;
  for (std::size_t i = 0; i < std::size(files); ++i) {
    const auto& [option, path] = files[i];
    if (path.empty()) continue;
    if (path == inputs.workload || path == inputs.machine) {
      faults.push_back({option, "\"" + path + "\" is an input of this run"});
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (files[j].second != path) continue;
      faults.push_back({option, "\"" + path + "\" is also the file of " + files[j].first});
    }
  }
  return faults;
}

}  // namespace

void add_output_options(CLI::App& command, OutputOptions& options, core::EngineOptions& engine) {
  command.add_flag("--check", engine.check_invariants,
                   "check every rule of coherence and memory after every step");
  command.add_option("--summary", options.summary, "write the run summary")->type_name("FILE");
  command.add_flag("--summary-brief", options.is_brief,
                   "leave out of the summary the lists of tasks and copies, and digests of what "
                   "arrays hold");
  command.add_flag("--states", options.with_states,
                   "add to the summary the state of every array over time, and resident bytes");
  command.add_option("--trace", options.trace, "write a trace for Perfetto")->type_name("FILE");
  command.add_option("--journal", options.journal, "write events and commands, for replay")
      ->type_name("FILE");
  command.add_flag("--overview", options.with_overviews,
                   "print where each task runs, and what it shows");
  command.add_flag("--timing", options.with_timing,
                   "print, and add to the summary, the time that parley itself took");
}

core::Result<RunFiles> RunFiles::open(const OutputOptions& options, const RunOptions& inputs,
                                      Terminal& terminal) {
  core::Faults faults = check_paths(options, inputs);
  if (!faults.empty()) return faults;
  RunFiles files(options);
  const std::pair<const std::string&, std::unique_ptr<OutputFile>&> wanted[] = {
      {options.summary, files.summary_},
      {options.trace, files.trace_},
      {options.journal, files.journal_}};
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
  return files;
}

core::Result<core::StepObserver*> RunFiles::begin_journal(const LoadedRun& run,
                                                          const std::string& workload,
                                                          const RunMode& mode) {
  if (!journal_) return static_cast<core::StepObserver*>(nullptr);
  const core::Result<std::string> embedded = embedded_workload(workload);
  if (!embedded) return embedded.faults();
  journal_->restart();
  writer_ = std::make_unique<JournalWriter>(run.program, run.machine, run.engine, mode, *embedded,
                                            journal_->stream());
  return static_cast<core::StepObserver*>(writer_.get());
}

void RunFiles::end_journal(std::string_view stopped) {
  if (!writer_) return;
  if (!stopped.empty()) writer_->write_stop(stopped);
  writer_.reset();
  commit(*journal_);
}

void RunFiles::end_journal_of(const core::Faults& faults) {
  if (!writer_ || !writer_->has_steps() || faults.empty()) return;
  const core::Fault& fault = faults.front();
  end_journal(fault.where + ": " + fault.what);
}

void RunFiles::commit(OutputFile& file) {
  try {
    file.commit();
  } catch (const EnvironmentFailure& failure) {
    failures_.emplace_back(failure.what());
  }
}

int RunFiles::check(Terminal& terminal) const {
  for (const std::string& failure : failures_) terminal.err << failure << '\n';
  return failures_.empty() ? kOk : kFailedExecution;
}

void RunFiles::write(const RunResult& result, std::optional<WallTimes> wall) {
  if (!options_.with_timing) wall.reset();
  if (summary_) {
    write_summary(result, {options_.is_brief, options_.with_states, wall}, summary_->stream());
    commit(*summary_);
  }
  if (trace_) {
    write_trace(result.program, result.machine, result.run, trace_->stream());
    commit(*trace_);
  }
}

void RunFiles::print(const RunResult& result, const WallTimes& wall, Terminal& terminal) const {
  if (writes_to_terminal(options_)) return;
  if (options_.with_overviews) {
    print_overviews(result, terminal.out);
    terminal.out << '\n';
  }
  print_report(result, terminal.out);
  if (!options_.with_timing) return;
  terminal.out << "\nWall time  ";
  const char* separator = "";
  for (const auto& [name, seconds] : wall.parts()) {
    terminal.out << separator << name << ' '
                 << text_of(core::Duration(std::llround(seconds * 1e9)));
    separator = ", ";
  }
  terminal.out << '\n';
}

void print_warnings(const core::Program& program, const core::Machine& machine,
                    const std::vector<std::string>& warnings, const core::Engine& engine,
                    Terminal& terminal) {
  for (const std::string& warning : warnings) terminal.err << "warning: " << warning << '\n';
  constexpr std::size_t kMostNamed = 3;
  const std::vector<core::Thrashing> all = engine.thrashing();
  core::Bytes bytes;
  for (std::size_t i = 0; i < all.size(); ++i) {
    bytes += all[i].bytes;
    if (i >= kMostNamed) continue;
    terminal.err << "warning: thrashing: " << program.region_text(all[i].region)
                 << " was evicted from " << machine.space(all[i].space).name << " and brought back "
                 << text_of_count(all[i].times) << " times, " << text_of(all[i].bytes)
                 << " in all\n";
  }
  if (all.size() <= kMostNamed) return;
  terminal.err << "warning: thrashing: " << text_of_count(all.size())
               << " replicas came back three times or more, with " << text_of(bytes) << " in all\n";
}

}  // namespace parley::cli
