#include "tests/property/executed_problem.h"

#include <algorithm>
#include <exception>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "exec/executor.h"
#include "exec/kernel_registry.h"
#include "exec/verify/sequential.h"
#include "tests/property/draft_plan.h"
#include "tests/support/checked_engine.h"
#include "tests/support/command_checker.h"
#include "tests/support/geometry.h"
#include "tests/support/meaning.h"
#include "tests/support/owned_command.h"

namespace parley::test {

using namespace core;  // NOLINT

namespace {

class StepRecorder final : public StepObserver {
 public:
  void on_step(Time now, std::span<const Event> events,
               std::span<const Command> commands) override {
    steps.push_back({now, {events.begin(), events.end()}, owned(commands)});
  }
  std::vector<RecordedStep> steps;
};

std::string text_of_id(CommandId id) { return "command " + std::to_string(id.index()); }

/// A command that does work, as far as the checks want to know.
struct Issued {
  const OwnedCommand* command;
  enum class End { kNone, kDone, kFailed, kCancelled } end = End::kNone;
  [[nodiscard]] const OwnedLaunch* launch() const { return std::get_if<OwnedLaunch>(command); }
  [[nodiscard]] bool is_stopped() const { return end == End::kFailed || end == End::kCancelled; }
};

class ExecutedRun {
 public:
  ExecutedRun(const Program& program, const std::vector<RecordedStep>& steps,
              const exec::ExecResult& result, std::vector<SpaceId> lost_spaces)
      : program_(program),
        steps_(steps),
        result_(result),
        lost_spaces_(std::move(lost_spaces)),
        meaning_(program) {}

  void check(ExecutedTally& tally) {
    list_commands();
    check_accounts();
    check_cancellations();
    if (result_.is_finished()) {
      check_final_contents();
      check_shown();
    } else {
      for (std::size_t i = 0; i < program_.array_count(); ++i) check_elements(ArrayId(i), tally);
    }
    count(tally);
  }

 private:
  static CommandId id_of(const OwnedCommand& command) {
    if (const auto* copy = std::get_if<OwnedCopy>(&command)) return copy->id;
    if (const auto* launch = std::get_if<OwnedLaunch>(&command)) return launch->id;
    return CommandId::none();
  }

  /// All commands issued and how they ended; a completion comes after those of its `after`.
  void list_commands() {
    for (const RecordedStep& step : steps_) {
      for (const Event& event : step.events) note_end(event);
      for (const OwnedCommand& command : step.commands) {
        const CommandId id = id_of(command);
        if (!id.is_none()) issued_.emplace(id, Issued{&command});
        is_over_ = is_over_ || std::holds_alternative<OwnedFinish>(command);
      }
    }
    for (const CommandId id : result_.engine->cancelled()) end(id, Issued::End::kCancelled);
  }

  void note_end(const Event& event) {
    if (const auto* copy = std::get_if<CopyDone>(&event)) end(copy->id, Issued::End::kDone);
    if (const auto* task = std::get_if<TaskDone>(&event)) end(task->id, Issued::End::kDone);
    if (const auto* failed = std::get_if<CommandFailed>(&event)) {
      end(failed->id, Issued::End::kFailed);
    }
  }

  void end(CommandId id, Issued::End how) {
    const auto found = issued_.find(id);
    if (found == issued_.end()) throw RuleBroken("accounts: unknown " + text_of_id(id) + " ended");
    Issued& command = found->second;
    if (command.end != Issued::End::kNone) {
      throw RuleBroken("accounts: " + text_of_id(id) + " ended twice");
    }
    command.end = how;
    if (how == Issued::End::kCancelled) return;
    for (const CommandId earlier : after_of(*command.command)) {
      const auto before = issued_.find(earlier);
      if (before == issued_.end() || before->second.end == Issued::End::kDone) continue;
      throw RuleBroken("order: " + text_of_id(id) + " ended before " + text_of_id(earlier) +
                       ", for which it waits");
    }
  }

  void check_accounts() const {
    std::size_t done_tasks = 0, done_copies = 0, failed = 0, cancelled = 0;
    for (const auto& [id, command] : issued_) {
      switch (command.end) {
        case Issued::End::kNone:
          throw RuleBroken("accounts: " + text_of_id(id) + " never ended");
        case Issued::End::kDone:
          ++(command.launch() != nullptr ? done_tasks : done_copies);
          break;
        case Issued::End::kFailed:
          ++failed;
          break;
        case Issued::End::kCancelled:
          ++cancelled;
          break;
      }
    }
    const bool lists_commands = !result_.run.tasks.empty() || !result_.run.copies.empty();
    if (failed != result_.failures.size() || cancelled != result_.cancelled_commands ||
        (lists_commands &&
         (done_tasks != result_.run.tasks.size() || done_copies != result_.run.copies.size()))) {
      throw RuleBroken("accounts: the result's counts differ from the commands'");
    }
    if (is_over_ != result_.failures.empty()) {
      throw RuleBroken("accounts: a run ends with Finish exactly when nothing failed");
    }
  }

  /// Cancelled is what waits for something that failed or was cancelled, and nothing else.
  void check_cancellations() const {
    for (const auto& [id, command] : issued_) {
      const auto& after = after_of(*command.command);
      const bool must_stop = std::any_of(after.begin(), after.end(), [&](CommandId earlier) {
        const auto found = issued_.find(earlier);
        return found != issued_.end() && found->second.is_stopped();
      });
      if (must_stop == (command.end == Issued::End::kCancelled)) continue;
      throw RuleBroken("cancellation: " + text_of_id(id) +
                       (must_stop ? " depends on one that did not do its work, and ran"
                                  : " was cancelled and depends on none that failed"));
    }
  }

  // ---- contents ----

  void check_final_contents() const {
    if (!result_.lost.empty()) throw RuleBroken("contents: a finished run has lost pieces");
    for (std::size_t i = 0; i < program_.array_count(); ++i) {
      const ArrayId array(i);
      if (program_.array(array).spec.at_end == AtEnd::kDiscard) continue;
      const auto difference = exec::first_difference(program_, array, meaning_.last_bytes(array),
                                                     result_.arrays[array].bytes);
      if (difference) throw RuleBroken("bytes: in the end " + *difference);
    }
  }

  /// Elements that a task accesses are the same in every order when it ends.
  void check_shown() const {
    const exec::KernelRegistry kernels;
    const exec::SequentialResult expected = exec::execute_sequentially(program_, kernels);
    if (expected.shown.size() != result_.shown.size()) throw RuleBroken("shown: not all values");
    for (const exec::ShownValues& shown : result_.shown) {
      const auto same = std::find_if(
          expected.shown.begin(), expected.shown.end(), [&](const exec::ShownValues& other) {
            return other.task == shown.task && other.array == shown.array;
          });
      if (same == expected.shown.end()) throw RuleBroken("shown: values that nobody asked for");
      for (const Access& access : program_.accesses(shown.task)) {
        if (program_.region(access.region).array == shown.array) {
          check_shown_region(access.region, *same, shown);
        }
      }
    }
  }

  void check_shown_region(RegionId region, const exec::ShownValues& expected,
                          const exec::ShownValues& found) const {
    const auto bytes = static_cast<std::size_t>(program_.array(found.array).element_bytes);
    for (const std::int64_t element : elements_of(program_, region)) {
      const std::size_t at = static_cast<std::size_t>(element) * bytes;
      if (std::equal(&found.bytes[at], &found.bytes[at] + bytes, &expected.bytes[at])) continue;
      throw RuleBroken("shown: after " + std::string(program_.task_name(found.task)) + " " +
                       exec::difference_text(program_, found.array,
                                             static_cast<std::size_t>(element), expected.bytes,
                                             found.bytes));
    }
  }

  // ---- elements after a failure ----

  struct ElementState {
    bool is_intact = false, is_lost = false;
    bool is_touched = false;  // by a command that failed or was cancelled
    bool was_in_lost_space = false;
    Version latest = kNoVersion;  // of its last issued writer
    bool has_finished = true;     // that writer
  };

  [[nodiscard]] bool is_lost(SpaceId space) const {
    return std::ranges::find(lost_spaces_, space) != lost_spaces_.end();
  }

  [[nodiscard]] std::vector<ElementState> states_of(ArrayId array) const {
    const Array& described = program_.array(array);
    const std::vector<std::int64_t>& shape = described.spec.shape;
    const bool has_contents = described.spec.initial.kind != Initial::Kind::kNone;
    std::vector<ElementState> states(static_cast<std::size_t>(element_count(described)));
    const std::vector<InitialReplica> initial = result_.engine->initial_replicas();
    const bool starts_lost = std::ranges::any_of(initial, [&](const InitialReplica& replica) {
      return replica.array == array && is_lost(replica.space);
    });
    for (ElementState& state : states) {
      state.latest = has_contents ? kInitialVersion : kNoVersion;
      state.was_in_lost_space = starts_lost;
    }
    const auto mark = [&](const Box& box, auto&& change) {
      for_each_element_of(box, shape, [&](std::int64_t element) {
        change(states[static_cast<std::size_t>(element)]);
      });
    };
    for (const PieceLocation& place : result_.engine->locations(array)) {
      mark(place.box, [&](ElementState& state) {
        if (state.is_intact) throw RuleBroken("elements: one has two locations");
        if (is_lost(place.space)) {
          throw RuleBroken("elements: one is said to be intact in memory that is gone");
        }
        state.is_intact = true;
      });
    }
    for (const LostPiece& piece : result_.lost) {
      if (piece.array == array) mark(piece.box, [](ElementState& state) { state.is_lost = true; });
    }
    for (const auto& entry : issued_) {
      const Issued& command = entry.second;  // clang 14 cannot capture a binding
      if (const OwnedLaunch* launch = command.launch()) {
        const bool is_there = std::ranges::any_of(
            launch->operands, [this](const auto& operand) { return is_lost(operand.space); });
        for (const Access& access : program_.accesses(launch->task)) {
          const Region& region = program_.region(access.region);
          if (region.array != array || !writes(access.mode)) continue;
          mark(region.box, [&](ElementState& state) {
            state.latest = version_of(launch->task);
            state.has_finished = command.end == Issued::End::kDone;
            state.is_touched = state.is_touched || command.is_stopped();
            state.was_in_lost_space = state.was_in_lost_space || is_there;
          });
        }
      } else {
        const auto& copy = std::get<OwnedCopy>(*command.command);
        if (copy.array != array) continue;
        for (const OwnedPart& part : copy.parts) {
          mark(part.box, [&](ElementState& state) {
            state.is_touched = state.is_touched || command.is_stopped();
            state.was_in_lost_space = state.was_in_lost_space || is_lost(copy.to);
          });
        }
      }
    }
    return states;
  }

  [[nodiscard]] static std::int64_t element_count(const Array& array) {
    std::int64_t elements = 1;
    for (const std::int64_t extent : array.spec.shape) elements *= extent;
    return elements;
  }

  void check_elements(ArrayId array, ExecutedTally& tally) const {
    const std::vector<ElementState> states = states_of(array);
    const std::span<const std::byte> found = result_.arrays[array].bytes;
    for (std::size_t i = 0; i < states.size(); ++i) {
      const ElementState& state = states[i];
      const auto broken = [&](const std::string& what) {
        throw RuleBroken("elements: " + exec::element_text(program_, array, i) + " " + what +
                         "; written last by " + version_text(program_, state.latest));
      };
      if (state.latest == kNoVersion) {
        if (state.is_intact || state.is_lost) broken("was never written and is somewhere");
        continue;
      }
      if (state.is_intact == state.is_lost) {
        broken(state.is_lost ? "is both intact and lost" : "is neither intact nor lost");
      }
      if (state.is_intact && !state.has_finished) broken("is intact, and its writer did not end");
      if (state.is_lost && !state.is_touched && !state.was_in_lost_space) {
        broken("is lost for no reason");
      }
      if (state.is_lost && !state.is_touched) ++tally.gone_elements;
      if (!lost_spaces_.empty() && !found.empty() && !result_.arrays[array].is_complete) {
        broken("is in an array that could not be read");
      }
      ++(state.is_lost ? tally.lost_elements : tally.intact_elements);
      if (state.is_lost || found.empty()) continue;  // empty: discarded at the end
      const std::span<const std::byte> bytes =
          meaning_.bytes_of(array, static_cast<std::int64_t>(i), state.latest);
      const std::span<const std::byte> its = found.subspan(i * bytes.size(), bytes.size());
      if (!std::equal(bytes.begin(), bytes.end(), its.begin())) broken("has other bytes");
    }
  }

  void count(ExecutedTally& tally) const {
    tally.commands += issued_.size();
    for (const auto& [id, command] : issued_) tally.copies += command.launch() == nullptr ? 1 : 0;
    tally.evictions += result_.engine->statistics().evictions;
    tally.shown += result_.shown.size();
    tally.failed += result_.failures.size();
    tally.cancelled += result_.cancelled_commands;
  }

  const Program& program_;
  const std::vector<RecordedStep>& steps_;
  const exec::ExecResult& result_;
  std::vector<SpaceId> lost_spaces_;
  Meaning meaning_;
  std::map<CommandId, Issued> issued_;
  bool is_over_ = false;
};

std::string text_of_faults(const Faults& faults) {
  std::string text = "refused:";
  for (const Fault& fault : faults) text += "\n  " + fault.where + ": " + fault.what;
  return text;
}

}  // namespace

void run_executed(const Problem& problem, const EngineOptions& engine, exec::Backend& backend,
                  bool is_timed, ExecutedTally& tally) {
  StepRecorder recorder;
  exec::ExecOptions options;
  options.engine = engine;
  options.engine.check_invariants = true;
  options.record_commands = is_timed;
  options.observer = &recorder;
  const Result<exec::ExecResult> result =
      exec::execute(problem.program(), problem.machine(), options, backend);
  if (!result) throw RuleBroken(text_of_faults(result.faults()));
  if (!result->stopped.empty()) throw RuleBroken("stopped: " + result->stopped);
  ExecutedRun(problem.program(), recorder.steps, *result, backend.lost_spaces()).check(tally);
  replay(problem.program(), problem.machine(),
         exec::executed_options(problem.program(), options.engine), recorder.steps);
}

Outcome play_executed(const ProblemDraft& draft, exec::Backend& backend, bool is_timed,
                      ExecutedTally& tally) {
  Outcome outcome;
  ++tally.problems;
  try {
    const std::unique_ptr<Problem> problem = build(draft, outcome.refusal);
    if (problem) run_executed(*problem, planned_options(draft, *problem), backend, is_timed, tally);
  } catch (const std::exception& broken) {
    outcome.result.fault = broken.what();
  }
  excuse_refusal(draft, outcome);
  if (!outcome.refusal.empty()) ++tally.refused;
  return outcome;
}

}  // namespace parley::test
