#include "core/graph/reachability.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace parley::core {
namespace {

constexpr std::size_t kTraversals = 3;  // GRAIL's authors find little gain above 5

/// A stateless choice that differs between traversals and tasks (splitmix64's finaliser).
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

}  // namespace

/// Traverses depth first with an explicit stack, the successors of each task from one chosen at
/// random onwards, so that each traversal yields another tree.
class Reachability::Traversal {
 public:
  Traversal(const TaskGraph& graph, std::uint64_t number)
      : graph_(graph), number_(number), labels_(graph.task_count()) {}

  IdVector<TaskId, Label> run() {
    const std::size_t tasks = graph_.task_count();
    const std::size_t offset = tasks == 0 ? 0 : mix(number_ + 1) % tasks;
    for (std::size_t i = 0; i < tasks; ++i) {
      const TaskId root((i + offset) % tasks);
      if (graph_.predecessors(root).empty()) descend(root);
    }
    return std::move(labels_);
  }

 private:
  void enter(TaskId task) {
    labels_[task].enter = ++entered_;
    labels_[task].low = TaskId::kNone;
    stack_.push_back({task, 0});
  }

  void descend(TaskId root) {
    enter(root);
    while (!stack_.empty()) {
      Frame& frame = stack_.back();
      const auto successors = graph_.successors(frame.task);
      if (frame.tried == successors.size()) {
        leave();
        continue;
      }
      const std::uint64_t start = mix((number_ << 32U) + frame.task.index());
      const TaskId next = successors[(start + frame.tried) % successors.size()];
      ++frame.tried;
      Label& label = labels_[frame.task];
      if (labels_[next].enter == 0) {
        enter(next);  // `frame` is invalid from here on
      } else {
        label.low = std::min(label.low, labels_[next].low);
      }
    }
  }

  void leave() {
    const TaskId task = stack_.back().task;
    stack_.pop_back();
    Label& label = labels_[task];
    label.leave = ++left_;
    label.low = std::min(label.low, label.leave);
    if (!stack_.empty()) {
      Label& parent = labels_[stack_.back().task];
      parent.low = std::min(parent.low, label.low);
    }
  }

  const TaskGraph& graph_;
  std::uint64_t number_;
  IdVector<TaskId, Label> labels_;
  std::vector<Frame> stack_;
  std::uint32_t entered_ = 0, left_ = 0;  // 0 in a label: not yet
};

Reachability::Reachability(const TaskGraph& graph)
    : graph_(graph), position_(graph.task_count()), levels_(graph.levels()) {
  std::uint32_t position = 0;
  for (const TaskId task : graph.topological_order()) position_[task] = position++;
}

void Reachability::make_labels() {
  for (std::uint64_t i = 0; i < kTraversals; ++i) labels_.push_back(Traversal(graph_, i).run());
  seen_.resize(graph_.task_count(), 0);
}

// Successors are ascending; a short list of predecessors is quicker still.
bool Reachability::has_edge(TaskId from, TaskId to) const {
  const auto before = graph_.predecessors(to);
  if (before.size() <= 8) return std::find(before.begin(), before.end(), from) != before.end();
  const auto after = graph_.successors(from);
  return std::binary_search(after.begin(), after.end(), to);
}

Reachability::Answer Reachability::by_labels(TaskId from, TaskId to) const {
  for (const IdVector<TaskId, Label>& labels : labels_) {
    const Label& above = labels[from];
    const Label& below = labels[to];
    if (below.low < above.low || below.leave > above.leave) return Answer::kNo;
    if (above.enter < below.enter) return Answer::kYes;  // and left before, as just seen
  }
  return Answer::kUnknown;
}

bool Reachability::surely_reaches(TaskId from, TaskId to) const {
  if (levels_[from] >= levels_[to]) return false;
  return has_edge(from, to) || (!labels_.empty() && by_labels(from, to) == Answer::kYes);
}

bool Reachability::reaches(TaskId from, TaskId to) {
  if (levels_[from] >= levels_[to]) return false;
  if (has_edge(from, to)) return true;
  if (levels_[to] - levels_[from] == 1) return false;  // a path would be that edge
  if (labels_.empty()) make_labels();
  const Answer answer = by_labels(from, to);
  return answer == Answer::kUnknown ? search(from, to) : answer == Answer::kYes;
}

// Backwards from `to` and depth first, through tasks that `from` may reach. A task's predecessors
// are tried one by one, not all put on the stack: behind a barrier of many tasks the first will
// mostly do.
bool Reachability::search(TaskId from, TaskId to) {
  const std::uint64_t number = ++searches_;
  stack_.assign(1, {to, 0});
  seen_[to] = number;
  while (!stack_.empty()) {
    Frame& frame = stack_.back();
    const auto before = graph_.predecessors(frame.task);
    if (frame.tried == before.size()) {
      stack_.pop_back();
      continue;
    }
    const TaskId next = before[frame.tried++];
    if (seen_[next] == number || levels_[next] <= levels_[from]) continue;
    seen_[next] = number;
    ++searched_;
    if (has_edge(from, next)) return true;
    const Answer answer = by_labels(from, next);
    if (answer == Answer::kYes) return true;
    if (answer == Answer::kUnknown) stack_.push_back({next, 0});
  }
  return false;
}

}  // namespace parley::core
