// The host thread that runs the engine: it takes time to decide and to issue commands, and while it
// is busy what ends must wait to be noticed. Commands of a step are issued one after the other;
// each becomes visible to engines and devices when its own issue is over. Completions that happened
// meanwhile are handled in one batch, ordered by (time, id).
//
// The host learns of an end `notice` later: what a round trip (issue an empty kernel, learn of its
// end) takes beyond issuing and starting it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/engine/command.h"
#include "core/engine/event.h"
#include "core/machine/machine.h"

namespace parley::sim {

class HostThread {
 public:
  explicit HostThread(const core::Machine& machine);

  // ---- what it is told ----
  void submit_all(core::TaskId end);  // at time 0: all tasks below `end`, and no more
  void task_released(core::Time at, core::TaskId task);
  void copy_done(core::CommandId id, core::Time start, core::Time end);
  void task_done(core::CommandId id, core::Time start, core::Time end);

  // ---- when it decides ----
  /// When it will next be free with something to handle; Time::max() when there is nothing.
  [[nodiscard]] core::Time next_step() const {
    if (first_news_ == news_.size()) return core::Time::max();
    return std::max(busy_until_, news_[first_news_].known);
  }
  /// All that it knows of by `now`. Requires: now == next_step(). Valid until the next call.
  std::span<const core::Event> take_events(core::Time now);

  // ---- what it issues ----
  /// Begins to decide at `now` and then issues the commands that follow by issue(), in order.
  void begin_issue(core::Time now);
  /// Returns when the command becomes visible.
  core::Time issue_copy(core::CommandId id);
  core::Time issue_launch(core::CommandId id);

  /// When the next issued command becomes visible; Time::max() when none waits.
  [[nodiscard]] core::Time next_visible() const {
    return first_issued_ < issued_.size() ? issued_[first_issued_].at : core::Time::max();
  }
  /// Requires: next_visible() is not Time::max().
  core::CommandId take_visible();

  [[nodiscard]] core::Duration notice() const { return notice_; }

 private:
  enum class NewsKind : std::uint8_t { kSubmitted, kReleased, kCopyDone, kTaskDone };
  struct News {
    core::Time known;
    core::Time start, end;
    NewsKind kind = NewsKind::kSubmitted;
    std::uint32_t number = 0;  // of a task or command
  };
  struct Issued {
    core::Time at;
    core::CommandId id;
  };

  static core::Event event_of(const News& news);
  core::Time issue(core::CommandId id, core::Duration cost);

  core::HostCosts costs_;
  core::Duration notice_;
  core::Time busy_until_;
  std::vector<News> news_;  // by `known`; those before first_news_ are done with
  std::size_t first_news_ = 0;
  std::vector<core::Event> events_;
  std::vector<Issued> issued_;  // by `at`; those before first_issued_ are done with
  std::size_t first_issued_ = 0;
};

}  // namespace parley::sim
