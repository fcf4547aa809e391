#include "sim/event_queue.h"

#include <algorithm>

namespace parley::sim {
namespace {

constexpr std::size_t kArity = 4;

}  // namespace

EventQueue::Handle EventQueue::push(core::Time at, Occurrence occurrence) {
  Handle handle = 0;
  if (free_handles_.empty()) {
    handle = static_cast<Handle>(position_of_.size());
    position_of_.push_back(0);
    occurrence_of_.push_back(occurrence);
  } else {
    handle = free_handles_.back();
    free_handles_.pop_back();
    occurrence_of_[handle] = occurrence;
  }
  heap_.emplace_back();
  sift_up(heap_.size() - 1, {at, next_sequence_++, handle});
  return handle;
}

void EventQueue::move(Handle handle, core::Time at) {
  const std::size_t position = position_of_[handle];
  const Entry moved{at, next_sequence_++, handle};
  if (moved.is_before(heap_[position])) {
    sift_up(position, moved);
  } else {
    sift_down(position, moved);
  }
}

Occurrence EventQueue::pop() {
  const Handle handle = heap_.front().handle;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) sift_down(0, last);
  free_handles_.push_back(handle);
  return occurrence_of_[handle];
}

/// Puts `entry` at `position` or nearer to the front. The entry now at `position` is overwritten.
void EventQueue::sift_up(std::size_t position, const Entry& entry) {
  while (position > 0) {
    const std::size_t parent = (position - 1) / kArity;
    if (!entry.is_before(heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

/// Puts `entry` at `position` or farther from the front. The entry now at `position` is
/// overwritten.
void EventQueue::sift_down(std::size_t position, const Entry& entry) {
  for (;;) {
    const std::size_t first = position * kArity + 1;
    if (first >= heap_.size()) break;
    const std::size_t end = std::min(first + kArity, heap_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < end; ++child) {
      if (heap_[child].is_before(heap_[least])) least = child;
    }
    if (!heap_[least].is_before(entry)) break;
    place(position, heap_[least]);
    position = least;
  }
  place(position, entry);
}

}  // namespace parley::sim
