// How a submitter finds what has ended, and what becomes of commands when a GPU fails.
#include <algorithm>
#include <chrono>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "exec/backend.h"
#include "exec/cuda/submitter.h"

namespace parley::exec::cuda {

using Clock = std::chrono::steady_clock;

/// One stream at a time, in turn: each question costs the time of half a launch. (To go on until
/// something has ended keeps other threads out of the driver: a fifth slower with two GPUs.)
bool Submitter::poll() {
  if (occupied_.empty()) return false;
  if (turn_ >= occupied_.size()) turn_ = 0;
  const std::uint16_t stream = next_to_poll();
  const bool has_ended = poll_stream(stream);
  if (has_failed_) return true;
  if (queues_[stream].size() == 0) {
    occupied_[turn_] = occupied_.back();
    occupied_.pop_back();
  } else {
    ++turn_;
  }
  return has_ended;
}

std::uint16_t Submitter::next_to_poll() const {
  return occupied_[turn_ < occupied_.size() ? turn_ : 0];
}

/// Whether what comes next there, or what is right behind it, will be signalled. What a push is
/// right behind is not asked for: that would take as long as the push does.
bool Submitter::ends_with_signal(std::uint16_t stream) const {
  const StreamQueue& queue = queues_[stream];
  const auto is_signalled = [&](std::size_t i) {
    return i < queue.slots.size() && slots_.at(queue.slots[i]).is_signalled;
  };
  return is_signalled(queue.done) || is_signalled(queue.done + 1);
}

bool Submitter::is_done(std::uint32_t index) {
  const Slot& slot = slots_.at(index);
  if (slot.is_signalled) {
    return signals_.has_reached(slot.stream, static_cast<std::uint32_t>(slot.position + 1));
  }
  const cudaError_t status = cudaEventQuery(end_event(slot));
  if (status == cudaSuccess) return true;
  if (status != cudaErrorNotReady) {
    fail_device(text_of(status));
  }
  return false;
}

/// Of the oldest, by the stream's signal: all before a number signalled have ended.
std::size_t Submitter::ended_by_signal(const StreamQueue& queue) const {
  std::size_t ended = queue.done;
  while (ended < queue.slots.size()) {
    const Slot& slot = slots_.at(queue.slots[ended]);
    if (!signals_.has_reached(slot.stream, static_cast<std::uint32_t>(slot.position + 1))) break;
    ++ended;
  }
  return ended - queue.done;
}

/// The oldest first: mostly it has not ended. If it has, from the youngest back in steps that
/// double, until one has: all before it have, too. An event that is open answers in a tenth of the
/// time of one that is not, so that few of those are asked.
std::size_t Submitter::ended_by_events(const StreamQueue& queue) {
  if (!is_done(queue.slots[queue.done])) return 0;
  const std::size_t first_end = end_of_launch(queue, queue.done);
  std::size_t step = 1;
  for (std::size_t end = queue.slots.size(); end > first_end; step *= 2) {
    if (is_done(queue.slots[end - 1])) return end_of_launch(queue, end - 1) - queue.done;
    if (has_failed_) return 0;
    end -= std::min(step, end - first_end);
  }
  return first_end - queue.done;
}

/// The first behind the one at `first` that does not share its launch.
std::size_t Submitter::end_of_launch(const StreamQueue& queue, std::size_t first) const {
  const std::uint32_t launch = slots_.at(queue.slots[first]).launch;
  std::size_t end = first + 1;
  while (end < queue.slots.size() && slots_.at(queue.slots[end]).launch == launch) ++end;
  return end;
}

/// Signals that do not come are no sign of a failure; the stream is asked now and then.
bool Submitter::is_healthy(std::uint16_t stream) {
  constexpr auto kBetweenQuestions = std::chrono::milliseconds(1);
  const auto now = Clock::now();
  if (now - last_question_ < kBetweenQuestions) return true;
  last_question_ = now;
  const cudaError_t status = cudaStreamQuery(streams_.stream(stream));
  if (status == cudaSuccess || status == cudaErrorNotReady) return true;
  fail_device(text_of(status));
  return false;
}

bool Submitter::poll_stream(std::uint16_t stream) {
  StreamQueue& queue = queues_[stream];
  std::size_t count = 0;
  if (ends_with_signal(stream)) {
    count = ended_by_signal(queue);
    if (count == 0 && !is_healthy(stream)) return true;
  } else {
    count = ended_by_events(queue);
  }
  if (count == 0 || has_failed_) return has_failed_;
  const std::size_t ended = queue.done + count;
  const core::Time seen = now_();
  finish(queue, ended, seen);
  if (queue.size() == 0) {
    queue.slots.clear();
    queue.done = 0;
  } else if (queue.done > 1024) {
    queue.slots.erase(queue.slots.begin(),
                      queue.slots.begin() + static_cast<std::ptrdiff_t>(queue.done));
    queue.done = 0;
  }
  return true;
}

/// Those before `end`, seen to have ended. Those that share a launch share its times. All are
/// marked before the first is reported, so that what waits for the last on the host starts at once.
void Submitter::finish(StreamQueue& queue, std::size_t end, core::Time seen) {
  std::uint32_t launch = CommandSlots::kCount;  // whose times are known
  std::pair times(seen, seen);
  for (std::size_t i = queue.done; i < end; ++i) {
    Slot& slot = slots_.at(queue.slots[i]);
    if (slot.stream < streams_.compute_streams()) --ordinary_launches_;
    if (clock_ != nullptr && std::exchange(launch, slot.launch) != slot.launch) {
      times = times_of(slot.launch, seen);
    }
    std::tie(slot.start, slot.end) = times;
    slot.phase.store(Phase::kDone, std::memory_order_release);
  }
  for (; queue.done < end; ++queue.done) ended_.push(queue.slots[queue.done]);
}

/// From its events; `seen` twice if the GPU has failed since, of which the next look tells.
std::pair<core::Time, core::Time> Submitter::times_of(std::uint32_t launch, core::Time seen) {
  const Slot::Events& events = slots_.at(launch).events[gpu_];
  try {
    const core::Time start = clock_->time_of(events.started);
    return {start, std::max(start, clock_->time_of(events.timed_end))};
  } catch (const EnvironmentFailure&) {
    (void)cudaGetLastError();
    return {seen, seen};
  }
}

std::string Submitter::running_tasks() const {
  std::string names;
  for (const std::uint16_t stream : occupied_) {
    const StreamQueue& queue = queues_[stream];
    if (queue.size() == 0) continue;
    const Slot& slot = slots_.at(queue.slots[queue.done]);
    const StoredCommand& first = slot.command;
    if (first.is_copy || first.task.is_none()) continue;
    const bool is_marked = clock_ != nullptr && marks_.started(stream) != 0;
    const auto number = static_cast<std::uint32_t>(slot.position + 1);
    if (is_marked && marks_.started(stream) != number) continue;  // it had not started
    names += (names.empty() ? "" : ", ") + std::string(program_->task_name(first.task));
  }
  return names;
}

/// What ended before the device failed and was not found yet; its times are lost.
void Submitter::finish_marked() {
  if (clock_ == nullptr) return;
  for (const std::uint16_t stream : occupied_) {
    StreamQueue& queue = queues_[stream];
    for (; queue.size() > 0; ++queue.done) {
      Slot& slot = slots_.at(queue.slots[queue.done]);
      const auto number = static_cast<std::uint32_t>(slot.position + 1);
      if (static_cast<std::int32_t>(marks_.ended(stream) - number) < 0) break;
      slot.start = slot.end = now_();
      slot.phase.store(Phase::kDone, std::memory_order_release);
      ended_.push(queue.slots[queue.done]);
    }
  }
}

bool Submitter::follows_stopped(const Slot& slot) const {
  return std::ranges::any_of(slot.command.after, [this](core::CommandId id) {
    return slots_.of(id).phase.load(std::memory_order_acquire) == Phase::kStopped;
  });
}

/// Another GPU failed: what waits for its events on this one's streams may wait for ever, and so
/// does all behind it.
void Submitter::stop_followers() {
  if (has_failed_) return;
  for (StreamQueue& queue : queues_) {
    const auto share_launch = [&](std::size_t i, std::size_t j) {
      return slots_.at(queue.slots[i]).launch == slots_.at(queue.slots[j]).launch;
    };
    std::size_t first = queue.done;
    while (first < queue.slots.size() && !follows_stopped(slots_.at(queue.slots[first]))) ++first;
    const bool is_found = first < queue.slots.size();
    while (is_found && first > queue.done && share_launch(first - 1, first)) --first;
    for (std::size_t i = first; i < queue.slots.size(); ++i) {
      Slot& slot = slots_.at(queue.slots[i]);
      slot.is_cancelled = follows_stopped(slot);
      slot.cause = slot.is_cancelled ? "" : "waits behind a command for a GPU that failed";
      slot.phase.store(Phase::kStopped, std::memory_order_release);
      ended_.push(queue.slots[i]);
    }
    queue.is_cut = queue.is_cut || first < queue.slots.size();
    queue.slots.resize(first);
  }
  std::erase_if(occupied_, [this](std::uint16_t stream) { return queues_[stream].size() == 0; });
}

/// The device answers nothing but errors from now on. The first launch of each stream may be the
/// cause, what follows on the streams is lost with it.
void Submitter::fail_device(const std::string& cause) {
  if (has_failed_) return;
  has_failed_ = true;
  finish_marked();
  a_gpu_failed_.store(true, std::memory_order_release);
  for (std::uint32_t i = 0; i < streams_.launch_streams(); ++i) {
    signals_.set(i, static_cast<std::uint32_t>(queues_[i].next_position));
  }
  const std::string names = running_tasks();
  const bool is_shared = std::ranges::any_of(all_, [this](const auto& other) {
    return other.get() != this && other->streams_.ordinal() == streams_.ordinal();
  });
  const std::string card = is_shared ? " (one of several on CUDA device " +
                                           std::to_string(streams_.ordinal()) +
                                           ", each of which may be the cause)"
                                     : "";
  failure_ = "gpu:" + std::to_string(gpu_) + card + " failed" +
             (names.empty() ? "" : " in " + names) + ": " + cause;
  std::vector<std::uint32_t> lost;
  for (StreamQueue& queue : queues_) {
    lost.insert(lost.end(), queue.slots.begin() + static_cast<std::ptrdiff_t>(queue.done),
                queue.slots.end());
    queue.slots.clear();
    queue.done = 0;
  }
  occupied_.clear();
  std::ranges::sort(lost, {}, [this](std::uint32_t i) { return slots_.at(i).command.id; });
  for (const std::uint32_t index : lost) {
    Slot& slot = slots_.at(index);
    const bool follows = follows_stopped(slot);
    slot.is_cancelled = follows;
    slot.cause = follows ? "" : failure_;
    slot.phase.store(Phase::kStopped, std::memory_order_release);
    ended_.push(index);
  }
}

}  // namespace parley::exec::cuda
