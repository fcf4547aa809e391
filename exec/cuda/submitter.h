// The thread that submits one GPU's commands and finds what has ended. It takes slots from a queue
// in order of issue; what cannot be submitted yet (a command before it is not on a stream, or runs
// on the host) is held, and the rest goes on. No lock, no allocation and no synchronisation with
// the GPU once lists have reached their length. With nothing to do for a while, it sleeps.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "exec/backend.h"
#include "exec/cuda/command_slots.h"
#include "exec/cuda/cuda_slabs.h"
#include "exec/cuda/gpu_streams.h"
#include "exec/cuda/stream_clock.h"
#include "exec/cuda/stream_marks.h"
#include "exec/cuda/stream_values.h"
#include "exec/cuda/strided_copy.h"
#include "exec/cuda/task_launcher.h"

namespace parley::exec::cuda {

class Submitter {
 public:
  /// `gpu`: this GPU's number among the submitters. All must outlive this.
  Submitter(std::uint16_t gpu, GpuStreams& streams, CommandSlots& slots, CudaSlabs& slabs,
            const std::vector<std::unique_ptr<Submitter>>& all, std::atomic<bool>& a_gpu_failed,
            bool writes_marks);
  ~Submitter();
  Submitter(const Submitter&) = delete;
  Submitter& operator=(const Submitter&) = delete;

  // ---- by the thread that owns the engine ----
  /// Starts the thread, which gets ready to submit. `clock`: null when times are not measured.
  /// `processor`: where the thread stays, if anywhere.
  void start(const TaskLauncher& launcher, const core::Program& program, const StreamClock* clock,
             std::function<core::Time()> now, std::optional<int> processor);
  void wait_until_ready();
  /// Requires: it is ready. What is pushed is submitted from now on.
  void serve_from_now() { may_serve_.store(true, std::memory_order_release); }
  void stop();
  void push(std::uint32_t slot) {
    incoming_.push(slot);
    std::atomic_thread_fence(std::memory_order_seq_cst);  // see sleep()
    if (is_asleep_.load(std::memory_order_relaxed)) wake();
  }
  bool pop_ended(std::uint32_t& slot) { return ended_.pop(slot); }
  /// By stream for launches: the number (position + 1) of the last small copy away that ended.
  [[nodiscard]] const StreamValues& signals() const { return signals_; }
  [[nodiscard]] bool has_failed() const { return has_failed_; }
  /// Instead of giving back host memory that a stream of another GPU may look at.
  void abandon_values() {
    signals_.abandon();
    marks_.abandon();
  }

 private:
  /// Slots on a stream, in order; the first `done` have ended.
  struct StreamQueue {
    std::vector<std::uint32_t> slots;
    std::size_t done = 0;
    std::uint64_t next_position = 0;
    std::uint64_t last_written = 0;  // to the stream's signal
    std::uint64_t newest = 0;        // of a stream for launches: Slot::newest of the last one
    bool is_cut = false;             // waits for a GPU that failed, perhaps for ever
    [[nodiscard]] std::size_t size() const { return slots.size() - done; }
  };
  enum class Readiness : std::uint8_t { kReady, kMustWait, kStopped };

  static constexpr std::size_t kBetweenPolls = 16;  // commands
  /// Commands that a task is expected to need, itself included: beyond them, events are made during
  /// the run.
  static constexpr std::size_t kCommandsPerTask = 16;

  void serve();
  void get_ready();
  void provide_events();
  std::size_t submit_incoming();
  [[nodiscard]] bool is_time_to_poll() const;
  void rest_or_sleep();
  void rest() const;
  void sleep();
  void wake();
  [[nodiscard]] Readiness readiness(const Slot& slot) const;
  bool try_submit(std::uint32_t index);
  bool retry_held();
  void submit(std::uint32_t index);
  void enter(std::uint32_t index);
  void note_newest(Slot& slot, StreamQueue& queue);
  void refuse(std::uint32_t index, const EnvironmentFailure& failure);
  void enqueue(Slot& slot);
  void begin_times(Slot& slot, std::uint32_t number);
  void end_times(Slot& slot, std::uint32_t number);
  [[nodiscard]] bool has_room_for(const Slot& slot);
  void join(std::uint32_t index);
  void launch_joined();
  void enqueue_joined(const std::vector<std::uint32_t>& joined);
  [[nodiscard]] std::uint16_t choose_stream(const Slot& slot) const;
  [[nodiscard]] std::optional<std::uint16_t> stream_behind(const Slot& slot, std::uint32_t first,
                                                           std::uint32_t end) const;
  [[nodiscard]] std::optional<std::uint16_t> stream_before(const Slot& slot, std::uint32_t first,
                                                           std::uint32_t end) const;
  [[nodiscard]] std::optional<std::uint16_t> launch_stream_for(const Slot& slot) const;
  [[nodiscard]] bool has_launches() const;
  [[nodiscard]] std::uint16_t least_full(std::uint32_t first, std::uint32_t end) const;
  [[nodiscard]] bool is_most_urgent(const Slot& slot) const;
  [[nodiscard]] std::pair<std::uint32_t, std::uint32_t> suitable_streams(const Slot& slot) const;
  [[nodiscard]] std::uint16_t choose_compute_stream(const Slot& slot) const;
  [[nodiscard]] bool is_to_be_awaited(const Slot& earlier, std::uint16_t stream);
  void note_awaited(const Slot& slot);
  [[nodiscard]] bool will_be_awaited(const Slot& earlier) const;
  void wait_for_awaited(std::uint16_t stream);
  void wait_for(const Slot& earlier, cudaStream_t stream) const;
  std::uint64_t& known_before(std::uint16_t stream, const Slot& earlier);
  [[nodiscard]] bool is_push(const Slot& slot) const;
  bool signal_end(StreamQueue& queue, std::uint16_t stream, std::uint32_t number);
  Slot::Events& events_of(Slot& slot) const;
  [[nodiscard]] cudaEvent_t end_event(const Slot& slot) const;
  void leave_users(const Slot& slot);
  void stop_slot(std::uint32_t index, bool is_cancelled, std::string cause);

  bool poll();
  [[nodiscard]] std::uint16_t next_to_poll() const;
  [[nodiscard]] bool ends_with_signal(std::uint16_t stream) const;
  bool poll_stream(std::uint16_t stream);
  [[nodiscard]] bool is_done(std::uint32_t slot);
  [[nodiscard]] std::size_t ended_by_signal(const StreamQueue& queue) const;
  [[nodiscard]] std::size_t ended_by_events(const StreamQueue& queue);
  [[nodiscard]] std::size_t end_of_launch(const StreamQueue& queue, std::size_t first) const;
  [[nodiscard]] bool is_healthy(std::uint16_t stream);
  void finish(StreamQueue& queue, std::size_t end, core::Time seen);
  [[nodiscard]] std::pair<core::Time, core::Time> times_of(std::uint32_t launch, core::Time seen);
  void fail_device(const std::string& cause);
  void finish_marked();
  [[nodiscard]] bool follows_stopped(const Slot& slot) const;
  void stop_followers();
  [[nodiscard]] std::string running_tasks() const;

  std::uint16_t gpu_;
  GpuStreams& streams_;
  CommandSlots& slots_;
  CudaSlabs& slabs_;
  const std::vector<std::unique_ptr<Submitter>>& all_;  // by GPU
  std::atomic<bool>& a_gpu_failed_;
  bool writes_marks_;
  const TaskLauncher* launcher_ = nullptr;
  const core::Program* program_ = nullptr;
  const StreamClock* clock_ = nullptr;
  std::function<core::Time()> now_;

  SlotQueue incoming_, ended_;
  StreamMarks marks_;  // written in timed runs, if at all
  StreamValues signals_;
  // By this GPU's stream, GPU and its stream: how many commands there are known to have ended
  // before what comes next here.
  std::vector<std::uint64_t> known_before_;
  std::vector<StreamQueue> queues_;      // by stream
  std::vector<std::uint16_t> occupied_;  // streams with something on them
  std::size_t turn_ = 0;                 // the one to look at next
  std::chrono::steady_clock::time_point last_poll_, last_work_, last_question_;
  std::vector<std::uint32_t> held_;                // in order of issue
  std::vector<std::uint32_t> joined_, launching_;  // small copies within this GPU, for one launch
  std::vector<RunCopy> joined_parts_;
  // By what is being submitted: the last one of each stream; and while those are enqueued.
  std::vector<const Slot*> awaited_, awaiting_;
  std::uint64_t on_launch_streams_ = 0;              // commands submitted there, ever
  std::int64_t ordinary_launches_ = 0;               // on ordinary compute streams
  std::int32_t last_priority_ = 0;                   // of the last one submitted there
  bool is_alone_ = false;                            // on its processor
  std::size_t timed_events_ = 0, plain_events_ = 0;  // slots that have them, the first ones
  bool has_failed_ = false;
  std::string failure_;
  std::atomic<bool> must_stop_{false};
  std::atomic<bool> is_asleep_{false};
  std::atomic<bool> is_ready_{false}, may_serve_{false};
  std::jthread thread_;
};

}  // namespace parley::exec::cuda
