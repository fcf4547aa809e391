// What is going to happen, ordered by (time, sequence): of one instant, what was scheduled first
// comes first. An entry may be moved while it waits, which the ends of flows need. A 4-ary heap
// with the positions of its entries: half the levels of a binary one, and siblings share a cache
// line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/units.h"

namespace parley::sim {

enum class OccurrenceKind : std::uint8_t {
  kFlowBegins,  // subject: the command id of a copy whose latency is over
  kFlowEnds,    // subject: the flow
  kTaskEnds,    // subject: the command id of a launch
  kNotified,    // subject: a command that learns of the end of one it waited for
};

struct Occurrence {
  OccurrenceKind kind = OccurrenceKind::kTaskEnds;
  std::uint32_t subject = 0;
};

class EventQueue {
 public:
  /// Names an entry until it is popped; reused afterwards.
  using Handle = std::uint32_t;

  /// O(log n) each. `move` counts as scheduling anew: the entry goes behind others of its new time.
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
    core::Time at;
    std::uint64_t sequence = 0;
    Handle handle = 0;
    [[nodiscard]] bool is_before(const Entry& other) const {
      return at != other.at ? at < other.at : sequence < other.sequence;
    }
  };

  void place(std::size_t position, const Entry& entry) {
    heap_[position] = entry;
    position_of_[entry.handle] = static_cast<std::uint32_t>(position);
  }
  void sift_up(std::size_t position, const Entry& entry);
  void sift_down(std::size_t position, const Entry& entry);

  std::vector<Entry> heap_;
  std::vector<std::uint32_t> position_of_;  // by handle
  std::vector<Occurrence> occurrence_of_;   // by handle
  std::vector<Handle> free_handles_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace parley::sim
