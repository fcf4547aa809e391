// How a submitter has small copies within its GPU share launches.
#include <algorithm>
#include <vector>

#include "exec/cuda/strided_copy.h"
#include "exec/cuda/submitter.h"

namespace parley::exec::cuda {

/// Those that come one after the other share a launch and its events, which take longer than they
/// do: what a task gathers from slices, say. What one of them waits for they all do; so one that
/// must wait joins only those of the same task, which would wait anyway, or that wait for as much.
bool Submitter::has_room_for(const Slot& slot) {
  if (!slot.command.is_copy || !may_join(slot.command, slabs_)) return false;
  if (joined_parts_.size() + slot.command.parts.size() > kMostJoinedParts) return false;
  const Slot& first = slots_.at(joined_.front());
  if (slot.command.task == first.command.task) return true;
  const std::uint16_t stream = choose_stream(slot);
  return std::ranges::none_of(slot.command.after, [&](core::CommandId id) {
    const Slot& earlier = slots_.of(id);
    return is_to_be_awaited(earlier, stream) && !will_be_awaited(earlier);
  });
}

void Submitter::join(std::uint32_t index) {
  note_awaited(slots_.at(index));
  joined_.push_back(index);
  join_copy(slots_.at(index).command, slabs_, joined_parts_);
}

void Submitter::launch_joined() {
  if (joined_.empty()) return;
  launching_.clear();
  launching_.swap(joined_);
  if (!has_failed_) {
    try {
      enqueue_joined(launching_);
    } catch (const EnvironmentFailure& failure) {
      joined_parts_.clear();
      for (const std::uint32_t index : launching_) refuse(index, failure);
      return;
    }
  }
  joined_parts_.clear();
  awaited_.clear();
  for (const std::uint32_t index : launching_) {
    if (has_failed_) {
      stop_slot(index, false, failure_);
    } else {
      enter(index);
    }
  }
}

void Submitter::enqueue_joined(const std::vector<std::uint32_t>& joined) {
  Slot& last = slots_.at(joined.back());
  const std::uint16_t stream = last.stream;
  wait_for_awaited(stream);
  const auto number =  // of the last
      static_cast<std::uint32_t>(queues_[stream].next_position + joined.size());
  const bool is_timed = clock_ != nullptr;
  if (is_timed) begin_times(last, number);
  const core::Time before = is_timed ? now_() : core::Time(0);
  launch_joined_copies(joined_parts_, streams_.stream(stream));
  const auto count = static_cast<std::int64_t>(joined.size());
  const core::Duration each(is_timed ? (now_() - before).count() / count : 0);
  end_times(last, number);
  for (const std::uint32_t index : joined) {
    Slot& slot = slots_.at(index);
    slot.issue = each;
    slot.launch = joined.back();
    slot.is_signalled = false;
  }
}

}  // namespace parley::exec::cuda
