#include "exec/driver/run.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <type_traits>
#include <variant>

#include "core/base/check.h"
#include "exec/driver/contents.h"
#include "exec/driver/initial.h"
#include "exec/element.h"

namespace parley::exec {

using core::TaskId;
using core::Time;

Run::Run(const core::Program& program, const core::Machine& machine, const ExecOptions& options,
         core::Engine& engine, Backend& backend)
    : program_(program),
      machine_(machine),
      options_(options),
      engine_(engine),
      backend_(backend),
      recorder_(machine, options.record_commands, options.record_residency) {
  for (std::size_t i = 0; i < program.task_count(); ++i) {
    if (!program.task(TaskId(i)).has_extras) continue;
    for (const core::Show& show : program.extras(TaskId(i)).show) {
      if (show.values == core::Show::Values::kStart) shown_at_start_.push_back(show.array);
    }
  }
  std::ranges::sort(shown_at_start_);
  shown_at_start_.erase(std::unique(shown_at_start_.begin(), shown_at_start_.end()),
                        shown_at_start_.end());
}

void Run::list_releases() {
  for (std::size_t i = 0; i < program_.task_count(); ++i) {
    const Time release = program_.task(TaskId(i)).release;
    if (release > Time(0)) releases_.emplace_back(release, TaskId(i));
  }
  std::ranges::stable_sort(releases_);
}

ExecResult Run::run() {
  const auto start = std::chrono::steady_clock::now();
  write_initial(program_, engine_.initial_replicas(), backend_);
  list_releases();
  result_.setup_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  backend_.begin(options_.record_commands);
  // What was finished counts.
  for (const auto& part : {&Run::loop, &Run::end}) {
    try {
      (this->*part)();
    } catch (const EnvironmentFailure& failure) {
      if (result_.stopped.empty()) result_.stopped = failure.what();
    }
  }
  report_progress(true);
  result_.run = recorder_.take();
  result_.run.deciding = deciding_;
  result_.run.commands = commands_;
  result_.is_interrupted = is_interrupted_;
  if (!result_.failures.empty()) {
    for (const core::SpaceId space : backend_.lost_spaces()) engine_.lose_space(space);
    result_.lost = engine_.lost_pieces();
    result_.cancelled_commands = std::max(result_.cancelled_commands, engine_.cancelled().size());
  }
  if (options_.keep_contents) read_final_contents();
  return std::move(result_);
}

// ---- the loop ----

void Run::end() { backend_.end(); }

bool Run::is_over() const { return is_finished_ || (in_flight_ == 0 && !result_.failures.empty()); }

bool Run::is_interrupted() const {
  return options_.interrupt != nullptr && options_.interrupt->load(std::memory_order_relaxed);
}

void Run::loop() {
  events_ = {core::TasksSubmitted{TaskId(program_.task_count())}, core::SubmissionClosed{}};
  step();
  while (!is_over()) {
    if (is_interrupted()) {
      drain();
      return;
    }
    collect();
    add_due_releases();
    if (in_flight_ == 0) observe();
    if (!events_.empty()) {
      step();
    } else if (in_flight_ == 0 && !is_over()) {
      // After a pause the engine goes on without an event; what waits for time waits; else: a
      // stall.
      step();
      if (in_flight_ > 0 || is_finished_ || !observed_.empty()) continue;
      PARLEY_CHECK(next_release_ < releases_.size(), "stalled: " + engine_.stall_report());
      wait_for_release();
    }
  }
  observe();
}

void Run::collect() {
  completions_.clear();
  if (in_flight_ == 0) return;
  backend_.collect(completions_, true);
  for (Completion& completion : completions_) add_event(completion);
  report_progress(false);
}

void Run::add_event(Completion& completion) {
  --in_flight_;
  const core::CommandId id = completion.id;
  const bool is_copy = recorder_.is_copy(id);
  switch (completion.kind) {
    case Completion::Kind::kCancelled:
      if (is_interrupted_) ++result_.cancelled_commands;
      return;  // the engine knows from what failed
    case Completion::Kind::kFailed:
      result_.failures.push_back({id, recorder_.task(id), is_copy, completion.cause});
      events_.emplace_back(core::CommandFailed{id, std::move(completion.cause)});
      return;
    case Completion::Kind::kDone:
      break;
  }
  recorder_.ended(id, completion.start, completion.end, completion.issue);
  now_ = std::max(now_, completion.end);
  if (is_copy) {
    events_.emplace_back(core::CopyDone{id, completion.start, completion.end});
  } else {
    events_.emplace_back(core::TaskDone{id, completion.start, completion.end});
    ++finished_tasks_;
  }
}

void Run::add_due_releases() {
  if (next_release_ == releases_.size()) return;
  const Time now = backend_.now();
  while (next_release_ < releases_.size() && releases_[next_release_].first <= now) {
    events_.emplace_back(core::TaskReleased{releases_[next_release_++].second});
  }
}

/// A part of the time to the next release, so that an interruption is seen.
void Run::wait_for_release() {
  constexpr std::int64_t kMostNs = 10'000'000;
  const std::int64_t ns = (releases_[next_release_].first - backend_.now()).count();
  if (ns > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(ns, kMostNs)));
}

/// One step of the engine with the events gathered.
void Run::step() {
  note_places_before();
  now_ = std::max(now_, backend_.now());
  if (options_.observer != nullptr) options_.observer->on_events(now_, events_);
  const auto begin = std::chrono::steady_clock::now();
  const std::span<const core::Command> commands = engine_.step(now_, events_);
  const auto beside = tell_observers(commands);
  events_.clear();
  perform(commands);
  recorder_.end_of_step(engine_, now_);
  const auto taken = std::chrono::steady_clock::now() - begin - beside;
  deciding_ += core::Duration(std::chrono::duration_cast<std::chrono::nanoseconds>(taken).count());
  commands_ += commands.size();
  backend_.flush();  // in graph mode the step's commands are performed here
}

/// What is not decided here, and takes longer than deciding does. Returns how long it took.
std::chrono::steady_clock::duration Run::tell_observers(std::span<const core::Command> commands) {
  if (options_.observer == nullptr && shown_at_start_.empty()) return {};
  const auto begin = std::chrono::steady_clock::now();
  if (options_.observer != nullptr) options_.observer->on_step(now_, events_, commands);
  // Values before a task are read before its copies start: one may make room where they lie.
  for (const core::Command& command : commands) {
    const auto* launch = std::get_if<core::LaunchTask>(&command);
    if (launch != nullptr) show_values_before(launch->task);
  }
  return std::chrono::steady_clock::now() - begin;
}

void Run::perform(std::span<const core::Command> commands) {
  for (const core::Command& command : commands) {
    if (const auto* copy = std::get_if<core::StartCopy>(&command)) {
      recorder_.submitted(*copy, now_);
      backend_.submit(*copy);
      ++in_flight_;
    } else if (const auto* launch = std::get_if<core::LaunchTask>(&command)) {
      note_observed(launch->task);
      recorder_.submitted(*launch, now_);
      backend_.submit(*launch);
      ++in_flight_;
    } else if (std::holds_alternative<core::Finish>(command)) {
      is_finished_ = true;
    }
  }
  // Evictions on request have no command of their own, but may show something.
  const std::vector<core::Overview>& overviews = engine_.overviews();
  for (; seen_overviews_ < overviews.size(); ++seen_overviews_) {
    const TaskId task = overviews[seen_overviews_].after;
    const bool is_known = !observed_.empty() && observed_.back() == task;
    if (program_.task(task).kind == core::TaskKind::kEvict && !is_known) note_observed(task);
  }
}

/// After an interruption: what was started ends, nothing more is started. (On GPUs what was issued
/// counts as started.)
void Run::drain() {
  is_interrupted_ = true;
  backend_.cancel_waiting();
  while (in_flight_ > 0) collect();
  observe();
  if (!result_.failures.empty()) step();  // the engine lists what is lost
}

void Run::report_progress(bool is_last) {
  if (!options_.progress) return;
  constexpr std::int64_t kEveryNs = 50'000'000;
  const std::int64_t now = backend_.now().ns();
  if (!is_last && now - last_progress_ns_ < kEveryNs) return;
  last_progress_ns_ = now;
  options_.progress(finished_tasks_, program_.task_count());
}

// ---- values ----

/// Where arrays lie that the next task may show as they were before it.
void Run::note_places_before() {
  if (shown_at_start_.empty() || in_flight_ != 0) return;
  places_before_.clear();
  for (const core::ArrayId array : shown_at_start_) {
    if (array.index() >= program_.array_count()) continue;
    places_before_.emplace_back(array, engine_.locations(array));
  }
}

/// Reads them; no command of the step has been performed yet.
void Run::show_values_before(TaskId task) {
  if (!program_.task(task).has_extras || shown_at_start_.empty()) return;
  for (const core::Show& show : program_.extras(task).show) {
    if (show.values != core::Show::Values::kStart) continue;
    const auto place = std::ranges::find(places_before_, show.array,
                                         [](const auto& known) { return known.first; });
    if (place == places_before_.end()) continue;
    result_.shown.push_back({task, show.array, show.is_print,
                             read_contents(program_, show.array, place->second, backend_).bytes});
  }
}

void Run::note_observed(TaskId task) {
  if (program_.task(task).has_extras && core::is_observed(program_, task)) {
    observed_.push_back(task);
  }
}

/// Values after the tasks observed, once nothing is in flight.
void Run::observe() {
  for (const TaskId task : observed_) {
    if (!result_.failures.empty()) break;
    const core::TaskExtras& extras = program_.extras(task);
    for (const core::Show& show : extras.show) {
      if (show.values != core::Show::Values::kEnd) continue;
      ArrayContents contents =
          read_contents(program_, show.array, engine_.locations(show.array), backend_);
      result_.shown.push_back({task, show.array, show.is_print, std::move(contents.bytes)});
    }
    for (const core::Expectation& expectation : extras.expect) {
      const core::ArrayId array = program_.region(expectation.region).array;
      const ArrayContents contents =
          read_contents(program_, array, engine_.locations(array), backend_);
      std::vector<std::byte> found = elements_of(program_, expectation.region, contents.bytes);
      const core::DType dtype = program_.array(array).spec.dtype;
      if (are_equal_elements(dtype, found, expectation.bytes)) continue;
      result_.failed_expectations.push_back(
          {task, expectation.region, expectation.bytes, std::move(found)});
    }
  }
  observed_.clear();
}

void Run::read_final_contents() {
  const bool is_quiet = result_.stopped.empty() || in_flight_ == 0;
  if (!is_quiet) {
    result_.warnings.push_back("final contents were not read: commands were under way");
  }
  for (std::size_t i = 0; i < program_.array_count(); ++i) {
    const core::ArrayId array(i);
    if (!is_quiet || program_.array(array).spec.at_end == core::AtEnd::kDiscard) {
      result_.arrays.push_back({{}, false});
      continue;
    }
    result_.arrays.push_back(read_contents(program_, array, engine_.locations(array), backend_));
    if (result_.arrays.back().is_complete) continue;
    result_.warnings.push_back("the contents of " + program_.array(array).spec.name +
                               " could not be read from its device");
  }
}

}  // namespace parley::exec
