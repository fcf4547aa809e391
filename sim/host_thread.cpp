#include "sim/host_thread.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <tuple>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "sim/noise.h"

namespace parley::sim {
namespace {

/// The front of a queue kept in a vector was taken: lets go of what is done with now and then.
template <class T>
void drop_front(std::vector<T>& queue, std::size_t& first) {
  constexpr std::size_t kMany = 4096;
  if (first == queue.size()) {
    queue.clear();
    first = 0;
  } else if (first > kMany && first > queue.size() / 2) {
    queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(first));
    first = 0;
  }
}

}  // namespace

HostThread::HostThread(const core::Machine& machine, double slowdown)
    : machine_(&machine), costs_(machine.host()), slowdown_(slowdown) {
  core::Duration launch;
  for (const core::Device& device : machine.spec().devices)
    launch = std::max(launch, device.launch);
  notice_ = std::max(costs_.round_trip - costs_.issue_launch - launch, core::Duration(0));
  if (slowdown != 1.0) {
    for (core::Duration* time :
         {&notice_, &costs_.issue_copy, &costs_.issue_launch, &costs_.decide,
          &costs_.decide_command, &costs_.issue_part, &costs_.issue_joined, &costs_.poll}) {
      *time = scaled(*time, slowdown);
    }
  }
  if (costs_.submitters == core::Submitters::kOne) return;
  submitters_.resize(machine.space_count());
  for (std::size_t i = 0; i < machine.space_count(); ++i) {
    if (!machine.space(core::SpaceId(i)).is_host) gpus_.push_back(core::SpaceId(i));
  }
}

void HostThread::submit_all(core::TaskId end) {
  news_.push_back({core::Time(0), core::Time(0), core::Time(0), NewsKind::kSubmitted,
                   static_cast<std::uint32_t>(end.index())});
}

/// Unlike an end, this needs no notice.
void HostThread::task_released(core::Time at, core::TaskId task) {
  tell({at, at, at, NewsKind::kReleased, static_cast<std::uint32_t>(task.index())});
}

/// Member by member: a processor that has just written a copy's parts waits before it reads several
/// at once.
inline void HostThread::add_end(const News& news, core::SpaceId submitter) {
  if (has_submitters()) {
    // Looks may be to come, so that what is known is not in order of ends.
    return machine_->space(submitter).is_host ? tell(news) : find_end(news, submitter);
  }
  News& added = news_.emplace_back();
  added.known = news.known;
  added.start = news.start;
  added.end = news.end;
  added.kind = news.kind;
  added.number = news.number;
  added.stream = news.stream;
}

void HostThread::ended(const Ended& command, NewsKind kind) {
  add_end({std::max(command.end, command.found_from) + notice_, command.start, command.end, kind,
           static_cast<std::uint32_t>(command.id.index()), command.stream, command.is_asked,
           command.turn},
          command.submitter);
}

/// By the thread of a GPU, at once or when it looks next.
void HostThread::find_end(News news, core::SpaceId submitter) {
  Submitter& thread = submitters_[submitter];
  const bool has_orders = thread.first_order < thread.orders.size();
  const core::Time found_from = news.known - notice_;
  if (found_from <= thread.looks_at && news.stream == thread.looked_at) {
    news.known = thread.looks_at + news.turn + notice_;
    tell(news);
    return;
  }
  thread.unfound.push_back(news);
  if (!has_orders) look(thread, std::max(thread.free_at, found_from));
}

/// Finds all that has ended on the stream of what ended first.
void HostThread::look(Submitter& thread, core::Time at) {
  thread.looks_at = at;
  thread.looked_at = thread.unfound.front().stream;
  thread.since_look = 0;
  const auto found =
      static_cast<std::size_t>(std::ranges::count_if(thread.unfound, [&](const News& news) {
        return news.stream == thread.looked_at && news.is_asked;
      }));
  thread.free_at =
      at + core::Duration(costs_.poll.count() * static_cast<std::int64_t>(std::bit_width(found)));
  std::erase_if(thread.unfound, [&](News& news) {
    if (news.stream != thread.looked_at) return false;
    news.known = at + news.turn + notice_;
    tell(news);
    return true;
  });
}

/// Takes its place among what is known already.
void HostThread::tell(News news) {
  const auto place =
      std::upper_bound(news_.begin() + static_cast<std::ptrdiff_t>(first_news_), news_.end(), news,
                       [](const News& a, const News& b) { return a.known < b.known; });
  news_.insert(place, news);
}

std::span<const core::Event> HostThread::take_events(core::Time now) {
  const auto begin = news_.begin() + static_cast<std::ptrdiff_t>(first_news_);
  const auto end = std::find_if(begin, news_.end(), [&](const News& n) { return n.known > now; });
  PARLEY_CHECK(begin != end && busy_until_ <= now, "a step without news, or of a busy host");
  std::sort(begin, end, [](const News& a, const News& b) {
    const auto order = [](const News& news) {
      return std::tuple(news.end, news.kind >= NewsKind::kCopyDone, news.number, news.kind);
    };
    return order(a) < order(b);
  });
  events_.clear();
  ends_taken_ = 0;
  for (auto news = begin; news != end; ++news) {
    if (news->kind >= NewsKind::kCopyDone) ++ends_taken_;
    append_event(*news);
    if (news->kind == NewsKind::kSubmitted) events_.emplace_back(core::SubmissionClosed());
  }
  first_news_ += static_cast<std::size_t>(end - begin);
  drop_front(news_, first_news_);
  return events_;
}

void HostThread::append_event(const News& news) {
  const auto append_end = [&]<class End>(std::in_place_type_t<End> type) {  // in place: see add_end
    End& end = std::get<End>(events_.emplace_back(type));
    end.id = core::CommandId(news.number);
    end.start = news.start;
    end.end = news.end;
  };
  switch (news.kind) {
    case NewsKind::kSubmitted:
      events_.emplace_back(core::TasksSubmitted{core::TaskId(news.number)});
      break;
    case NewsKind::kReleased:
      events_.emplace_back(core::TaskReleased{core::TaskId(news.number)});
      break;
    case NewsKind::kCopyDone:
      append_end(std::in_place_type<core::CopyDone>);
      break;
    case NewsKind::kTaskDone:
      append_end(std::in_place_type<core::TaskDone>);
      break;
  }
}

void HostThread::begin_issue(core::Time now, std::size_t commands) {
  const core::Duration taken = costs_.decide + core::Duration(costs_.decide_command.count() *
                                                              static_cast<std::int64_t>(commands));
  deciding_ += taken;
  commands_ += commands;
  busy_until_ = now + taken;
  if (has_submitters()) return;
  busy_until_ =
      busy_until_ + core::Duration(costs_.poll.count() * static_cast<std::int64_t>(ends_taken_));
}

core::Duration HostThread::slowed(core::Duration time) const {
  return slowdown_ == 1.0 ? time : scaled(time, slowdown_);
}

void HostThread::issue_copy(core::CommandId id, core::SpaceId submitter, std::uint32_t parts,
                            core::Duration extra) {
  const core::Duration first = costs_.issue_copy + slowed(extra);
  const core::Duration further = costs_.issue_part > core::Duration(0) ? costs_.issue_part : first;
  issue(id, submitter, first + core::Duration(further.count() * (std::int64_t{parts} - 1)),
        core::Duration(0));
}

void HostThread::issue_joinable_copy(core::CommandId id, core::SpaceId submitter,
                                     std::uint32_t parts, core::Duration extra) {
  issue(id, submitter, costs_.issue_copy + slowed(extra), core::Duration(0), parts);
}

void HostThread::issue_launch(core::CommandId id, core::SpaceId submitter, core::Duration extra) {
  issue(id, submitter, costs_.issue_launch, slowed(extra));
}

void HostThread::issue(core::CommandId id, core::SpaceId submitter, core::Duration cost,
                       core::Duration extra, std::uint32_t joinable_parts) {
  if (!has_submitters()) {
    const core::Time at = busy_until_ + cost;
    busy_until_ = at + extra;
    issued_.push_back({at, id, core::SpaceId::none(), busy_until_});
    return;
  }
  if (machine_->space(submitter).is_host) {
    show({busy_until_, id, core::SpaceId::none(), busy_until_ + extra});
    return;
  }
  Submitter& thread = submitters_[submitter];
  thread.orders.push_back({id, busy_until_, cost, extra, joinable_parts});
  if (thread.orders.size() == thread.first_order + 1) begin_next(submitter);
}

void HostThread::show(const Issued& issued) {
  issued_.push_back(issued);
  std::ranges::push_heap(issued_, std::less<>());
}

/// Requires: has orders, and none in hand.
void HostThread::begin_next(core::SpaceId submitter) {
  Submitter& thread = submitters_[submitter];
  const Order& order = thread.orders[thread.first_order];
  const core::Time begin = std::max(order.given, thread.free_at);
  const double longer = crowd(submitter, begin);
  thread.in_hand = orders_together(thread, begin);
  const auto followers = static_cast<std::uint32_t>(thread.in_hand - 1);
  const core::Duration cost =
      order.cost + core::Duration(costs_.issue_joined.count() * std::int64_t{followers});
  const core::Time at = begin + scaled(cost, longer);
  thread.begins = begin;
  thread.free_at = thread.issues_until = at + scaled(order.extra, longer);
  // The last has the thread go on.
  Issued issued{at, order.id, core::SpaceId::none(), thread.issues_until};
  issued.followers = followers;
  for (std::uint32_t i = 0; i <= followers; ++i) {
    if (i > 0) {
      issued.id = thread.orders[thread.first_order + i].id;
      issued.leader = order.id;
      issued.followers = 0;
    }
    if (i == followers) issued.submitter = submitter;
    show(issued);
  }
}

/// How many of its orders, from the first, go in one launch that begins then.
std::size_t HostThread::orders_together(const Submitter& thread, core::Time begin) const {
  std::uint32_t parts = thread.orders[thread.first_order].joinable_parts;
  std::size_t count = 1;
  if (parts == 0 || costs_.issue_joined == core::Duration(0)) return count;
  for (std::size_t i = thread.first_order + 1; i < thread.orders.size(); ++i, ++count) {
    const Order& next = thread.orders[i];
    parts += next.joinable_parts;
    if (next.joinable_parts == 0 || next.given > begin || parts > kMostJoinedParts) break;
  }
  return count;
}

/// What it had in hand is issued.
void HostThread::go_on(core::SpaceId submitter) {
  Submitter& thread = submitters_[submitter];
  thread.first_order += thread.in_hand;
  thread.since_look += thread.in_hand;
  drop_front(thread.orders, thread.first_order);
  const bool has_more = thread.first_order < thread.orders.size();
  if (has_more && thread.since_look >= kBetweenLooks && !thread.unfound.empty()) {
    look(thread, thread.free_at);
  }
  while (!has_more && !thread.unfound.empty()) look(thread, thread.free_at);
  if (has_more) begin_next(submitter);
}

/// How much longer issuing takes that begins then.
double HostThread::crowd(core::SpaceId submitter, core::Time at) const {
  if (costs_.crowding == 0.0) return 1.0;
  double others = 0.0;
  for (const core::SpaceId gpu : gpus_) {
    const Submitter& other = submitters_[gpu];
    if (gpu != submitter && other.begins <= at && at < other.issues_until) others += 1.0;
  }
  return 1.0 + costs_.crowding * others;
}

core::CommandId HostThread::take_visible() {
  if (has_submitters()) {
    std::ranges::pop_heap(issued_, std::less<>());
    last_ = issued_.back();
    issued_.pop_back();
    if (!last_.submitter.is_none()) go_on(last_.submitter);
    return last_.id;
  }
  last_ = issued_[first_issued_++];
  drop_front(issued_, first_issued_);
  return last_.id;
}

}  // namespace parley::sim
