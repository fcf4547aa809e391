#include "tests/support/threaded_driver.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "exec/task_kernel.h"
#include "tests/support/checked_engine.h"
#include "tests/support/slabs.h"

namespace parley::test {

using namespace core;  // NOLINT

namespace {

/// Set once, waited for by any number of threads.
class Flag {
 public:
  void set() {
    is_set_.store(true, std::memory_order_release);
    is_set_.notify_all();
  }
  void wait() const { is_set_.wait(false, std::memory_order_acquire); }

 private:
  std::atomic<bool> is_set_{false};
};

template <class T>
class Queue {
 public:
  void push(T item) {
    {
      const std::lock_guard lock(mutex_);
      items_.push_back(std::move(item));
    }
    filled_.notify_one();
  }
  T pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return !items_.empty(); });
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }
  /// All that is there; waits for at least one.
  std::vector<T> pop_all() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return !items_.empty(); });
    std::vector<T> all(std::make_move_iterator(items_.begin()),
                       std::make_move_iterator(items_.end()));
    items_.clear();
    return all;
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<T> items_;
};

struct Job {
  OwnedCommand command;
  std::vector<const Flag*> after;
  Flag* done = nullptr;  // null: the stream ends
};

struct Completion {
  CommandId id;
  bool is_copy = false;
  std::exception_ptr broken;
};

/// Serves jobs in order on a thread of its own.
class Stream {
 public:
  template <class Perform>
  Stream(Perform perform, Queue<Completion>& completions)
      : thread_([this, perform, &completions] {
          while (true) {
            const Job job = jobs_.pop();
            if (job.done == nullptr) return;
            for (const Flag* earlier : job.after) earlier->wait();
            Completion completion;
            try {
              completion = perform(job.command);
            } catch (...) {
              completion.broken = std::current_exception();
            }
            // In this order: a completion is never reported before those that it waited for.
            completions.push(completion);
            job.done->set();
          }
        }) {}
  ~Stream() {
    jobs_.push({});
    thread_.join();
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  void push(Job job) { jobs_.push(std::move(job)); }

 private:
  Queue<Job> jobs_;
  std::thread thread_;
};

/// What the streams need to perform commands; read only while they run.
struct Workplace {
  const Program& program;
  const Meaning& meaning;
  const Slabs& slabs;
  exec::KernelRegistry registry;

  Completion operator()(const OwnedCommand& command) const {
    if (const auto* copy = std::get_if<OwnedCopy>(&command)) {
      slabs.copy(*copy);
      return {copy->id, true, nullptr};
    }
    const auto& launch = std::get<OwnedLaunch>(command);
    check_bytes_read(slabs, program, meaning, launch);
    exec::run_task(registry, program, launch.task, launch.alternative, slabs.operands(launch),
                   slabs.scratch(launch));
    return {launch.id, false, nullptr};
  }
};

class Loop {
 public:
  Loop(const Program& program, const Machine& machine, const ThreadedOptions& options)
      : program_(program),
        engine_(program, machine, options.engine),
        slabs_(program, machine, engine_.engine()),
        workplace_{program, engine_.meaning(), slabs_, {}} {
    engine_.set_observer(options.observer);
  }

  ThreadedResult run() {
    step({TasksSubmitted{TaskId(program_.task_count())}, SubmissionClosed{}});
    for (std::size_t i = 0; i < program_.task_count(); ++i) {
      const Time release = program_.task(TaskId(i)).release;
      if (release > Time(0)) step({TaskReleased{TaskId(i)}}, release);
    }
    while (!is_finished_) {
      if (in_flight_ == 0) throw RuleBroken("7 stall: " + engine_.engine().stall_report());
      step(completions());
    }
    streams_.clear();
    finish();
    return std::move(result_);
  }

 private:
  std::vector<Event> completions() {
    std::vector<Event> events;
    for (const Completion& completion : completions_.pop_all()) {
      if (completion.broken) std::rethrow_exception(completion.broken);
      --in_flight_;
      const Time start = engine_.now(), end = engine_.now() + Duration(1);
      if (completion.is_copy) {
        events.emplace_back(CopyDone{completion.id, start, end});
      } else {
        events.emplace_back(TaskDone{completion.id, start, end});
      }
    }
    return events;
  }

  void step(const std::vector<Event>& events, Time earliest = Time(0)) {
    const Time now = std::max(engine_.now() + Duration(1), earliest);
    for (const OwnedCommand& command : engine_.step(now, events)) issue(command);
  }

  void issue(const OwnedCommand& command) {
    if (std::holds_alternative<OwnedFinish>(command)) is_finished_ = true;
    if (std::holds_alternative<OwnedFinish>(command) ||
        std::holds_alternative<OwnedDrop>(command)) {
      return;
    }
    Job job{command, {}, &flags_.emplace_back()};
    for (const CommandId earlier : after_of(command)) job.after.push_back(&flags_[earlier.index()]);
    ++in_flight_;
    record(command);
    stream_of(command).push(std::move(job));
  }

  // Devices come first; a pair of spaces is a stream of its own, as on a GPU.
  Stream& stream_of(const OwnedCommand& command) {
    std::pair<std::size_t, std::size_t> key;
    if (const auto* copy = std::get_if<OwnedCopy>(&command)) {
      key = {copy->from.index() + 1, copy->to.index()};
    } else {
      key = {0, std::get<OwnedLaunch>(command).devices.front().index()};
    }
    std::unique_ptr<Stream>& stream = streams_[key];
    if (!stream) stream = std::make_unique<Stream>(std::cref(workplace_), completions_);
    return *stream;
  }

  void record(const OwnedCommand& command) {
    if (const auto* copy = std::get_if<OwnedCopy>(&command)) {
      CopyRecord record{copy->id,      copy->array,        {},           copy->from, copy->to,
                        copy->route,   Bytes(copy->bytes), copy->reason, copy->task, engine_.now(),
                        engine_.now(), engine_.now()};
      for (const OwnedPart& part : copy->parts) record.boxes.push_back(part.box);
      result_.copies.push_back(std::move(record));
    } else {
      const auto& launch = std::get<OwnedLaunch>(command);
      result_.tasks.push_back({launch.task, launch.id, launch.alternative, launch.devices,
                               engine_.now(), engine_.now()});
    }
  }

  void finish() {
    engine_.check_end();
    std::map<TaskId, std::uint16_t> alternatives;
    for (const TaskRecord& task : result_.tasks) alternatives[task.task] = task.alternative;
    check_final_bytes(slabs_, program_, engine_.engine(), [&](TaskId task) {
      const auto found = alternatives.find(task);
      return found == alternatives.end() ? std::uint16_t{0} : found->second;
    });
    for (std::size_t i = 0; i < program_.array_count(); ++i) {
      result_.arrays.push_back(slabs_.contents(engine_.engine(), ArrayId(i), kPoison));
    }
    result_.overviews = engine_.engine().overviews();
    result_.statistics = engine_.engine().statistics();
  }

  const Program& program_;
  CheckedEngine engine_;
  Slabs slabs_;
  Workplace workplace_;
  Queue<Completion> completions_;
  std::deque<Flag> flags_;  // by command; addresses stay
  std::size_t in_flight_ = 0;
  bool is_finished_ = false;
  ThreadedResult result_;
  // Last, so that streams end before what they use.
  std::map<std::pair<std::size_t, std::size_t>, std::unique_ptr<Stream>> streams_;
};

}  // namespace

ThreadedResult run_threaded(const Program& program, const Machine& machine,
                            const ThreadedOptions& options) {
  return Loop(program, machine, options).run();
}

}  // namespace parley::test
