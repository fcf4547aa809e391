// Places overlapping intervals of a track side by side: each interval gets the lowest lane that is
// free at its start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "core/base/units.h"

namespace parley::cli {

class TraceLanes {
 public:
  /// The lane of [start, end). Requires: starts never decrease from call to call.
  std::size_t place(core::Time start, core::Time end) {
    while (!busy_.empty() && busy_.top().end <= start) {
      free_.push(busy_.top().lane);
      busy_.pop();
    }
    std::size_t lane = count_;
    if (free_.empty()) {
      ++count_;
    } else {
      lane = free_.top();
      free_.pop();
    }
    busy_.push({end, lane});
    return lane;
  }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  struct Busy {
    core::Time end;
    std::size_t lane;
    auto operator<=>(const Busy&) const = default;
  };
  std::priority_queue<Busy, std::vector<Busy>, std::greater<>> busy_;
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> free_;
  std::size_t count_ = 0;
};

}  // namespace parley::cli
