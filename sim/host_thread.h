// The host's threads: one decides, and it or one thread for each GPU puts commands on the queues of
// engines and devices. Both take time, and while the deciding thread is busy what ends must wait to
// be noticed.
//
// Submitters::kOne: after a step's decision its commands are issued one after the other by the same
// thread; each becomes visible to engines and devices when its own issue is over.
// Submitters::kPerGpu: after a step's decision its commands are handed over, each to the thread of
// its GPU (a launch: its device's; a copy: that of the space it leaves, or enters if it leaves the
// host), which issues what it got one after the other; the deciding thread goes on meanwhile. What
// runs on the host is visible at once. Threads get in each other's way in the driver: what one
// begins while others issue takes `crowding` longer for each of them. Small copies within a GPU
// that wait for it one behind the other share a launch: each but the first takes `issue_joined`.
//
// The host learns of an end `notice` later: what a round trip (issue an empty kernel, learn of its
// end) takes beyond issuing and starting it. Whoever finds an end (the thread that issues) spends
// `poll` on it; a thread for a GPU finds all that has ended on one stream at once (in a time that
// grows with the logarithm of their number: it asks for the last in steps that double), and looks
// when it has nothing to issue, or has issued kBetweenLooks commands since (copies that share a
// launch end as one there; what is being decided counts as given to it: looks meanwhile would go
// round all streams, and find little). With several streams an end waits for its stream's turn,
// which keeps the thread from nothing else. Completions known when a step starts are handled in one
// batch, by (time, id).
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
  static constexpr std::uint32_t kMostJoinedParts = 16;  // of a launch, as exec/cuda/strided_copy.h

  /// The machine must outlive this. `slowdown`: all that its threads do takes so many times as long
  /// as it states, and is told so.
  explicit HostThread(const core::Machine& machine, double slowdown = 1.0);

  /// Who issues a command: the thread of a space, whatever thread that is.
  [[nodiscard]] core::SpaceId submitter_of_copy(core::SpaceId from, core::SpaceId to) const {
    return machine_->space(from).is_host ? to : from;
  }
  [[nodiscard]] core::SpaceId submitter_of_launch(core::DeviceId device) const {
    return machine_->device(device).space;
  }

  /// Whether a thread for each GPU issues and finds ends.
  [[nodiscard]] bool has_submitters() const { return !submitters_.empty(); }

  // ---- what it is told ----
  void submit_all(core::TaskId end);  // at time 0: all tasks below `end`, and no more
  void task_released(core::Time at, core::TaskId task);
  struct Ended {
    core::CommandId id;
    core::SpaceId submitter;
    core::Time start, end;
    std::uint32_t stream = 0;  // on which it was; a look is at one stream
    bool is_asked = true;      // by a question of its own: else it shares a launch with one told
                               // before, or is signalled
    core::Time found_from = core::Time(0);    // looks find it no earlier, nor before its end
    core::Duration turn = core::Duration(0);  // how long it waits for its stream's turn besides
  };
  /// How long an end waits for its stream's turn among so many, on average and beyond what it waits
  /// on the only one, which is in the round trip. Mostly a pause between looks, so that it is as
  /// long on a slow host.
  [[nodiscard]] core::Duration turn_among(std::uint32_t streams) const {
    if (streams < 2 || !has_submitters()) return core::Duration(0);
    return core::Duration((std::int64_t{streams} - 1) * costs_.turn.count() / 2);
  }
  void copy_done(const Ended& copy) { ended(copy, NewsKind::kCopyDone); }
  void task_done(const Ended& task) { ended(task, NewsKind::kTaskDone); }

  // ---- when it decides ----
  /// When it will next be free with something to handle; Time::max() when there is nothing.
  [[nodiscard]] core::Time next_step() const {
    if (first_news_ == news_.size()) return core::Time::max();
    return std::max(busy_until_, news_[first_news_].known);
  }
  /// All that it knows of by `now`. Requires: now == next_step(). Valid until the next call.
  std::span<const core::Event> take_events(core::Time now);

  // ---- what it issues ----
  /// Begins to decide at `now`, on what take_events() gave last, and then issues the `commands`
  /// that follow by issue_copy() and issue_launch(), in order.
  void begin_issue(core::Time now, std::size_t commands);
  /// Each part of a copy is issued by itself. `extra`: what the first takes beyond a plain copy
  /// (and the others, unless HostCosts::issue_part says what they take).
  void issue_copy(core::CommandId id, core::SpaceId submitter, std::uint32_t parts = 1,
                  core::Duration extra = core::Duration(0));
  /// A copy that may share a launch with others; its parts do, too. Requires: at most
  /// kMostJoinedParts, and threads of their own for GPUs.
  void issue_joinable_copy(core::CommandId id, core::SpaceId submitter, std::uint32_t parts,
                           core::Duration extra);
  /// `extra`: what it takes beyond a plain launch, mostly further kernels of the same task. The
  /// launch is visible when the first of them is issued; the thread is busy with the others then.
  void issue_launch(core::CommandId id, core::SpaceId submitter,
                    core::Duration extra = core::Duration(0));

  /// All time that it decided for, and how many commands it gave then.
  [[nodiscard]] core::Duration deciding() const { return deciding_; }
  [[nodiscard]] std::uint64_t commands() const { return commands_; }

  /// When the next issued command becomes visible; Time::max() when none waits.
  [[nodiscard]] core::Time next_visible() const {
    return first_issued_ < issued_.size() ? issued_[first_issued_].at : core::Time::max();
  }
  /// Requires: next_visible() is not Time::max().
  core::CommandId take_visible();
  /// When the one that was taken last is issued in all, further kernels included.
  [[nodiscard]] core::Time issued_until() const { return last_.until; }
  /// The copy whose launch the one that was taken last shares; none.
  [[nodiscard]] core::CommandId issued_with() const { return last_.leader; }
  /// How many are issued with the one that was taken last, and come next.
  [[nodiscard]] std::uint32_t followers() const { return last_.followers; }

  [[nodiscard]] core::Duration notice() const { return notice_; }

 private:
  static constexpr std::size_t kBetweenLooks = 16;  // as exec/cuda/submitter.h

  enum class NewsKind : std::uint8_t { kSubmitted, kReleased, kCopyDone, kTaskDone };
  struct News {
    core::Time known;
    core::Time start, end;
    NewsKind kind = NewsKind::kSubmitted;
    std::uint32_t number = 0;  // of a task or command
    std::uint32_t stream = 0;
    bool is_asked = true;
    core::Duration turn;
  };
  struct Issued {
    core::Time at;
    core::CommandId id;
    core::SpaceId submitter = core::SpaceId::none();   // that goes on to its next command then
    core::Time until;                                  // all of it is issued
    core::CommandId leader = core::CommandId::none();  // whose launch it shares
    std::uint32_t followers = 0;                       // that share its own
    bool operator<(const Issued& other) const {        // heaps: the first to be visible on top
      return at != other.at ? at > other.at : id > other.id;
    }
  };

  [[nodiscard]] core::Duration slowed(core::Duration time) const;

  struct Order {
    core::CommandId id;
    core::Time given;
    core::Duration cost, extra;
    std::uint32_t joinable_parts = 0;  // 0: it is issued by itself
  };
  struct Submitter {
    core::Time free_at;           // when all that it has begun is over
    core::Time looks_at;          // for ends: its last look, or one to come, at
    std::uint32_t looked_at = 0;  // this stream
    std::size_t since_look = 0;   // commands
    std::vector<News> unfound;    // ended since it had its hands full
    core::Time begins;
    core::Time issues_until;    // what it has in hand, or had last
    std::vector<Order> orders;  // those before first_order are done with; the first is in hand
    std::size_t first_order = 0;
    std::size_t in_hand = 1;  // orders, from the first
  };

  void append_event(const News& news);
  void ended(const Ended& command, NewsKind kind);
  void add_end(const News& news, core::SpaceId submitter);
  void find_end(News news, core::SpaceId submitter);
  void issue(core::CommandId id, core::SpaceId submitter, core::Duration cost, core::Duration extra,
             std::uint32_t joinable_parts = 0);
  void show(const Issued& issued);
  void go_on(core::SpaceId submitter);
  void look(Submitter& thread, core::Time at);
  void tell(News news);
  void begin_next(core::SpaceId submitter);
  [[nodiscard]] std::size_t orders_together(const Submitter& thread, core::Time begin) const;
  [[nodiscard]] double crowd(core::SpaceId submitter, core::Time at) const;

  const core::Machine* machine_;
  core::HostCosts costs_;
  double slowdown_;
  core::Duration notice_;
  Issued last_;            // that was taken
  core::Time busy_until_;  // the deciding thread
  core::Duration deciding_ = core::Duration(0);
  std::uint64_t commands_ = 0;
  core::IdVector<core::SpaceId, Submitter> submitters_;  // none: it issues itself
  std::vector<core::SpaceId> gpus_;                      // whose submitters are threads
  std::vector<News> news_;  // by `known`; those before first_news_ are done with
  std::size_t first_news_ = 0;
  std::size_t ends_taken_ = 0;  // by the last take_events()
  std::vector<core::Event> events_;
  /// Without submitters by `at`, and those before first_issued_ are done with; else a heap.
  std::vector<Issued> issued_;
  std::size_t first_issued_ = 0;
};

}  // namespace parley::sim
