#include "exec/cuda/host_commands.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace parley::exec::cuda {
namespace {

constexpr auto kAwake = std::chrono::milliseconds(2);

std::size_t thread_count(const core::Machine& machine) {
  constexpr std::size_t kMost = 16;
  std::size_t slots = 0;
  for (const core::Device& device : machine.spec().devices) {
    if (!machine.space(device.space).is_host) continue;
    slots += static_cast<std::size_t>(std::max(1, device.slots));
  }
  return std::min(slots, kMost);
}

}  // namespace

HostCommands::HostCommands(const core::Machine& machine, CommandSlots& slots,
                           const HostPerformer& performer, std::function<core::Time()> now)
    : slots_(slots), performer_(performer), now_(std::move(now)), scheduler_(machine, kAwake) {
  const std::size_t threads = thread_count(machine);
  try {
    for (std::size_t i = 0; i < threads; ++i) {
      threads_.emplace_back([this] { serve(false); });
    }
    if (threads > 0) threads_.emplace_back([this] { serve(true); });
  } catch (...) {  // no thread to be had: those that there are wait for the end
    scheduler_.close();
    throw;
  }
}

HostCommands::~HostCommands() { scheduler_.close(); }

void HostCommands::start_those_ready(std::vector<std::uint32_t>& ended) {
  std::erase_if(waiting_, [&](std::uint32_t index) {
    Slot& slot = slots_.at(index);
    bool is_stopped = false;
    for (const core::CommandId id : slot.command.after) {
      const Phase phase = slots_.of(id).phase.load(std::memory_order_acquire);
      if (phase == Phase::kPending || phase == Phase::kSubmitted) return false;
      is_stopped = is_stopped || phase == Phase::kStopped;
    }
    for (const core::CommandId id : slot.command.after) {
      slots_.of(id).users.fetch_sub(1, std::memory_order_release);
    }
    if (is_stopped) {
      slot.is_cancelled = true;
      slot.phase.store(Phase::kStopped, std::memory_order_release);
      ended.push_back(index);
    } else {
      scheduler_.submit_ready(slot.command);
      ++started_;
    }
    return true;
  });
}

void HostCommands::serve(bool serves_copies) {
  while (true) {
    const StoredCommand* command =
        serves_copies ? scheduler_.next_copy() : scheduler_.next_launch();
    if (command == nullptr) return;
    const core::Time start = now_();
    std::optional<std::string> failure;
    try {
      performer_.perform(*command);
    } catch (const std::exception& thrown) {
      failure = thrown.what();
    } catch (...) {  // a user's kernel may throw anything
      failure = kThrewAnything;
    }
    const core::Time end = now_();
    // What waits for it on a GPU need not wait for the thread that owns the engine.
    if (!failure) slots_.of(command->id).phase.store(Phase::kDone, std::memory_order_release);
    scheduler_.ended(*command, start, end, failure);
  }
}

void HostCommands::collect(std::vector<std::uint32_t>& ended) {
  completions_.clear();
  scheduler_.collect(completions_, false);
  for (Completion& completion : completions_) {
    Slot& slot = slots_.of(completion.id);
    slot.start = completion.start;
    slot.end = completion.end;
    const bool failed = completion.kind == Completion::Kind::kFailed;
    slot.cause = std::move(completion.cause);
    slot.phase.store(failed ? Phase::kStopped : Phase::kDone, std::memory_order_release);
    ended.push_back(CommandSlots::index_of(completion.id));
    --started_;
  }
}

}  // namespace parley::exec::cuda
