// The journal of a run ("parley-journal", version 1), JSON lines: a header; the workload; the
// machine; then a line per step with its events and the commands that they caused. A journal is all
// that replay needs.
#pragma once

#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "core/journal/run_record.h"
#include "core/machine/machine.h"

namespace parley::cli {

inline constexpr std::string_view kParleyVersion = "0.1.0";

/// The second line of a journal: {"workload":{...}}, the file's own text, or {"generator":"spec"}.
/// `workload` is what the command line names; fails when the file cannot be read (again).
core::Result<std::string> embedded_workload(const std::string& workload);

/// How the run was carried out, for headers: "sim", or "exec" and its backend.
struct RunMode {
  std::string_view name = "sim";
  std::string_view backend;
};

class JournalWriter : public core::StepObserver {
 public:
  /// Writes the first three lines. Everything referred to must outlive the writer.
  JournalWriter(const core::Program& program, const core::Machine& machine,
                const core::EngineOptions& options, const RunMode& mode,
                const std::string& embedded_workload, std::ostream& stream);

  void on_events(core::Time now, std::span<const core::Event> events) override;
  void on_step(core::Time now, std::span<const core::Event> events,
               std::span<const core::Command> commands) override;
  /// The last line of a run that could not go on, with the events that the engine did not answer.
  void write_stop(std::string_view why);
  [[nodiscard]] bool has_steps() const { return has_steps_; }

 private:
  const core::Program& program_;
  const core::Machine& machine_;
  std::ostream& stream_;
  bool is_live_;  // each step is handed to the system: whatever ends the process, it is kept
  core::Time now_;
  bool has_steps_ = false;
  std::string unanswered_;  // events given to the engine since the last on_step()
};

}  // namespace parley::cli
