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
  const std::uint64_t order =
      static_cast<std::uint64_t>(occurrence.kind) << kSubjectBits | occurrence.subject;
  heap_.emplace_back();
  sift_up(heap_.size() - 1, {at, order, handle});
  return handle;
}

void EventQueue::move(Handle handle, core::Time at) {
  Place& place = places_[handle];
  place.due = at;
  Entry entry = heap_[place.position];
  if (at < entry.at) {
    entry.at = at;
    sift_up(place.position, entry);
  } else if (place.position == 0) {
    settle_front();
  }
}

Occurrence EventQueue::pop() {
  const Entry first = heap_.front();
  const Entry last = heap_.back();
  heap_.pop_back();
  if (!heap_.empty()) sift_down(0, last);
  settle_front();
  free_handles_.push_back(first.handle);
  return {static_cast<OccurrenceKind>(first.order >> kSubjectBits),
          static_cast<std::uint32_t>(first.order)};
}

/// What has been moved to a later time goes where it belongs, until the front is due when it says.
void EventQueue::settle_front() {
  while (!heap_.empty() && places_[heap_.front().handle].due != heap_.front().at) {
    Entry entry = heap_.front();
    entry.at = places_[entry.handle].due;
    sift_down(0, entry);
  }
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
