#include "sim/host_thread.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "core/base/check.h"

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

HostThread::HostThread(const core::Machine& machine) : machine_(&machine), costs_(machine.host()) {
  core::Duration launch;
  for (const core::Device& device : machine.spec().devices)
    launch = std::max(launch, device.launch);
  notice_ = std::max(costs_.round_trip - costs_.issue_launch - launch, core::Duration(0));
  if (costs_.submitters == core::Submitters::kPerGpu) free_at_.resize(machine.space_count());
}

void HostThread::submit_all(core::TaskId end) {
  news_.push_back({core::Time(0), core::Time(0), core::Time(0), NewsKind::kSubmitted,
                   static_cast<std::uint32_t>(end.index())});
}

/// Unlike an end, this needs no notice; it takes its place among what is known already.
void HostThread::task_released(core::Time at, core::TaskId task) {
  const News news{at, at, at, NewsKind::kReleased, static_cast<std::uint32_t>(task.index())};
  const auto place =
      std::upper_bound(news_.begin() + static_cast<std::ptrdiff_t>(first_news_), news_.end(), news,
                       [](const News& a, const News& b) { return a.known < b.known; });
  news_.insert(place, news);
}

void HostThread::copy_done(core::CommandId id, core::SpaceId submitter, core::Time start,
                           core::Time end) {
  const auto number = static_cast<std::uint32_t>(id.index());
  add_end({end + notice_, start, end, NewsKind::kCopyDone, number}, submitter);
}

void HostThread::task_done(core::CommandId id, core::SpaceId submitter, core::Time start,
                           core::Time end) {
  const auto number = static_cast<std::uint32_t>(id.index());
  add_end({end + notice_, start, end, NewsKind::kTaskDone, number}, submitter);
}

/// A submitter looks between two commands, so what it has in hand is issued as told before.
void HostThread::add_end(const News& news, core::SpaceId submitter) {
  news_.push_back(news);
  if (!has_submitters()) return;
  free_at_[submitter] = std::max(free_at_[submitter], news.end) + costs_.poll;
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
    events_.push_back(event_of(*news));
    if (news->kind == NewsKind::kSubmitted) events_.emplace_back(core::SubmissionClosed());
  }
  first_news_ += static_cast<std::size_t>(end - begin);
  drop_front(news_, first_news_);
  return events_;
}

core::Event HostThread::event_of(const News& news) {
  switch (news.kind) {
    case NewsKind::kSubmitted:
      return core::TasksSubmitted{core::TaskId(news.number)};
    case NewsKind::kReleased:
      return core::TaskReleased{core::TaskId(news.number)};
    case NewsKind::kCopyDone:
      return core::CopyDone{core::CommandId(news.number), news.start, news.end};
    case NewsKind::kTaskDone:
      return core::TaskDone{core::CommandId(news.number), news.start, news.end};
  }
  return core::SubmissionClosed();
}

void HostThread::begin_issue(core::Time now, std::size_t commands) {
  busy_until_ = now + costs_.decide +
                core::Duration(costs_.decide_command.count() * static_cast<std::int64_t>(commands));
  if (has_submitters()) return;
  busy_until_ =
      busy_until_ + core::Duration(costs_.poll.count() * static_cast<std::int64_t>(ends_taken_));
}

core::Time HostThread::issue_copy(core::CommandId id, core::SpaceId submitter, std::uint32_t parts,
                                  core::Duration extra) {
  return issue(id, submitter, core::Duration((costs_.issue_copy + extra).count() * parts),
               core::Duration(0));
}

core::Time HostThread::issue_launch(core::CommandId id, core::SpaceId submitter,
                                    core::Duration extra) {
  return issue(id, submitter, costs_.issue_launch, extra);
}

core::Time HostThread::issue(core::CommandId id, core::SpaceId submitter, core::Duration cost,
                             core::Duration extra) {
  if (!has_submitters()) {
    const core::Time at = busy_until_ + cost;
    busy_until_ = at + extra;
    issued_.push_back({at, id});
    return at;
  }
  core::Time at = busy_until_;
  if (!machine_->space(submitter).is_host) {
    at = std::max(at, free_at_[submitter]) + cost;
    free_at_[submitter] = at + extra;
  }
  issued_.push_back({at, id});
  std::ranges::push_heap(issued_, std::less<>());
  return at;
}

core::CommandId HostThread::take_visible() {
  if (has_submitters()) {
    std::ranges::pop_heap(issued_, std::less<>());
    const core::CommandId id = issued_.back().id;
    issued_.pop_back();
    return id;
  }
  const core::CommandId id = issued_[first_issued_++].id;
  drop_front(issued_, first_issued_);
  return id;
}

}  // namespace parley::sim
