// One executed run: the loop that hands an engine's commands to a backend and its completions back.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "exec/backend.h"
#include "exec/driver/recorder.h"
#include "exec/executor.h"

namespace parley::exec {

class Run {
 public:
  /// All must outlive this; the backend is prepared.
  Run(const core::Program& program, const core::Machine& machine, const ExecOptions& options,
      core::Engine& engine, Backend& backend);

  /// Until the engine says Finish, or nothing is in flight after a failure or an interruption.
  /// Throws InvariantViolation on a stall.
  ExecResult run();

 private:
  void list_releases();
  void loop();
  void end();
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] bool is_interrupted() const;
  void collect();
  void add_event(Completion& completion);
  void add_due_releases();
  void wait_for_release();
  void step();
  std::chrono::steady_clock::duration tell_observers(std::span<const core::Command> commands);
  void perform(std::span<const core::Command> commands);
  void drain();
  void report_progress(bool is_last);

  // values that tasks show and expect
  void note_places_before();
  void show_values_before(core::TaskId task);
  void note_observed(core::TaskId task);
  void observe();
  void read_final_contents();

  const core::Program& program_;
  const core::Machine& machine_;
  const ExecOptions& options_;
  core::Engine& engine_;
  Backend& backend_;
  Recorder recorder_;
  ExecResult result_;

  core::Time now_;
  bool is_finished_ = false, is_interrupted_ = false;
  std::size_t in_flight_ = 0, finished_tasks_ = 0;
  std::int64_t last_progress_ns_ = 0;
  core::Duration deciding_ = core::Duration(0);  // as RunRecord
  std::uint64_t commands_ = 0;
  std::vector<Completion> completions_;
  std::vector<core::Event> events_;
  std::vector<std::pair<core::Time, core::TaskId>> releases_;  // by time, then task
  std::size_t next_release_ = 0;

  std::vector<core::ArrayId> shown_at_start_;  // by any task
  std::vector<std::pair<core::ArrayId, std::vector<core::PieceLocation>>> places_before_;
  std::vector<core::TaskId> observed_;  // issued; their values are read when nothing is in flight
  std::size_t seen_overviews_ = 0;
};

}  // namespace parley::exec
