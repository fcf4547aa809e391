#include "tests/support/checked_engine.h"

#include <algorithm>

namespace parley::test {

using namespace core;  // NOLINT

namespace {

EngineOptions checking(EngineOptions options) {
  options.check_invariants = true;
  return options;
}

void check_same(const Program& program, std::span<const OwnedCommand> expected,
                std::span<const OwnedCommand> found, const std::string& who) {
  const auto differs = std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
  if (differs.first == expected.end() && differs.second == found.end()) return;
  const auto text = [&](auto at, auto end) {
    return at == end ? std::string("nothing") : text_of(program, *at);
  };
  throw RuleBroken("9 determinism: " + who + " gave\n  " + text(differs.second, found.end()) +
                   "\ninstead of\n  " + text(differs.first, expected.end()));
}

}  // namespace

std::unique_ptr<Engine> make_engine(const Program& program, const Machine& machine,
                                    const EngineOptions& options) {
  Result<std::unique_ptr<Engine>> engine = Engine::create(program, machine, options);
  if (!engine) {
    std::string all = "refused:";
    for (const auto& fault : engine.faults()) all += "\n  " + fault.where + ": " + fault.what;
    throw RuleBroken(all);
  }
  return std::move(engine).value();
}

void replay(const Program& program, const Machine& machine, const EngineOptions& options,
            std::span<const RecordedStep> steps) {
  const std::unique_ptr<Engine> engine = make_engine(program, machine, options);
  for (const RecordedStep& step : steps) {
    check_same(program, step.commands, owned(engine->step(step.now, step.events)), "a replay");
  }
}

CheckedEngine::CheckedEngine(const Program& program, const Machine& machine,
                             const EngineOptions& options)
    : program_(&program),
      machine_(&machine),
      tasks_at_start_(program.task_count()),
      options_(checking(options)),
      meaning_(program),
      engine_(make_engine(program, machine, options_)),
      twin_(make_engine(program, machine, options)),
      checker_(program, machine, *engine_, meaning_, options.window) {}

std::span<const OwnedCommand> CheckedEngine::step(std::span<const Event> events) {
  return step(now_ + Duration(1), events);
}

std::span<const OwnedCommand> CheckedEngine::step(Time now, std::span<const Event> events) {
  now_ = now;
  meaning_.extend();
  for (const Event& event : events) {
    checker_.on_event(now, event);
    has_failed_ = has_failed_ || std::holds_alternative<CommandFailed>(event);
  }
  RecordedStep& recorded =
      steps_.emplace_back(RecordedStep{now, {events.begin(), events.end()}, {}});
  const std::span<const Command> commands = engine_->step(now, recorded.events);
  if (observer_ != nullptr) observer_->on_step(now, recorded.events, commands);
  recorded.commands = owned(commands);
  if (has_failed_) {
    for (const CommandId id : engine_->cancelled()) checker_.on_cancelled(id);
  }
  for (const OwnedCommand& command : recorded.commands) checker_.on_command(command);
  check_same(*program_, recorded.commands, owned(twin_->step(now, recorded.events)), "a twin");
  return recorded.commands;
}

void CheckedEngine::check_end() {
  checker_.check_end(has_failed_);
  // A journal goes with the program that the engine was made for: one that has grown since would be
  // laid out differently from the start.
  if (program_->task_count() > tasks_at_start_) return;
  replay(*program_, *machine_, options_, steps_);
}

std::string CheckedEngine::history(std::size_t most) const {
  std::string text;
  for (std::size_t i = steps_.size() - std::min(most, steps_.size()); i < steps_.size(); ++i) {
    text += "step " + std::to_string(i) + ":";
    for (const Event& event : steps_[i].events) text += " [" + text_of(*program_, event) + "]";
    text += "\n";
    for (const OwnedCommand& command : steps_[i].commands) {
      text += "    " + text_of(*program_, command) + "\n";
    }
  }
  return text;
}

}  // namespace parley::test
