// The commands in flight, in a ring of slots by command id. A slot is written by the thread that
// owns the engine, then handed to the thread that submits it to its GPU. Only `phase` and `users`
// are shared; the rest belongs to one thread at a time.
#pragma once

#include <cuda_runtime_api.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "exec/cuda/device_kernel.h"
#include "exec/driver/stored_command.h"

namespace parley::exec::cuda {

enum class Phase : std::uint8_t {
  kFree,
  kPending,    // not submitted yet
  kSubmitted,  // on a stream; `ended` says when it is done
  kDone,
  kStopped,  // failed or cancelled
};

struct Slot {
  static constexpr std::uint16_t kHost = 0xffff;  // instead of a GPU: performed by the host

  StoredCommand command;
  std::atomic<Phase> phase{Phase::kFree};
  std::atomic<std::uint32_t> users{0};  // commands not yet submitted that name this one in `after`
  // Written before `phase` becomes kSubmitted.
  std::uint16_t gpu = 0, stream = 0;
  std::uint64_t position = 0;  // in the stream
  std::uint32_t launch = 0;    // the slot whose events are those of the launch; its own, or the
                               // last of those that share it, which come one behind the other
  bool is_signalled = false;   // the stream's signal, not an event, tells its end
  // By GPU: the last of the commands put on its streams for launches (counted from 1) that this one
  // is or follows, as far as commands of GPUs tell; 0: none.
  std::vector<std::uint64_t> newest;
  // Written before `phase` becomes kDone or kStopped.
  core::Time start, end;
  core::Duration issue = core::Duration(0);  // in timed runs
  bool is_cancelled = false;
  std::string cause;  // of a failure
  // Of the thread that owns the engine.
  bool is_reported = true;

  /// Those that tell times take longer to record and to ask, so that others have their own.
  struct Events {
    cudaEvent_t started = nullptr, timed_end = nullptr;
    cudaEvent_t end = nullptr;
  };
  std::vector<Events> events;  // by GPU; made by its submitter
};

class CommandSlots {
 public:
  static constexpr std::size_t kCount = 8192;  // a power of two

  explicit CommandSlots(std::size_t gpus) : slots_(std::make_unique<Slot[]>(kCount)) {
    for (std::size_t i = 0; i < kCount; ++i) {
      slots_[i].events.resize(gpus);
      slots_[i].newest.resize(gpus);
    }
  }
  ~CommandSlots() {
    for (std::size_t i = 0; i < kCount; ++i) {
      for (const Slot::Events& events : slots_[i].events) {
        for (const cudaEvent_t event : {events.started, events.timed_end, events.end}) {
          if (event != nullptr) check_released(cudaEventDestroy(event), "an event");
        }
      }
    }
  }
  CommandSlots(const CommandSlots&) = delete;
  CommandSlots& operator=(const CommandSlots&) = delete;

  /// The slot in which the command is, or was if it was reported long ago.
  Slot& of(core::CommandId id) { return slots_[id.index() & (kCount - 1)]; }
  Slot& at(std::uint32_t index) { return slots_[index]; }
  static std::uint32_t index_of(core::CommandId id) {
    return static_cast<std::uint32_t>(id.index() & (kCount - 1));
  }

 private:
  std::unique_ptr<Slot[]> slots_;
};

/// A bounded queue from one thread to another, without locks. It never holds more than kCount
/// slots, so it is never full.
class SlotQueue {
 public:
  void push(std::uint32_t slot) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    items_[tail & (CommandSlots::kCount - 1)] = slot;
    tail_.store(tail + 1, std::memory_order_release);
  }
  [[nodiscard]] bool empty() const {
    return head_.load(std::memory_order_relaxed) == tail_.load(std::memory_order_acquire);
  }
  bool pop(std::uint32_t& slot) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    slot = items_[head & (CommandSlots::kCount - 1)];
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

 private:
  std::unique_ptr<std::uint32_t[]> items_ = std::make_unique<std::uint32_t[]>(CommandSlots::kCount);
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
};

}  // namespace parley::exec::cuda
