// parley replay: the events of a journal through a fresh engine; its commands must be those of the
// journal.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cli/command.h"
#include "cli/journal/command_text.h"
#include "cli/journal/journal_reader.h"
#include "cli/report/quantities.h"
#include "cli/report/text_table.h"
#include "core/base/check.h"
#include "core/engine/engine.h"

namespace parley::cli {
namespace {

constexpr const char* kReplayHelp = R"(Example:
  parley sim cholesky:tiles=8 --journal run.jsonl && parley replay run.jsonl
Prints "identical", or the first command that differs beside the recorded one (exit code 3).)";

/// Commands that have not ended. An edited journal may name others, of which no engine can make
/// sense.
class OpenCommands {
 public:
  void add(const core::Command& command) {
    if (const auto* copy = std::get_if<core::StartCopy>(&command)) is_copy_[copy->id] = true;
    if (const auto* launch = std::get_if<core::LaunchTask>(&command)) is_copy_[launch->id] = false;
  }

  /// What is wrong with the event; "" when it may happen now.
  std::string end(const core::Event& event) {
    if (const auto* copy = std::get_if<core::CopyDone>(&event)) return end(copy->id, true);
    if (const auto* task = std::get_if<core::TaskDone>(&event)) return end(task->id, false);
    if (const auto* failed = std::get_if<core::CommandFailed>(&event)) return end(failed->id, {});
    return {};
  }

 private:
  std::string end(core::CommandId id, std::optional<bool> is_copy) {
    const auto found = is_copy_.find(id);
    const std::string name = "command " + std::to_string(id.index());
    if (found == is_copy_.end()) return name + " ends, but is not under way";
    if (is_copy && *is_copy != found->second) {
      return name + (found->second ? " is a copy, not a task" : " is a task, not a copy");
    }
    is_copy_.erase(found);
    return {};
  }

  std::map<core::CommandId, bool> is_copy_;
};

std::string dumped(const nlohmann::ordered_json& object, const std::string& key) {
  return object.contains(key) ? object[key].dump() : "";
}

/// Two commands side by side, a row per key; long values are cut where both lack interest.
void print_side_by_side(const std::string& recorded, const std::string& replayed,
                        std::ostream& stream) {
  const nlohmann::ordered_json left = recorded.empty() ? nlohmann::ordered_json::object() : nlohmann::ordered_json::parse(recorded, nullptr, false);
  const nlohmann::ordered_json right = replayed.empty() ? nlohmann::ordered_json::object() : nlohmann::ordered_json::parse(replayed, nullptr, false);
  std::vector<std::string> keys;
  for (const auto& item : left.items()) keys.push_back(item.key());
  for (const auto& item : right.items()) {
    if (std::find(keys.begin(), keys.end(), item.key()) == keys.end()) keys.push_back(item.key());
  }
  TextTable table;
  table.add_column("");
  table.add_column("recorded");
  table.add_column("replayed");
  table.add_column("");
  for (const std::string& key : keys) {
    const std::string one = dumped(left, key);
    const std::string other = dumped(right, key);
    table.add_row({key, one, other, one == other ? "" : "<- differs"});
  }
  if (keys.empty() || recorded.empty()) table.add_row({"", "(nothing)", "", ""});
  if (replayed.empty()) table.add_row({"", "", "(nothing)", ""});
  table.print(stream, 2);
}

class Replay {
 public:
  Replay(std::string path, const JournalStart& start, core::Engine& engine, Terminal& terminal)
      : path_(std::move(path)), start_(start), engine_(engine), terminal_(terminal) {}

  /// Whether the step went as recorded; if not, prints how it differs.
  bool perform(const JournalStep& recorded, std::size_t line) {
    if (!may_happen(recorded, line)) return false;
    std::vector<std::string> replayed;
    try {
      replayed = step(recorded);
    } catch (const core::InvariantViolation& violation) {
      print_place(recorded, line);
      terminal_.err << "  a rule broke that held in the recorded run: " << violation.what() << '\n';
      return false;
    }
    return replayed == recorded.commands || print_difference(recorded, replayed, line);
  }

  /// The step in which the recorded run ended: whether its fault is still there.
  int perform_last(const JournalStep& recorded, std::size_t line) {
    terminal_.out << path_ << ": " << text_of_count(steps_) << " steps, "
                  << text_of_count(commands_) << " commands: identical, up to line " << line
                  << ", where the recorded run stopped: " << *recorded.stopped << '\n';
    if (!may_happen(recorded, line)) return kFailedVerification;
    try {
      if (!recorded.events.empty()) step(recorded);
    } catch (const core::InvariantViolation& violation) {
      terminal_.err << "the fault is still there: " << violation.what() << '\n';
      return kFailedExecution;
    }
    const std::string stall = engine_.stall_report();
    if (!stall.empty() && recorded.events.empty()) terminal_.out << stall << '\n';
    if (!recorded.events.empty()) terminal_.out << "the fault does not occur any more\n";
    return kOk;
  }

  [[nodiscard]] std::size_t steps() const { return steps_; }
  [[nodiscard]] std::size_t commands() const { return commands_; }

 private:
  std::vector<std::string> step(const JournalStep& recorded) {
    std::vector<std::string> replayed;
    for (const core::Command& command : engine_.step(recorded.now, recorded.events)) {
      open_.add(command);
      replayed.push_back(command_text(start_.program, start_.machine, command));
    }
    ++steps_;
    commands_ += replayed.size();
    return replayed;
  }

  bool may_happen(const JournalStep& step, std::size_t line) {
    for (const core::Event& event : step.events) {
      std::string problem = open_.end(event);
      const auto* submitted = std::get_if<core::TasksSubmitted>(&event);
      const auto* released = std::get_if<core::TaskReleased>(&event);
      const std::size_t tasks = start_.program.task_count();
      if ((submitted != nullptr && submitted->end.index() > tasks) ||
          (released != nullptr && released->task.index() >= tasks)) {
        problem = "names a task beyond the last of " + std::to_string(tasks);
      }
      if (problem.empty() && step.now >= last_) continue;
      print_place(step, line);
      terminal_.err << "  impossible event " << event_text(event) << ": "
                    << (problem.empty() ? "time goes back" : problem) << '\n';
      return false;
    }
    last_ = step.now;
    return true;
  }

  void print_place(const JournalStep& step, std::size_t line) {
    terminal_.err << path_ << ": line " << line << ": step " << steps_ << " at "
                  << text_of(step.now) << " differs\n";
  }

  bool print_difference(const JournalStep& recorded, const std::vector<std::string>& replayed,
                        std::size_t line) {
    std::size_t i = 0;
    while (i < recorded.commands.size() && i < replayed.size() &&
           recorded.commands[i] == replayed[i]) {
      ++i;
    }
    print_place(recorded, line);
    terminal_.err << "  events:";
    for (const core::Event& event : recorded.events) terminal_.err << ' ' << event_text(event);
    terminal_.err << "\n  commands: " << recorded.commands.size() << " recorded, "
                  << replayed.size() << " replayed; the first that differs is number " << i
                  << " of the step:\n";
    print_side_by_side(i < recorded.commands.size() ? recorded.commands[i] : "",
                       i < replayed.size() ? replayed[i] : "", terminal_.err);
    return false;
  }

  std::string path_;
  const JournalStart& start_;
  core::Engine& engine_;
  Terminal& terminal_;
  OpenCommands open_;
  core::Time last_;
  std::size_t steps_ = 0;
  std::size_t commands_ = 0;
};

int run_replay(const std::string& path, Terminal& terminal) {
  core::Result<std::unique_ptr<JournalReader>> reader = JournalReader::open(path);
  if (!reader) return report_faults(terminal, reader.faults());
  const core::Result<JournalStart> start = (*reader)->read_start();
  if (!start) return report_faults(terminal, start.faults());
  core::Result<std::unique_ptr<core::Engine>> engine =
      core::Engine::create(start->program, start->machine, start->options);
  if (!engine) return report_faults(terminal, engine.faults());
  Replay replay(path, *start, **engine, terminal);
  while (true) {
    const core::Result<std::optional<JournalStep>> step = (*reader)->next();
    if (!step) return report_faults(terminal, step.faults());
    if (!*step) break;
    if ((**step).stopped) return replay.perform_last(**step, (*reader)->line());
    if (!replay.perform(**step, (*reader)->line())) return kFailedVerification;
  }
  if (!(*engine)->is_finished()) {
    terminal.err << path << ": ends after " << text_of_count(replay.steps())
                 << " steps, identical until then, before the run did, as one of a killed process "
                    "does\n";
    return kFailedVerification;
  }
  terminal.out << path << ": " << text_of_count(replay.steps()) << " steps, "
               << text_of_count(replay.commands()) << " commands: identical\n";
  return kOk;
}

}  // namespace

void add_replay_command(CLI::App& app, Action& action) {
  auto path = std::make_shared<std::string>();
  CLI::App& command = *app.add_subcommand("replay", "check that a journal replays identically");
  command.add_option("JOURNAL", *path, "written by parley sim --journal")
      ->required()
      ->type_name("");
  command.footer(kReplayHelp);
  command.callback([path, &action] {
    action = [path](Terminal& terminal) { return run_replay(*path, terminal); };
  });
}

}  // namespace parley::cli
