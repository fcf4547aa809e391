// What a run leaves behind, shared by sim and exec: the options for it, the files (opened before
// the run starts, complete or absent afterwards), and the text report.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/journal/journal_writer.h"
#include "cli/output_file.h"
#include "cli/report/run_result.h"
#include "cli/report/summary.h"
#include "cli/run_options.h"
#include "core/base/result.h"

namespace CLI {
class App;
}

namespace parley::cli {

struct OutputOptions {
  std::string summary, trace, journal;
  bool is_brief = false;
  bool with_states = false;
  bool with_overviews = false;
  bool with_timing = false;
};

/// --check, --summary, --summary-brief, --states, --trace, --journal, --overview, --timing.
void add_output_options(CLI::App& command, OutputOptions& options, core::EngineOptions& engine);

class RunFiles {
 public:
  /// Fails on two outputs of one name, an output over an input, and what cannot be written.
  static core::Result<RunFiles> open(const OutputOptions& options, const RunOptions& inputs,
                                     Terminal& terminal);

  /// Starts the journal, or starts it anew if it was not ended; what sees the steps of the run, or
  /// nullptr without a journal. Fails when the workload's file cannot be read again. `run` must
  /// outlive the run.
  core::Result<core::StepObserver*> begin_journal(const LoadedRun& run, const std::string& workload,
                                                  const RunMode& mode);
  /// The run is over. `stopped`: why it ended early; "" when it did not.
  void end_journal(std::string_view stopped = "");
  /// The run ended with faults. One that had not begun leaves no journal.
  void end_journal_of(const core::Faults& faults);

  /// Summary and trace.
  void write(const RunResult& result, std::optional<WallTimes> wall);
  /// Says which files could not be written; one that fails keeps no other from being written, nor
  /// the report from being printed. kOk or kFailedExecution.
  [[nodiscard]] int check(Terminal& terminal) const;
  /// The text report, unless a file takes standard output.
  void print(const RunResult& result, const WallTimes& wall, Terminal& terminal) const;

 private:
  explicit RunFiles(OutputOptions options) : options_(std::move(options)) {}

  void commit(OutputFile& file);

  OutputOptions options_;
  std::vector<std::string> failures_;
  std::unique_ptr<OutputFile> summary_, trace_, journal_;
  std::unique_ptr<JournalWriter> writer_;
};

/// Warnings of a run, and replicas that went in and out.
void print_warnings(const core::Program& program, const core::Machine& machine,
                    const std::vector<std::string>& warnings, const core::Engine& engine,
                    Terminal& terminal);

}  // namespace parley::cli
