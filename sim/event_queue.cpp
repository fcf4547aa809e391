#include "sim/event_queue.h"

#include <algorithm>

namespace parley::sim {
namespace {

constexpr std::size_t kArity = 4;
constexpr unsigned kSubjectBits = 32;

}  // namespace

EventQueue::Handle EventQueue::push(core::Time at, Occurrence occurrence) {
  auto handle = static_cast<Handle>(places_.size());
  if (free_handles_.empty()) {
    places_.emplace_back();
  } else {
    handle = free_handles_.back();
    free_handles_.pop_back();
  }
  places_[handle].due = at;
  places_[handle].order =
      static_cast<std::uint64_t>(occurrence.kind) << kSubjectBits | occurrence.subject;
  heap_.emplace_back();
  sift_up(heap_.size() - 1, {at, handle});
  return handle;
}

void EventQueue::move(Handle handle, core::Time at) {
  Place& place = places_[handle];
  place.due = at;
  if (at < heap_[place.position].at) {
    sift_up(place.position, {at, handle});
  } else if (place.position == 0) {
    settle_front();
  }
}

Occurrence EventQueue::pop() {
  const Handle first = heap_.front().handle;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) sift_down(0, last);
  settle_front();
  free_handles_.push_back(first);
  const std::uint64_t order = places_[first].order;
  return {static_cast<OccurrenceKind>(order >> kSubjectBits), static_cast<std::uint32_t>(order)};
}

/// What has been moved to a later time goes where it belongs, until the front is due when it says.
void EventQueue::settle_front() {
  while (!heap_.empty() && places_[heap_.front().handle].due != heap_.front().at) {
    const Handle handle = heap_.front().handle;
    sift_down(0, {places_[handle].due, handle});
  }
}

/// Puts `entry` at `position` or nearer to the front. The entry now at `position` is overwritten.
void EventQueue::sift_up(std::size_t position, Entry entry) {
  while (position > 0) {
    const std::size_t parent = (position - 1) / kArity;
    if (!is_before(entry, heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

/// Puts `entry` at `position` or farther from the front. The entry now at `position` is
/// overwritten.
void EventQueue::sift_down(std::size_t position, Entry entry) {
  for (;;) {
    const std::size_t first = position * kArity + 1;
    if (first >= heap_.size()) break;
    const std::size_t end = std::min(first + kArity, heap_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < end; ++child) {
      if (is_before(heap_[child], heap_[least])) least = child;
    }
    if (!is_before(heap_[least], entry)) break;
    place(position, heap_[least]);
    position = least;
  }
  place(position, entry);
}

}  // namespace parley::sim
