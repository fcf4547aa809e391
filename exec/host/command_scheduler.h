// Which submitted commands may start: those whose `after` has finished, in order of (priority, id)
// among those whose devices, or lane, are free. Commands after a failed one are cancelled. Shared
// by the thread that submits and those that perform; everything is guarded by one mutex, but for
// counts and flags that tell whether it is worth taking.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/engine/command.h"
#include "core/machine/machine.h"
#include "exec/backend.h"
#include "exec/driver/stored_command.h"

namespace parley::exec {

class CommandScheduler {
 public:
  /// `awake`: how long one thread of each kind that finds nothing to do looks again before it
  /// sleeps; waking up takes a multiple of what a small task does.
  explicit CommandScheduler(const core::Machine& machine,
                            std::chrono::microseconds awake = std::chrono::microseconds(0));

  // ---- by the thread that submits ----
  void submit(const core::StartCopy& copy);
  void submit(const core::LaunchTask& launch);
  /// A command whose `after` has finished. It must stay as it is until its end has been collected.
  void submit_ready(const StoredCommand& command);
  /// Appends what has ended; waits up to a few milliseconds for something if `waits`. Else cheap
  /// when nothing has: it may be asked all the time.
  void collect(std::vector<Completion>& completions, bool waits);
  /// Cancels all that has not started.
  void cancel_waiting();
  /// No more commands: next() returns null once all have ended.
  void close();

  // ---- by the threads that perform ----
  /// A command to perform now, its devices or lane taken; waits for one. Null: the end.
  const StoredCommand* next_launch() { return next(launches_); }
  const StoredCommand* next_copy() { return next(copies_); }
  /// It ended; `failure`: it did not do its work.
  void ended(const StoredCommand& command, core::Time start, core::Time end,
             const std::optional<std::string>& failure);

 private:
  struct Entry {
    const StoredCommand* command = nullptr;
    StoredCommand own;  // where it lies unless somebody else keeps it
    std::uint32_t pending = 0;
    std::vector<core::CommandId> dependents;
  };
  /// Ready commands of one kind: (minus priority, id, entry).
  struct Ready {
    std::set<std::tuple<std::int32_t, core::CommandId, std::uint32_t>> commands;
    std::condition_variable changed;
    std::atomic<std::uint32_t> changes{0};  // counts, for the thread that watches
    bool is_watched = false;                // by a thread that is awake
  };
  static constexpr std::uint32_t kGone = 0xffffffffU;
  static constexpr std::uint32_t kStopped = 0xfffffffeU;

  template <class Command>
  void add(const Command& given);
  std::uint32_t free_entry();
  const StoredCommand* next(Ready& ready);
  void wait_for_change(Ready& ready, std::unique_lock<std::mutex>& lock) const;
  static void take_soon(std::unique_lock<std::mutex>& lock);
  void complete(Completion completion);
  static void note_change(Ready& ready);
  [[nodiscard]] bool can_start(const StoredCommand& command) const;
  [[nodiscard]] bool may_start_another(const Ready& ready) const;
  void take_servers(const StoredCommand& command);
  void release_servers(const StoredCommand& command);
  void make_ready(std::uint32_t entry);
  void cancel(core::CommandId id);
  void forget(std::uint32_t entry, bool is_stopped);
  [[nodiscard]] std::size_t lane(const StoredCommand& copy) const;

  std::chrono::microseconds awake_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::deque<Entry> entries_;  // addresses stay
  std::vector<std::uint32_t> free_entries_;
  std::vector<std::uint32_t> entry_of_;  // by command id; kGone, kStopped
  Ready launches_, copies_;
  core::IdVector<core::DeviceId, std::int64_t> free_milli_slots_;
  std::size_t space_count_;
  std::vector<char> lane_is_taken_;  // by (from, to)
  std::vector<Completion> completions_;
  std::atomic<bool> has_completions_{false};
  bool is_closed_ = false;
  bool is_cancelling_ = false;  // what becomes ready is cancelled
};

}  // namespace parley::exec
