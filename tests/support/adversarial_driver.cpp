#include "tests/support/adversarial_driver.h"

#include <exception>
#include <memory>

#include "tests/support/virtual_driver.h"

namespace parley::test {

using namespace core;  // NOLINT

namespace {

/// One run in progress: makes moves until none is left.
class Play {
 public:
  Play(const Program& program, VirtualDriver& driver, const AdversarialPlan& plan, Chooser& chooser)
      : program_(program), driver_(driver), plan_(plan), chooser_(chooser) {
    if (plan_.portions.empty())
      portions_.push_back(program.task_count());
    else
      portions_ = plan_.portions;
  }

  void run() {
    submit_next();
    while (!driver_.is_finished()) {
      const std::vector<Move> moves = possible_moves();
      if (moves.empty() && driver_.checked().has_failed()) break;  // all has drained
      if (moves.empty()) {
        throw RuleBroken("7 stall: nothing runs and tasks are left\n" +
                         driver_.engine().stall_report());
      }
      make(moves[moves.size() == 1 ? 0 : chooser_.choose(moves.size())]);
    }
    if (!driver_.is_idle()) throw RuleBroken("finish: commands still run");
  }

 private:
  struct Move {
    enum class Kind { kStart, kEnd, kComplete, kReport, kSubmit, kRelease } kind;
    CommandId command;
    TaskId task;
  };

  bool may_submit() const { return next_portion_ < portions_.size(); }

  void submit_next() {
    if (plan_.grow) plan_.grow(next_portion_);
    const std::size_t end = portions_[next_portion_++];
    for (; submitted_ < end; ++submitted_) {
      if (program_.task(TaskId(submitted_)).release > Time(0)) held_.emplace_back(submitted_);
    }
    driver_.submit(TaskId(end), !may_submit());
  }

  std::vector<Move> possible_moves() const {
    std::vector<Move> moves;
    if (plan_.is_coarse) {
      for (const CommandId id : driver_.in_stage(CommandStage::kReady)) {
        moves.push_back({Move::Kind::kComplete, id, {}});
      }
    } else {
      for (const CommandId id : driver_.in_stage(CommandStage::kReady)) {
        moves.push_back({Move::Kind::kStart, id, {}});
      }
      for (const CommandId id : driver_.in_stage(CommandStage::kRunning)) {
        moves.push_back({Move::Kind::kEnd, id, {}});
      }
      if (!driver_.reportable().empty()) moves.push_back({Move::Kind::kReport, {}, {}});
    }
    if (may_submit()) moves.push_back({Move::Kind::kSubmit, {}, {}});
    for (const TaskId task : held_) moves.push_back({Move::Kind::kRelease, {}, task});
    return moves;
  }

  void make(const Move& move) {
    switch (move.kind) {
      case Move::Kind::kStart:
        driver_.start(move.command);
        return;
      case Move::Kind::kEnd:
        end(move.command);
        return;
      case Move::Kind::kComplete:
        driver_.start(move.command);
        driver_.end(move.command);
        driver_.report(std::span(&move.command, 1));
        return;
      case Move::Kind::kReport:
        report_some();
        return;
      case Move::Kind::kSubmit:
        submit_next();
        return;
      case Move::Kind::kRelease:
        std::erase(held_, move.task);
        driver_.release(move.task);
        return;
    }
  }

  void end(CommandId id) {
    if (plan_.has_failure && !has_failed_ && ended_ >= plan_.fail_after) {
      has_failed_ = true;
      driver_.fail(id, "made to fail");
      return;
    }
    ++ended_;
    driver_.end(id);
  }

  // A batch of any size: one reportable command after another, until the chooser says enough.
  void report_some() {
    std::vector<CommandId> batch = driver_.reportable();
    while (batch.size() > 1 && chooser_.choose(2) == 0) {
      batch.erase(batch.begin() + static_cast<std::ptrdiff_t>(chooser_.choose(batch.size())));
    }
    for (std::size_t i = batch.size(); i > 1; --i) {
      std::swap(batch[i - 1], batch[chooser_.choose(i)]);
    }
    driver_.report(batch);
  }

  const Program& program_;
  VirtualDriver& driver_;
  const AdversarialPlan& plan_;
  Chooser& chooser_;
  std::vector<std::size_t> portions_;
  std::size_t next_portion_ = 0, submitted_ = 0, ended_ = 0;
  std::vector<TaskId> held_;  // submitted, but not released
  bool has_failed_ = false;
};

}  // namespace

AdversarialResult run_adversarial(const Program& program, const Machine& machine,
                                  const EngineOptions& options, const AdversarialPlan& plan,
                                  Chooser& chooser) {
  AdversarialResult result;
  std::unique_ptr<VirtualDriver> driver;
  try {
    driver = std::make_unique<VirtualDriver>(program, machine, options);
    Play(program, *driver, plan, chooser).run();
    driver->check_end();
  } catch (const std::exception& broken) {
    result.fault = broken.what();
    if (driver) result.history = driver->checked().history(12);
  }
  if (driver) {
    const EngineStatistics& statistics = driver->engine().statistics();
    result.steps = driver->checked().steps().size();
    result.commands = driver->command_count();
    result.evictions = statistics.evictions;
    result.write_backs = static_cast<std::size_t>(statistics.written_back_bytes.count());
    result.compactions = statistics.compactions;
    result.has_failed = driver->checked().has_failed();
  }
  return result;
}

ExhaustiveResult run_every_order(const Program& program, const Machine& machine,
                                 const EngineOptions& options, std::size_t most_runs) {
  ExhaustiveResult result;
  ExhaustiveChooser chooser;
  AdversarialPlan plan;
  plan.is_coarse = true;
  while (result.runs < most_runs) {
    result.last = run_adversarial(program, machine, options, plan, chooser);
    ++result.runs;
    if (!result.last.fault.empty()) return result;
    if (!chooser.next_run()) {
      result.is_complete = true;
      return result;
    }
  }
  return result;
}

}  // namespace parley::test
