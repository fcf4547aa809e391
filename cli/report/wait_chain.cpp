#include "cli/report/wait_chain.h"

#include <algorithm>

#include "cli/report/names.h"

namespace parley::cli {
namespace {

void put(std::vector<Interval>& intervals, core::CommandId id, Interval interval) {
  if (intervals.size() <= id.index()) intervals.resize(id.index() + 1);
  intervals[id.index()] = interval;
}

}  // namespace

WaitChain::WaitChain(const RunResult& result, const CommandLog& log) : result_(result), log_(log) {
  for (const core::TaskRecord& task : result.run.tasks) {
    put(intervals_, task.command, {&task, nullptr});
  }
  for (const core::CopyRecord& copy : result.run.copies) {
    put(intervals_, copy.command, {nullptr, &copy});
  }
  for (const Interval& interval : intervals_) {
    if (interval.is_known()) by_end_.push_back(interval);
  }
  std::stable_sort(by_end_.begin(), by_end_.end(),
                   [](const Interval& a, const Interval& b) { return a.end() < b.end(); });
}

Interval WaitChain::last_of_after(const Interval& command) const {
  Interval last;
  for (const core::CommandId id : log_.after(command.id())) {
    const Interval candidate = interval(id);
    if (!candidate.is_known()) continue;
    if (!last.is_known() || candidate.end() > last.end()) last = candidate;
  }
  return last;
}

core::Time WaitChain::ready(const Interval& command) const {
  const Interval last = last_of_after(command);
  const core::Time issued = log_.issued(command.id());
  return last.is_known() ? std::max(issued, last.end()) : issued;
}

bool WaitChain::shares_server(const Interval& a, const Interval& b) const {
  if (a.task != nullptr && b.task != nullptr) {
    return std::find_first_of(a.task->devices.begin(), a.task->devices.end(),
                              b.task->devices.begin(),
                              b.task->devices.end()) != a.task->devices.end();
  }
  if (a.copy == nullptr || b.copy == nullptr) return false;
  if (a.copy->route.is_none() || b.copy->route.is_none()) return false;
  const auto& mine = result_.machine.route(a.copy->route).engines;
  const auto& other = result_.machine.route(b.copy->route).engines;
  return std::find_first_of(mine.begin(), mine.end(), other.begin(), other.end()) != mine.end();
}

std::vector<Interval> WaitChain::ended_at(core::Time at) const {
  const auto begin =
      std::lower_bound(by_end_.begin(), by_end_.end(), at,
                       [](const Interval& interval, core::Time t) { return interval.end() < t; });
  std::vector<Interval> found;
  for (auto it = begin; it != by_end_.end() && it->end() == at; ++it) found.push_back(*it);
  return found;
}

Wait WaitChain::wait_of(const Interval& command) const {
  const auto ended_before = [&](core::Time at) {
    std::vector<Interval> ended = ended_at(at);
    std::erase_if(ended, [&](const Interval& other) { return other.id() == command.id(); });
    return ended;
  };
  if (command.start() > ready(command)) {
    for (const Interval& other : ended_before(command.start())) {
      if (shares_server(command, other)) return {WaitKind::kHeld, other};
    }
  }
  const core::Time issued = log_.issued(command.id());
  const Interval last = last_of_after(command);
  if (last.is_known() && last.end() > issued) return {WaitKind::kBytes, last};
  if (issued == core::Time()) return {};
  // The engine decided at that moment because something ended; tasks of the same device come first,
  // for they make room in its window.
  const std::vector<Interval> ended = ended_before(issued);
  for (const Interval& other : ended) {
    if (other.task != nullptr && shares_server(command, other)) return {WaitKind::kIssue, other};
  }
  for (const Interval& other : ended) {
    if (other.task != nullptr) return {WaitKind::kIssue, other};
  }
  return {};
}

std::string WaitChain::name_of(const Interval& command) const {
  if (command.task != nullptr) return std::string(result_.program.task_name(command.task->task));
  const core::CopyRecord& copy = *command.copy;
  return "copy of " + boxes_text(result_.program, copy.array, copy.boxes) + " " +
         route_text(result_.machine, copy.from, copy.to);
}

}  // namespace parley::cli
