// What is going to happen, ordered by time; of one instant by kind, then by command, so that the
// order tells nothing of how entries came to be there. An entry may be moved while it waits, which
// the ends of flows and kernels need all the time: in a 4-ary heap (half the levels of a binary
// one, and siblings share a cache line) that knows the positions of its entries. One that is moved
// to a later time stays where it is until it comes to the front: most are moved again before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/units.h"

namespace parley::sim {

enum class OccurrenceKind : std::uint8_t {
  kFlowBegins,  // of a copy whose latency is over
  kFlowEnds,    // of a copy
  kTaskEnds,    // a launch
  kNotified,    // a command that learns of the end of one it waited for
};

struct Occurrence {
  OccurrenceKind kind = OccurrenceKind::kTaskEnds;
  std::uint32_t subject = 0;  // the command's number
};

class EventQueue {
 public:
  /// Names an entry until it is popped; reused afterwards.
  using Handle = std::uint32_t;

  /// O(log n) each; `move` O(1) for a later time, but for what it leaves to be done later.
  Handle push(core::Time at, Occurrence occurrence);
  void move(Handle handle, core::Time at);

  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }
  /// Time::max() when empty.
  [[nodiscard]] core::Time next_time() const {
    return heap_.empty() ? core::Time::max() : heap_.front().at;
  }
  /// Requires: not empty.
  Occurrence pop();

 private:
  struct Entry {
    core::Time at;  // no later than it is due; at the front exactly then
    Handle handle = 0;
  };
  struct Place {
    core::Time due;
    std::uint64_t order = 0;     // kind and subject
    std::uint32_t position = 0;  // in the heap
  };

  [[nodiscard]] bool is_before(Entry a, Entry b) const {
    return a.at != b.at ? a.at < b.at : places_[a.handle].order < places_[b.handle].order;
  }
  /// Member by member: a processor that has just written the two apart waits before it reads both
  /// at once.
  void place(std::size_t position, Entry entry) {
    heap_[position].at = entry.at;
    heap_[position].handle = entry.handle;
    places_[entry.handle].position = static_cast<std::uint32_t>(position);
  }
  void sift_up(std::size_t position, Entry entry);
  void sift_down(std::size_t position, Entry entry);
  void settle_front();

  std::vector<Entry> heap_;
  std::vector<Place> places_;  // by handle
  std::vector<Handle> free_handles_;
};

}  // namespace parley::sim
