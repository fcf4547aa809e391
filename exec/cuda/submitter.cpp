#include "exec/cuda/submitter.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "exec/backend.h"
#include "exec/cuda/profiler_range.h"
#include "exec/cuda/strided_copy.h"

namespace parley::exec::cuda {

Submitter::Submitter(std::uint16_t gpu, GpuStreams& streams, CommandSlots& slots, CudaSlabs& slabs,
                     std::atomic<bool>& a_gpu_failed, bool writes_marks)
    : gpu_(gpu),
      streams_(streams),
      slots_(slots),
      slabs_(slabs),
      a_gpu_failed_(a_gpu_failed),
      writes_marks_(writes_marks),
      marks_(streams.stream_count()) {
  queues_.resize(streams.stream_count());
}

Submitter::~Submitter() { stop(); }

void Submitter::start(const TaskLauncher& launcher, const core::Program& program,
                      const StreamClock* clock, std::function<core::Time()> now) {
  launcher_ = &launcher;
  program_ = &program;
  clock_ = clock;
  now_ = std::move(now);
  must_stop_ = false;
  is_ready_ = false;
  thread_ = std::jthread([this] { serve(); });
  while (!is_ready_.load(std::memory_order_acquire)) std::this_thread::yield();
}

void Submitter::stop() {
  must_stop_ = true;
  if (thread_.joinable()) thread_.join();
}

/// Submissions come first, so that the GPU is kept busy; ends are looked for when there are none,
/// and after so many: a look takes half as long as a launch.
void Submitter::serve() {
  constexpr int kBetweenPolls = 16;
  (void)cudaSetDevice(streams_.ordinal());
  (void)cudaStreamQuery(streams_.stream(0));  // a thread's first call takes longer
  is_ready_.store(true, std::memory_order_release);
  int since_poll = 0;
  while (!must_stop_.load(std::memory_order_relaxed)) {
    if (a_gpu_failed_.load(std::memory_order_acquire)) stop_followers();
    bool has_worked = retry_held();
    std::uint32_t index = 0;
    for (int i = 0; i < kBetweenPolls && incoming_.pop(index); ++i) {
      if (!try_submit(index)) held_.push_back(index);
      has_worked = true;
      ++since_poll;
    }
    if (has_worked && since_poll < kBetweenPolls) continue;
    since_poll = 0;
    if (!poll() && !has_worked) std::this_thread::yield();
  }
}

// ---- submitting ----

Submitter::Readiness Submitter::readiness(const Slot& slot) const {
  Readiness readiness = Readiness::kReady;
  for (const core::CommandId id : slot.command.after) {
    const Slot& earlier = slots_.of(id);
    switch (earlier.phase.load(std::memory_order_acquire)) {
      case Phase::kStopped:
        return Readiness::kStopped;
      case Phase::kPending:
        readiness = Readiness::kMustWait;
        break;
      case Phase::kSubmitted:
      case Phase::kDone:
      case Phase::kFree:
        break;
    }
  }
  return readiness;
}

bool Submitter::try_submit(std::uint32_t index) {
  switch (readiness(slots_.at(index))) {
    case Readiness::kMustWait:
      return false;
    case Readiness::kStopped:
      stop_slot(index, true, "");
      return true;
    case Readiness::kReady:
      break;
  }
  if (has_failed_) {
    stop_slot(index, false, failure_);
  } else {
    submit(index);
  }
  return true;
}

bool Submitter::retry_held() {
  if (held_.empty()) return false;
  const std::size_t before = held_.size();
  std::erase_if(held_, [this](std::uint32_t index) { return try_submit(index); });
  return held_.size() != before;
}

void Submitter::submit(std::uint32_t index) {
  Slot& slot = slots_.at(index);
  slot.gpu = gpu_;
  slot.stream = choose_stream(slot);
  StreamQueue& queue = queues_[slot.stream];
  try {
    wait_for_earlier(slot);
    enqueue(slot);
  } catch (const EnvironmentFailure& failure) {
    (void)cudaGetLastError();
    const cudaError_t status = cudaStreamQuery(streams_.stream(slot.stream));
    stop_slot(index, false, failure.what());
    // What is on the streams may have failed before, and be told of only now.
    if (status != cudaSuccess && status != cudaErrorNotReady) fail_device(failure.what());
    return;
  }
  slot.position = queue.next_position++;
  if (queue.size() == 0) occupied_.push_back(slot.stream);
  queue.slots.push_back(index);
  if (slot.stream < streams_.compute_streams()) {
    last_priority_ = slot.command.priority;
    ++ordinary_launches_;
  }
  slot.phase.store(Phase::kSubmitted, std::memory_order_release);
  leave_users(slot);
}

Slot::Events& Submitter::events_of(Slot& slot) const {
  Slot::Events& events = slot.events[gpu_];
  const bool is_timed = clock_ != nullptr;
  if (is_timed && events.started == nullptr) {
    check_cuda(cudaEventCreate(&events.started), "making an event");
    // One made for a run without times cannot tell any.
    if (events.ended != nullptr) check_cuda(cudaEventDestroy(events.ended), "an event");
    check_cuda(cudaEventCreate(&events.ended), "making an event");
  }
  if (events.ended == nullptr) {
    check_cuda(cudaEventCreateWithFlags(&events.ended, cudaEventDisableTiming), "making an event");
  }
  return events;
}

void Submitter::enqueue(Slot& slot) {
  const cudaStream_t stream = streams_.stream(slot.stream);
  const auto number = static_cast<std::uint32_t>(queues_[slot.stream].next_position + 1);
  Slot::Events& events = events_of(slot);
  if (clock_ != nullptr) {
    if (writes_marks_) marks_.enqueue_started(slot.stream, stream, number);
    check_cuda(cudaEventRecord(events.started, stream), "recording a start");
  }
  if (slot.command.is_copy) {
    const bool is_push = slot.stream < streams_.launch_streams();
    enqueue_copy(
        slot.command, slabs_, stream,
        is_push ? CopyBy::kKernel : way_of_copying(slot.command, slabs_, streams_.reaches_peers()));
  } else {
    const ProfilerRange range(*program_, slot.command.task, clock_ != nullptr);
    const core::Time before = clock_ != nullptr ? now_() : core::Time(0);
    launcher_->launch(slot.command, streams_.context(slot.stream));
    if (clock_ != nullptr) slot.issue = now_() - before;
  }
  check_cuda(cudaEventRecord(events.ended, stream), "recording an end");
  if (clock_ != nullptr && writes_marks_) marks_.enqueue_ended(slot.stream, stream, number);
}

/// Waits on the stream for what is neither on it nor known to have ended; of several on one other
/// stream the last is enough.
void Submitter::wait_for_earlier(const Slot& slot) {
  const std::vector<core::CommandId>& after = slot.command.after;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const Slot& earlier = slots_.of(after[i]);
    if (earlier.phase.load(std::memory_order_acquire) != Phase::kSubmitted) continue;
    if (earlier.gpu == gpu_ && earlier.stream == slot.stream) continue;
    const bool is_implied = std::ranges::any_of(after, [&](core::CommandId id) {
      const Slot& other = slots_.of(id);
      return other.phase.load(std::memory_order_acquire) == Phase::kSubmitted &&
             other.gpu == earlier.gpu && other.stream == earlier.stream &&
             other.position > earlier.position;
    });
    if (is_implied) continue;
    check_cuda(
        cudaStreamWaitEvent(streams_.stream(slot.stream), earlier.events[earlier.gpu].ended, 0),
        "waiting for an event");
  }
}

void Submitter::leave_users(const Slot& slot) {
  for (const core::CommandId id : slot.command.after) {
    slots_.of(id).users.fetch_sub(1, std::memory_order_release);
  }
}

/// The command will not be performed.
void Submitter::stop_slot(std::uint32_t index, bool is_cancelled, std::string cause) {
  Slot& slot = slots_.at(index);
  slot.is_cancelled = is_cancelled;
  slot.cause = std::move(cause);
  leave_users(slot);
  slot.phase.store(Phase::kStopped, std::memory_order_release);
  ended_.push(index);
}

// ---- streams ----

/// The launch stream whose last command the slot waits for, if it is among [first, end).
std::optional<std::uint16_t> Submitter::stream_behind(const Slot& slot, std::uint32_t first,
                                                      std::uint32_t end) const {
  for (const core::CommandId id : slot.command.after) {
    const Slot& earlier = slots_.of(id);
    if (earlier.phase.load(std::memory_order_acquire) != Phase::kSubmitted || earlier.gpu != gpu_ ||
        earlier.stream < first || earlier.stream >= end) {
      continue;
    }
    if (earlier.position + 1 == queues_[earlier.stream].next_position) return earlier.stream;
  }
  return std::nullopt;
}

/// A small copy to another GPU follows its producer on the same stream, as a kernel: starting a
/// copy engine, and waiting for an event before it, takes longer than the copy.
std::optional<std::uint16_t> Submitter::stream_for_push(const Slot& slot) const {
  constexpr std::int64_t kMostBytes = std::int64_t{2} << 20U;
  const StoredCommand& copy = slot.command;
  if (copy.bytes > kMostBytes || !streams_.reaches_peers()) return std::nullopt;
  if (slabs_.is_host(copy.from) || slabs_.is_host(copy.to) || copy.from == copy.to) {
    return std::nullopt;
  }
  return stream_behind(slot, 0, streams_.launch_streams());
}

std::uint16_t Submitter::choose_stream(const Slot& slot) const {
  if (!slot.command.is_copy) return choose_compute_stream(slot);
  if (const auto stream = stream_for_push(slot)) return *stream;
  const bool is_outgoing = slabs_.gpu_of(slot.command.from) == streams_.ordinal();
  const core::SpaceId other = is_outgoing ? slot.command.to : slot.command.from;
  const std::uint32_t first = streams_.copy_streams(other.index(), is_outgoing);
  return least_full(first, first + GpuStreams::kCopyStreams);
}

std::uint16_t Submitter::least_full(std::uint32_t first, std::uint32_t end) const {
  std::uint32_t best = first;
  for (std::uint32_t i = first + 1; i < end; ++i) {
    if (queues_[i].size() < queues_[best].size()) best = i;
  }
  return static_cast<std::uint16_t>(best);
}

/// Whether the launch is more urgent than every ordinary one on the streams.
bool Submitter::is_most_urgent(const Slot& slot) const {
  if (slot.command.priority <= last_priority_) return false;
  for (std::uint32_t i = 0; i < streams_.compute_streams(); ++i) {
    const StreamQueue& queue = queues_[i];
    for (std::size_t at = queue.done; at < queue.slots.size(); ++at) {
      if (slots_.at(queue.slots[at]).command.priority >= slot.command.priority) return false;
    }
  }
  return ordinary_launches_ > 0;
}

/// The streams [first, end) that suit the launch.
std::pair<std::uint32_t, std::uint32_t> Submitter::suitable_streams(const Slot& slot) const {
  const std::uint32_t ordinary = streams_.compute_streams();
  const bool is_urgent = launcher_->is_of_panel(slot.command) || is_most_urgent(slot);
  if (is_urgent) return {ordinary, streams_.launch_streams()};
  return {0, ordinary};
}

/// Behind the command that it waits for, where that is the last of its stream: no event is needed
/// then. Else the stream with the fewest launches.
std::uint16_t Submitter::choose_compute_stream(const Slot& slot) const {
  const auto [first, end] = suitable_streams(slot);
  return stream_behind(slot, first, end).value_or(least_full(first, end));
}

// ---- ends ----

/// One stream at a time, in turn: each look costs the time of half a launch.
bool Submitter::poll() {
  if (occupied_.empty()) return false;
  if (turn_ >= occupied_.size()) turn_ = 0;
  const std::uint16_t stream = occupied_[turn_];
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

bool Submitter::is_done(std::uint32_t index) {
  const cudaError_t status = cudaEventQuery(slots_.at(index).events[gpu_].ended);
  if (status == cudaSuccess) return true;
  if (status != cudaErrorNotReady) {
    fail_device(std::string(cudaGetErrorName(status)) + ": " + cudaGetErrorString(status));
  }
  return false;
}

/// The oldest first: mostly it has not ended. If it has, the youngest that has is searched for by
/// halves: a query costs 1.4 us, and all before one that has ended have.
bool Submitter::poll_stream(std::uint16_t stream) {
  StreamQueue& queue = queues_[stream];
  if (!is_done(queue.slots[queue.done])) return false;
  std::size_t ended = queue.done + 1;  // these are known to have ended
  std::size_t open = queue.slots.size();
  std::size_t probe = open - 1;  // the youngest, then the middle
  while (ended < open) {
    if (is_done(queue.slots[probe])) {
      ended = probe + 1;
    } else if (has_failed_) {
      return true;
    } else {
      open = probe;
    }
    probe = ended + (open - ended) / 2;
  }
  const core::Time seen = now_();
  for (; queue.done < ended; ++queue.done) finish(queue.slots[queue.done], seen);
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

void Submitter::finish(std::uint32_t index, core::Time seen) {
  Slot& slot = slots_.at(index);
  if (slot.stream < streams_.compute_streams()) --ordinary_launches_;
  if (clock_ != nullptr) {
    try {
      const Slot::Events& events = slot.events[gpu_];
      slot.start = clock_->time_of(events.started);
      slot.end = std::max(slot.start, clock_->time_of(events.ended));
    } catch (const EnvironmentFailure&) {  // the GPU has failed since: the next look tells
      (void)cudaGetLastError();
      slot.start = slot.end = seen;
    }
  } else {
    slot.start = slot.end = seen;
  }
  report_done(index);
}

void Submitter::report_done(std::uint32_t index) {
  slots_.at(index).phase.store(Phase::kDone, std::memory_order_release);
  ended_.push(index);
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
      report_done(queue.slots[queue.done]);
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
    std::size_t first = queue.done;
    while (first < queue.slots.size() && !follows_stopped(slots_.at(queue.slots[first]))) ++first;
    for (std::size_t i = first; i < queue.slots.size(); ++i) {
      Slot& slot = slots_.at(queue.slots[i]);
      slot.is_cancelled = follows_stopped(slot);
      slot.cause = slot.is_cancelled ? "" : "waits behind a command for a GPU that failed";
      slot.phase.store(Phase::kStopped, std::memory_order_release);
      ended_.push(queue.slots[i]);
    }
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
  const std::string names = running_tasks();
  failure_ = "gpu:" + std::to_string(streams_.ordinal()) + " failed" +
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
