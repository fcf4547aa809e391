// The thread that submits one GPU's commands and finds what has ended. It takes slots from a queue
// in order of issue; what cannot be submitted yet (a command before it is not on a stream, or runs
// on the host) is held, and the rest goes on. No lock, no allocation and no synchronisation with
// the GPU once lists have reached their length.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "exec/cuda/command_slots.h"
#include "exec/cuda/cuda_slabs.h"
#include "exec/cuda/gpu_streams.h"
#include "exec/cuda/stream_clock.h"
#include "exec/cuda/stream_marks.h"
#include "exec/cuda/task_launcher.h"

namespace parley::exec::cuda {

class Submitter {
 public:
  /// `gpu`: this GPU's number among the submitters. All must outlive this.
  Submitter(std::uint16_t gpu, GpuStreams& streams, CommandSlots& slots, CudaSlabs& slabs,
            std::atomic<bool>& a_gpu_failed, bool writes_marks);
  ~Submitter();
  Submitter(const Submitter&) = delete;
  Submitter& operator=(const Submitter&) = delete;

  // ---- by the thread that owns the engine ----
  /// Starts the thread and waits until it can submit. `clock`: null when times are not measured.
  void start(const TaskLauncher& launcher, const core::Program& program, const StreamClock* clock,
             std::function<core::Time()> now);
  void stop();
  void push(std::uint32_t slot) { incoming_.push(slot); }
  bool pop_ended(std::uint32_t& slot) { return ended_.pop(slot); }
  [[nodiscard]] bool has_failed() const { return has_failed_; }

 private:
  /// Slots on a stream, in order; the first `done` have ended.
  struct StreamQueue {
    std::vector<std::uint32_t> slots;
    std::size_t done = 0;
    std::uint64_t next_position = 0;
    [[nodiscard]] std::size_t size() const { return slots.size() - done; }
  };
  enum class Readiness : std::uint8_t { kReady, kMustWait, kStopped };

  void serve();
  [[nodiscard]] Readiness readiness(const Slot& slot) const;
  bool try_submit(std::uint32_t index);
  bool retry_held();
  void submit(std::uint32_t index);
  void enqueue(Slot& slot);
  [[nodiscard]] std::uint16_t choose_stream(const Slot& slot) const;
  [[nodiscard]] std::optional<std::uint16_t> stream_behind(const Slot& slot, std::uint32_t first,
                                                           std::uint32_t end) const;
  [[nodiscard]] std::optional<std::uint16_t> stream_for_push(const Slot& slot) const;
  [[nodiscard]] std::uint16_t least_full(std::uint32_t first, std::uint32_t end) const;
  [[nodiscard]] bool is_most_urgent(const Slot& slot) const;
  [[nodiscard]] std::pair<std::uint32_t, std::uint32_t> suitable_streams(const Slot& slot) const;
  [[nodiscard]] std::uint16_t choose_compute_stream(const Slot& slot) const;
  void wait_for_earlier(const Slot& slot);
  Slot::Events& events_of(Slot& slot) const;
  void leave_users(const Slot& slot);
  void stop_slot(std::uint32_t index, bool is_cancelled, std::string cause);

  bool poll();
  bool poll_stream(std::uint16_t stream);
  [[nodiscard]] bool is_done(std::uint32_t slot);
  void finish(std::uint32_t index, core::Time seen);
  void report_done(std::uint32_t index);
  void fail_device(const std::string& cause);
  void finish_marked();
  [[nodiscard]] bool follows_stopped(const Slot& slot) const;
  void stop_followers();
  [[nodiscard]] std::string running_tasks() const;

  std::uint16_t gpu_;
  GpuStreams& streams_;
  CommandSlots& slots_;
  CudaSlabs& slabs_;
  std::atomic<bool>& a_gpu_failed_;  // of all
  bool writes_marks_;
  const TaskLauncher* launcher_ = nullptr;
  const core::Program* program_ = nullptr;
  const StreamClock* clock_ = nullptr;
  std::function<core::Time()> now_;

  SlotQueue incoming_, ended_;
  StreamMarks marks_;                    // written in timed runs, if at all
  std::vector<StreamQueue> queues_;      // by stream
  std::vector<std::uint16_t> occupied_;  // streams with something on them
  std::size_t turn_ = 0;                 // the one to look at next
  std::vector<std::uint32_t> held_;      // in order of issue
  std::int64_t ordinary_launches_ = 0;   // on ordinary compute streams
  std::int32_t last_priority_ = 0;       // of the last one submitted there
  bool has_failed_ = false;
  std::string failure_;
  std::atomic<bool> must_stop_{false};
  std::atomic<bool> is_ready_{false};
  std::jthread thread_;
};

}  // namespace parley::exec::cuda
