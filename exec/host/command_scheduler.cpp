#include "exec/host/command_scheduler.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "exec/processors.h"

namespace parley::exec {

using core::CommandId;

CommandScheduler::CommandScheduler(const core::Machine& machine, std::chrono::microseconds awake)
    : awake_(awake),
      space_count_(machine.space_count()),
      lane_is_taken_(space_count_ * space_count_, 0) {
  for (const core::Device& device : machine.spec().devices) {
    free_milli_slots_.push_back(std::int64_t{1000} * device.slots);
  }
}

std::size_t CommandScheduler::lane(const StoredCommand& copy) const {
  return copy.from.index() * space_count_ + copy.to.index();
}

// ---- the thread that submits ----

std::uint32_t CommandScheduler::free_entry() {
  if (free_entries_.empty()) {
    entries_.emplace_back();
    return static_cast<std::uint32_t>(entries_.size() - 1);
  }
  const std::uint32_t entry = free_entries_.back();
  free_entries_.pop_back();
  return entry;
}

template <class Command>
void CommandScheduler::add(const Command& given) {
  const std::lock_guard lock(mutex_);
  const std::uint32_t number = free_entry();
  Entry& entry = entries_[number];
  entry.own.assign(given);
  entry.command = &entry.own;
  entry.pending = 0;
  entry.dependents.clear();
  if (entry_of_.size() <= given.id.index()) entry_of_.resize(given.id.index() + 1, kGone);
  entry_of_[given.id.index()] = number;
  bool is_stopped = false;
  for (const CommandId earlier : given.after) {
    const std::uint32_t before = entry_of_[earlier.index()];
    if (before == kGone) continue;
    if (before == kStopped) {
      is_stopped = true;
    } else {
      entries_[before].dependents.push_back(given.id);
      ++entry.pending;
    }
  }
  if (is_stopped) {
    cancel(given.id);
  } else if (entry.pending == 0) {
    make_ready(number);
  }
}

void CommandScheduler::submit(const core::StartCopy& copy) { add(copy); }
void CommandScheduler::submit(const core::LaunchTask& launch) { add(launch); }

void CommandScheduler::submit_ready(const StoredCommand& command) {
  const std::lock_guard lock(mutex_);
  const std::uint32_t number = free_entry();
  entries_[number].command = &command;
  entries_[number].pending = 0;
  entries_[number].dependents.clear();
  if (entry_of_.size() <= command.id.index()) entry_of_.resize(command.id.index() + 1, kGone);
  entry_of_[command.id.index()] = number;
  make_ready(number);
}

void CommandScheduler::collect(std::vector<Completion>& completions, bool waits) {
  constexpr auto kMostWait = std::chrono::milliseconds(20);
  // The lock would keep those who perform from it.
  if (!waits && !has_completions_.load(std::memory_order_acquire)) return;
  std::unique_lock lock(mutex_);
  if (waits) ended_.wait_for(lock, kMostWait, [&] { return !completions_.empty(); });
  for (Completion& completion : completions_) completions.push_back(std::move(completion));
  completions_.clear();
  has_completions_.store(false, std::memory_order_relaxed);
}

void CommandScheduler::close() {
  // With the lock: a thread that has looked for the last time and is about to sleep must not miss
  // it.
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  for (Ready* ready : {&launches_, &copies_}) {
    note_change(*ready);
    ready->changed.notify_all();
  }
}

// ---- the threads that perform ----

bool CommandScheduler::can_start(const StoredCommand& command) const {
  if (command.is_copy) return lane_is_taken_[lane(command)] == 0;
  return std::ranges::all_of(command.devices, [&](core::DeviceId device) {
    return free_milli_slots_[device] >= command.milli_vcus;
  });
}

void CommandScheduler::take_servers(const StoredCommand& command) {
  if (command.is_copy) {
    lane_is_taken_[lane(command)] = 1;
    return;
  }
  for (const core::DeviceId device : command.devices) {
    free_milli_slots_[device] -= command.milli_vcus;
  }
}

/// Tells nobody: the thread whose command has ended looks for the next itself.
void CommandScheduler::release_servers(const StoredCommand& command) {
  if (command.is_copy) {
    lane_is_taken_[lane(command)] = 0;
    return;
  }
  for (const core::DeviceId device : command.devices) {
    free_milli_slots_[device] += command.milli_vcus;
  }
}

/// One thread is told: the one that is awake, if any. With more than one command to take, it tells
/// the next. All awake, they would get in each other's way at the lock. Only of what can start now:
/// who is told of the rest finds nothing to do, and waking up costs as much as a small task.
void CommandScheduler::note_change(Ready& ready) {
  ready.changes.fetch_add(1, std::memory_order_release);
  if (!ready.is_watched) ready.changed.notify_one();
}

/// Awake for a while, without the lock, if no other thread is; then asleep.
void CommandScheduler::wait_for_change(Ready& ready, std::unique_lock<std::mutex>& lock) const {
  const std::uint32_t seen = ready.changes.load(std::memory_order_acquire);
  if (awake_.count() > 0 && !ready.is_watched) {
    ready.is_watched = true;
    lock.unlock();
    const auto end = std::chrono::steady_clock::now() + awake_;
    while (ready.changes.load(std::memory_order_acquire) == seen &&
           std::chrono::steady_clock::now() < end) {
      relax();
    }
    take_soon(lock);
    ready.is_watched = false;
    if (ready.changes.load(std::memory_order_acquire) != seen) return;
  }
  ready.changed.wait(lock);
}

/// The thread that tells of a change holds the lock for a moment longer: to sleep until it gives it
/// back would take a multiple of that.
void CommandScheduler::take_soon(std::unique_lock<std::mutex>& lock) {
  constexpr int kTries = 200;
  for (int i = 0; i < kTries; ++i) {
    if (lock.try_lock()) return;
    relax();
  }
  lock.lock();
}

/// Whether another thread may find something. Not more are looked at than waking it would take.
bool CommandScheduler::may_start_another(const Ready& ready) const {
  constexpr std::size_t kLookedAt = 64;
  if (ready.commands.size() > kLookedAt) return true;
  return std::ranges::any_of(ready.commands, [this](const auto& waiting) {
    return can_start(*entries_[std::get<2>(waiting)].command);
  });
}

const StoredCommand* CommandScheduler::next(Ready& ready) {
  std::unique_lock lock(mutex_);
  while (true) {
    for (auto at = ready.commands.begin(); at != ready.commands.end(); ++at) {
      const StoredCommand* command = entries_[std::get<2>(*at)].command;
      if (!can_start(*command)) continue;
      take_servers(*command);
      ready.commands.erase(at);
      if (may_start_another(ready)) note_change(ready);
      return command;
    }
    if (is_closed_) return nullptr;
    wait_for_change(ready, lock);
  }
}

void CommandScheduler::cancel_waiting() {
  const std::lock_guard lock(mutex_);
  is_cancelling_ = true;
  for (Ready* ready : {&launches_, &copies_}) {
    const auto waiting = std::exchange(ready->commands, {});
    for (const auto& [priority, id, number] : waiting) cancel(id);
  }
}

void CommandScheduler::make_ready(std::uint32_t number) {
  const StoredCommand& command = *entries_[number].command;
  if (is_cancelling_) return cancel(command.id);
  Ready& ready = command.is_copy ? copies_ : launches_;
  ready.commands.emplace(-command.priority, command.id, number);
  if (can_start(command)) note_change(ready);
}

void CommandScheduler::complete(Completion completion) {
  completions_.push_back(std::move(completion));
  has_completions_.store(true, std::memory_order_release);
}

void CommandScheduler::forget(std::uint32_t number, bool is_stopped) {
  Entry& entry = entries_[number];
  entry_of_[entry.command->id.index()] = is_stopped ? kStopped : kGone;
  free_entries_.push_back(number);
}

/// The command and all that wait for it will never run.
void CommandScheduler::cancel(CommandId id) {
  std::vector<CommandId> stopped = {id};
  while (!stopped.empty()) {
    const std::uint32_t number = entry_of_[stopped.back().index()];
    stopped.pop_back();
    if (number == kStopped) continue;  // on another's account
    Entry& entry = entries_[number];
    complete({Completion::Kind::kCancelled, entry.command->id, {}, {}, {}});
    stopped.insert(stopped.end(), entry.dependents.begin(), entry.dependents.end());
    forget(number, true);
  }
  ended_.notify_one();
}

void CommandScheduler::ended(const StoredCommand& command, core::Time start, core::Time end,
                             const std::optional<std::string>& failure) {
  std::unique_lock lock(mutex_);
  const std::uint32_t number = entry_of_[command.id.index()];
  release_servers(command);
  const auto kind = failure ? Completion::Kind::kFailed : Completion::Kind::kDone;
  complete({kind, command.id, start, end, failure.value_or("")});
  std::vector<CommandId> dependents;
  dependents.swap(entries_[number].dependents);
  forget(number, failure.has_value());
  for (const CommandId dependent : dependents) {
    const std::uint32_t waiting = entry_of_[dependent.index()];
    if (waiting == kStopped) continue;
    if (failure) {
      cancel(dependent);
    } else if (--entries_[waiting].pending == 0) {
      make_ready(waiting);
    }
  }
  lock.unlock();  // who is told would only wait for it
  ended_.notify_one();
}

}  // namespace parley::exec
