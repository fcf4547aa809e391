#include "exec/cuda/submitter.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "core/base/check.h"
#include "exec/backend.h"
#include "exec/cuda/cuda_backend.h"
#include "exec/cuda/profiler_range.h"
#include "exec/cuda/strided_copy.h"
#include "exec/processors.h"

namespace parley::exec::cuda {

using Clock = std::chrono::steady_clock;

Submitter::Submitter(std::uint16_t gpu, GpuStreams& streams, CommandSlots& slots, CudaSlabs& slabs,
                     const std::vector<std::unique_ptr<Submitter>>& all,
                     std::atomic<bool>& a_gpu_failed, bool writes_marks)
    : gpu_(gpu),
      streams_(streams),
      slots_(slots),
      slabs_(slabs),
      all_(all),
      a_gpu_failed_(a_gpu_failed),
      writes_marks_(writes_marks),
      marks_(streams.stream_count()),
      signals_(streams.launch_streams()) {
  queues_.resize(streams.stream_count());
}

Submitter::~Submitter() { stop(); }

void Submitter::start(const TaskLauncher& launcher, const core::Program& program,
                      const StreamClock* clock, std::function<core::Time()> now,
                      std::optional<int> processor) {
  launcher_ = &launcher;
  program_ = &program;
  clock_ = clock;
  now_ = std::move(now);
  must_stop_ = false;
  is_ready_ = false;
  may_serve_ = false;
  known_before_.resize(queues_.size() * all_.size() * queues_.size(), 0);
  thread_ = std::jthread([this, processor] {
    const ThreadBinding binding = processor ? ThreadBinding::to(*processor) : ThreadBinding();
    is_alone_ = binding.is_bound();
    get_ready();
    serve();
  });
}

void Submitter::wait_until_ready() {
  while (!is_ready_.load(std::memory_order_acquire)) std::this_thread::yield();
}

void Submitter::stop() {
  must_stop_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
}

/// What takes long the first time, before a run. Then it stays awake until the run begins.
void Submitter::get_ready() {
  cudaError_t status = cudaSetDevice(streams_.ordinal());
  if (status == cudaSuccess)
    status = cudaStreamQuery(streams_.stream(0));  // the first takes longer
  if (status == cudaSuccess || status == cudaErrorNotReady) {
    provide_events();
  } else {
    fail_device(text_of(status));
  }
  is_ready_.store(true, std::memory_order_release);
  while (!may_serve_.load(std::memory_order_acquire) && !must_stop_.load()) rest();
}

/// Submissions come first, so that the GPU is kept busy; ends are looked for when there are none,
/// and after so many: a look takes half as long as a launch.
void Submitter::serve() {
  last_work_ = Clock::now();
  std::size_t since_poll = 0;
  while (!must_stop_.load(std::memory_order_relaxed)) {
    if (a_gpu_failed_.load(std::memory_order_acquire)) stop_followers();
    bool has_worked = retry_held();
    const std::size_t submitted = submit_incoming();
    has_worked |= submitted > 0;
    since_poll += submitted;
    if (has_worked && since_poll < kBetweenPolls) continue;
    if (has_worked || is_time_to_poll()) {
      since_poll = 0;
      has_worked |= poll();
      last_poll_ = Clock::now();
    }
    if (has_worked) {
      last_work_ = Clock::now();
    } else {
      rest_or_sleep();
    }
  }
}

/// Those that the run is expected to need. One that cannot be made is asked for again when it is
/// used, which then says what is wrong, unless the GPU answers nothing any more.
void Submitter::provide_events() {
  std::size_t& made = clock_ != nullptr ? timed_events_ : plain_events_;
  const std::size_t wanted =
      std::min(CommandSlots::kCount, kCommandsPerTask * program_->task_count());
  try {
    for (; made < wanted; ++made) (void)events_of(slots_.at(static_cast<std::uint32_t>(made)));
  } catch (const EnvironmentFailure& failure) {
    (void)cudaGetLastError();
    const cudaError_t status = cudaStreamQuery(streams_.stream(0));
    if (status != cudaSuccess && status != cudaErrorNotReady) fail_device(failure.what());
  }
}

/// Slots come from the cache of another processor. They are asked for while the driver has those
/// before them: first the slot, then what it refers to.
std::size_t Submitter::submit_incoming() {
  std::array<std::uint32_t, kBetweenPolls> slots{};
  std::size_t count = 0;
  while (count < kBetweenPolls && incoming_.pop(slots[count])) ++count;
  const auto fetch = [](const void* address) { __builtin_prefetch(address); };
  for (std::size_t i = 0; i < count; ++i) {
    if (i + 2 < count) {
      const auto* slot = reinterpret_cast<const std::byte*>(&slots_.at(slots[i + 2]));
      for (std::size_t at = 0; at < sizeof(Slot); at += 64) fetch(slot + at);
    }
    if (i + 1 < count) {
      const StoredCommand& next = slots_.at(slots[i + 1]).command;
      fetch(next.after.data());
      fetch(next.operands.data());
      fetch(next.devices.data());
      fetch(next.parts.data());
    }
    if (!try_submit(slots[i])) held_.push_back(slots[i]);
  }
  launch_joined();
  return count;
}

/// Asked all the time, the driver's locks would keep the threads of other GPUs, whose streams wait
/// for events of this one, from submitting. A signal is read without the driver.
bool Submitter::is_time_to_poll() const {
  constexpr auto kAtLeast = std::chrono::nanoseconds(kBetweenLooksNs);
  if (occupied_.empty()) return false;
  return ends_with_signal(next_to_poll()) || Clock::now() - last_poll_ >= kAtLeast;
}

void Submitter::rest_or_sleep() {
  constexpr auto kAwake = std::chrono::milliseconds(2);
  if (occupied_.empty() && held_.empty() && Clock::now() - last_work_ > kAwake) {
    sleep();
    last_work_ = Clock::now();
  } else {
    rest();
  }
}

/// Others may need the processor, unless it is this thread's own.
void Submitter::rest() const {
  if (is_alone_) {
    relax();
  } else {
    std::this_thread::yield();
  }
}

/// Until something is pushed. Either the one who pushes sees that this sleeps, or this sees what
/// was pushed: each writes, then reads what the other writes, in one order for all.
void Submitter::sleep() {
  is_asleep_.store(true, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (incoming_.empty() && !must_stop_.load()) is_asleep_.wait(true);
  is_asleep_.store(false, std::memory_order_relaxed);
}

void Submitter::wake() {
  is_asleep_.store(false, std::memory_order_seq_cst);
  is_asleep_.notify_one();
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
  const Slot& slot = slots_.at(index);
  if (!joined_.empty() && !has_room_for(slot)) launch_joined();
  Readiness is_ready = readiness(slot);
  if (is_ready == Readiness::kMustWait && !joined_.empty()) {  // perhaps for one of those
    launch_joined();
    is_ready = readiness(slot);
  }
  switch (is_ready) {
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
  launch_joined();
  return held_.size() != before;
}

void Submitter::submit(std::uint32_t index) {
  Slot& slot = slots_.at(index);
  slot.gpu = gpu_;
  slot.stream = choose_stream(slot);
  slot.launch = index;
  StreamQueue& queue = queues_[slot.stream];
  if (queue.is_cut) {
    stop_slot(index, false, "its queues wait for a GPU that failed");
    return;
  }
  try {
    if (slot.command.is_copy && may_join(slot.command, slabs_)) return join(index);
    note_awaited(slot);
    wait_for_awaited(slot.stream);
    enqueue(slot);
  } catch (const EnvironmentFailure& failure) {
    return refuse(index, failure);
  }
  enter(index);
}

/// It is on its stream.
void Submitter::enter(std::uint32_t index) {
  Slot& slot = slots_.at(index);
  StreamQueue& queue = queues_[slot.stream];
  slot.position = queue.next_position++;
  note_newest(slot, queue);
  if (queue.size() == 0) occupied_.push_back(slot.stream);
  queue.slots.push_back(index);
  if (slot.stream < streams_.compute_streams()) {
    last_priority_ = slot.command.priority;
    ++ordinary_launches_;
  }
  slot.phase.store(Phase::kSubmitted, std::memory_order_release);
  leave_users(slot);
}

/// Where it is, and what those that it follows follow.
void Submitter::note_newest(Slot& slot, StreamQueue& queue) {
  for (const core::CommandId id : slot.command.after) {
    const Slot& earlier = slots_.of(id);
    for (std::size_t gpu = 0; gpu < slot.newest.size(); ++gpu) {
      slot.newest[gpu] = std::max(slot.newest[gpu], earlier.newest[gpu]);
    }
  }
  if (slot.stream >= streams_.launch_streams()) return;
  slot.newest[gpu_] = queue.newest = ++on_launch_streams_;
}

void Submitter::refuse(std::uint32_t index, const EnvironmentFailure& failure) {
  (void)cudaGetLastError();
  const Slot& slot = slots_.at(index);
  ++queues_[slot.stream].next_position;  // its number may be written as one that started
  const cudaError_t status = cudaStreamQuery(streams_.stream(slot.stream));
  stop_slot(index, false, failure.what());
  // What is on the streams may have failed before, and be told of only now.
  if (status != cudaSuccess && status != cudaErrorNotReady) fail_device(failure.what());
}

/// They are made when a slot is first used; provide_events() uses most before the run.
Slot::Events& Submitter::events_of(Slot& slot) const {
  Slot::Events& events = slot.events[gpu_];
  const bool is_timed = clock_ != nullptr;
  if (is_timed && events.timed_end == nullptr) {
    if (events.started == nullptr) check_cuda(cudaEventCreate(&events.started), "making an event");
    check_cuda(cudaEventCreate(&events.timed_end), "making an event");
  }
  if (!is_timed && events.end == nullptr) {
    check_cuda(cudaEventCreateWithFlags(&events.end, cudaEventDisableTiming), "making an event");
  }
  return events;
}

/// Of the slot's launch, in this run: all threads measure times, or none does.
cudaEvent_t Submitter::end_event(const Slot& slot) const {
  const Slot::Events& events = slots_.at(slot.launch).events[slot.gpu];
  return clock_ != nullptr ? events.timed_end : events.end;
}

/// In timed runs.
void Submitter::begin_times(Slot& slot, std::uint32_t number) {
  const cudaStream_t stream = streams_.stream(slot.stream);
  if (writes_marks_) marks_.enqueue_started(slot.stream, stream, number);
  check_cuda(cudaEventRecord(events_of(slot).started, stream), "recording a start");
}

/// The end is signalled, or an event.
void Submitter::end_times(Slot& slot, std::uint32_t number) {
  const cudaStream_t stream = streams_.stream(slot.stream);
  const bool is_timed = clock_ != nullptr;
  (void)events_of(slot);
  const cudaEvent_t ended = end_event(slot);
  if (is_timed) check_cuda(cudaEventRecord(ended, stream), "recording an end");
  slot.is_signalled = is_push(slot) && signal_end(queues_[slot.stream], slot.stream, number);
  if (!is_timed && !slot.is_signalled) {
    check_cuda(cudaEventRecord(ended, stream), "recording an end");
  }
  if (is_timed && writes_marks_) marks_.enqueue_ended(slot.stream, stream, number);
}

void Submitter::enqueue(Slot& slot) {
  const cudaStream_t stream = streams_.stream(slot.stream);
  const auto number = static_cast<std::uint32_t>(queues_[slot.stream].next_position + 1);
  const bool is_timed = clock_ != nullptr;
  if (is_timed) begin_times(slot, number);
  const core::Time before = is_timed ? now_() : core::Time(0);
  if (slot.command.is_copy) {
    enqueue_copy(slot.command, slabs_, stream,
                 is_push(slot) ? CopyBy::kKernel
                               : way_of_copying(slot.command, slabs_, streams_.reaches_peers()));
  } else {
    const ProfilerRange range(*program_, slot.command.task, is_timed);
    launcher_->launch(slot.command, streams_.context(slot.stream));
  }
  if (is_timed) slot.issue = now_() - before;
  end_times(slot, number);
}

/// Numbers are compared in the cyclic order of 32 bits: a stream that signalled nothing for very
/// long says so with a number that nobody waits for.
bool Submitter::signal_end(StreamQueue& queue, std::uint16_t stream, std::uint32_t number) {
  constexpr std::uint64_t kFarApart = std::uint64_t{1} << 30U;
  if (!signals_.enqueue_write(stream, streams_.stream(stream), number)) return false;
  const std::uint64_t before = std::exchange(queue.last_written, queue.next_position + 1);
  return queue.last_written - before < kFarApart;
}

/// Whether the command is a small copy away from this GPU, behind what made its source. Somebody
/// else waits for it, on another GPU or on the host: its end is signalled in host memory.
bool Submitter::is_push(const Slot& slot) const {
  return slot.command.is_copy && slot.stream < streams_.launch_streams() &&
         !slabs_.is_host(slot.command.from);
}

/// Whether the stream must be told: the earlier one is neither on it nor known to have ended.
bool Submitter::is_to_be_awaited(const Slot& earlier, std::uint16_t stream) {
  return earlier.phase.load(std::memory_order_acquire) == Phase::kSubmitted &&
         (earlier.gpu != gpu_ || earlier.stream != stream) &&
         known_before(stream, earlier) <= earlier.position;
}

/// Of several on one other stream the last is enough.
void Submitter::note_awaited(const Slot& slot) {
  for (const core::CommandId id : slot.command.after) {
    const Slot& earlier = slots_.of(id);
    if (!is_to_be_awaited(earlier, slot.stream)) continue;
    const auto known = std::ranges::find_if(awaited_, [&](const Slot* other) {
      return other->gpu == earlier.gpu && other->stream == earlier.stream;
    });
    if (known == awaited_.end()) {
      awaited_.push_back(&earlier);
    } else if ((*known)->position < earlier.position) {
      *known = &earlier;
    }
  }
}

/// By what has been noted.
bool Submitter::will_be_awaited(const Slot& earlier) const {
  return std::ranges::any_of(awaited_, [&](const Slot* last) {
    return last->gpu == earlier.gpu && last->stream == earlier.stream &&
           last->position >= earlier.position;
  });
}

/// All that has been noted.
void Submitter::wait_for_awaited(std::uint16_t stream) {
  awaiting_.clear();
  awaiting_.swap(awaited_);
  for (const Slot* last : awaiting_) {
    wait_for(*last, streams_.stream(stream));
    // Those that share its launch have ended then, too; another GPU's may not be on its stream yet.
    known_before(stream, *last) = last->position + 1;
  }
}

std::uint64_t& Submitter::known_before(std::uint16_t stream, const Slot& earlier) {
  return known_before_[(stream * all_.size() + earlier.gpu) * queues_.size() + earlier.stream];
}

void Submitter::wait_for(const Slot& earlier, cudaStream_t stream) const {
  if (earlier.is_signalled) {
    all_[earlier.gpu]->signals().enqueue_wait(earlier.stream, stream,
                                              static_cast<std::uint32_t>(earlier.position + 1));
    return;
  }
  check_cuda(cudaStreamWaitEvent(stream, end_event(earlier), 0), "waiting for an event");
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

/// The stream among [first, end) whose last command the slot follows through others, mostly copies
/// from GPU to GPU and back.
std::optional<std::uint16_t> Submitter::stream_before(const Slot& slot, std::uint32_t first,
                                                      std::uint32_t end) const {
  std::uint64_t newest = 0;
  for (const core::CommandId id : slot.command.after) {
    newest = std::max(newest, slots_.of(id).newest[gpu_]);
  }
  if (newest == 0) return std::nullopt;
  for (std::uint32_t i = first; i < end; ++i) {
    if (queues_[i].newest == newest) return static_cast<std::uint16_t>(i);
  }
  return std::nullopt;
}

bool Submitter::has_launches() const {
  const auto end = queues_.begin() + streams_.launch_streams();
  return std::any_of(queues_.begin(), end, [](const StreamQueue& q) { return q.size() > 0; });
}

/// Small copies spare themselves events, which take as long as they do: one away from here follows
/// its producer on the same stream, as a kernel (starting a copy engine takes longer, too). One
/// from the host to a GPU without work goes where the task that waits for it will follow.
std::optional<std::uint16_t> Submitter::launch_stream_for(const Slot& slot) const {
  const StoredCommand& copy = slot.command;
  if (copy.bytes > kInlineCopyBytes || copy.from == copy.to) return std::nullopt;
  if (slabs_.is_host(copy.from)) {
    return has_launches() ? std::nullopt : std::optional<std::uint16_t>(std::uint16_t{0});
  }
  if (!slabs_.is_host(copy.to) && !streams_.reaches_peers()) return std::nullopt;
  return stream_behind(slot, 0, streams_.launch_streams());
}

std::uint16_t Submitter::choose_stream(const Slot& slot) const {
  if (!slot.command.is_copy) return choose_compute_stream(slot);
  if (const auto stream = launch_stream_for(slot)) return *stream;
  const bool is_outgoing = slabs_.gpu_of(slot.command.from) == gpu_;
  const core::SpaceId other = is_outgoing ? slot.command.to : slot.command.from;
  return static_cast<std::uint16_t>(streams_.copy_stream(other.index(), is_outgoing));
}

std::uint16_t Submitter::least_full(std::uint32_t first, std::uint32_t end) const {
  std::uint32_t best = first;
  for (std::uint32_t i = first + 1; i < end; ++i) {
    if (queues_[i].is_cut) continue;
    if (queues_[best].is_cut || queues_[i].size() < queues_[best].size()) best = i;
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
/// then. Else behind one that it follows anyhow: fewer streams wait for others so, which makes each
/// slower to go on (1 MiB to and fro between two H200: 12.7 us a hop on one stream, 15.8 on four).
/// Else the stream with the fewest launches.
std::uint16_t Submitter::choose_compute_stream(const Slot& slot) const {
  const auto [first, end] = suitable_streams(slot);
  if (const auto behind = stream_behind(slot, first, end)) return *behind;
  return stream_before(slot, first, end).value_or(least_full(first, end));
}

}  // namespace parley::exec::cuda
