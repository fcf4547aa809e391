#include "core/graph/task_graph.h"

// Boost 1.74's own headers include deprecated ones and would say so in every build.
#define BOOST_ALLOW_DEPRECATED_HEADERS
#include <algorithm>
#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/graph/strong_components.hpp>
#include <functional>
#include <queue>
#include <utility>

#include "core/base/check.h"
#include "core/graph/program.h"

namespace parley::core {

TaskGraph::TaskGraph(const Program& program, DependencyKind kind) {
  const auto dependencies = [&](std::size_t task) {
    return kind == DependencyKind::kAll ? program.dependencies(TaskId(task))
                                        : program.timed_dependencies(TaskId(task));
  };
  first_predecessor_.reserve(program.task_count() + 1);
  first_predecessor_.push_back(0);
  for (std::size_t t = 0; t < program.task_count(); ++t) {
    first_predecessor_.push_back(first_predecessor_.back() + dependencies(t).size());
  }
  predecessors_.reserve(first_predecessor_.back());
  for (std::size_t t = 0; t < program.task_count(); ++t) {
    const auto of_task = dependencies(t);
    predecessors_.insert(predecessors_.end(), of_task.begin(), of_task.end());
  }
  index_successors();
  find_order();
}

TaskGraph::TaskGraph(std::span<const std::uint64_t> first, std::span<const TaskId> dependencies)
    : first_predecessor_(first.begin(), first.end()),
      predecessors_(dependencies.begin(), dependencies.end()) {
  PARLEY_CHECK(!first.empty() && first.back() == dependencies.size(), "rows and entries disagree");
  index_successors();
  find_order();
}

// Counting sort by dependency; tasks are visited in order, so successors come out ascending.
void TaskGraph::index_successors() {
  first_successor_.assign(task_count() + 1, 0);
  for (const TaskId on : predecessors_) {
    PARLEY_CHECK(on.index() < task_count(), "a dependency on no task");
    ++first_successor_[on.index() + 1];
  }
  for (std::size_t t = 0; t < task_count(); ++t) first_successor_[t + 1] += first_successor_[t];
  std::vector<std::uint64_t> next(first_successor_.begin(), first_successor_.end() - 1);
  successors_.resize(predecessors_.size());
  for (std::size_t t = 0; t < task_count(); ++t) {
    for (const TaskId on : predecessors(TaskId(t))) successors_[next[on.index()]++] = TaskId(t);
  }
}

void TaskGraph::find_order() {
  std::vector<std::uint64_t> unmet(task_count());
  bool is_in_id_order = true;
  for (std::size_t t = 0; t < task_count(); ++t) {
    unmet[t] = predecessors(TaskId(t)).size();
    for (const TaskId on : predecessors(TaskId(t))) is_in_id_order &= on < TaskId(t);
  }
  order_.reserve(task_count());
  if (is_in_id_order) {  // then the lowest unordered task is always ready
    for (std::size_t t = 0; t < task_count(); ++t) order_.push_back(TaskId(t));
    return;
  }
  std::priority_queue<TaskId, std::vector<TaskId>, std::greater<>> ready;
  for (std::size_t t = 0; t < task_count(); ++t) {
    if (unmet[t] == 0) ready.push(TaskId(t));
  }
  while (!ready.empty()) {
    const TaskId task = ready.top();
    ready.pop();
    order_.push_back(task);
    for (const TaskId waiting : successors(task)) {
      if (--unmet[waiting.index()] == 0) ready.push(waiting);
    }
  }
}

void TaskGraph::require_no_cycle() const {
  PARLEY_CHECK(order_.size() == task_count(), "the task graph has a cycle");
}

// ---- cycles ----

namespace {

using Vertex = std::uint32_t;
using WaitGraph =
    boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, boost::no_property,
                                       boost::no_property, Vertex, std::size_t>;

/// An edge from each task to each that it waits for, among the tasks that no order includes.
WaitGraph wait_graph(const TaskGraph& graph) {
  std::vector<bool> is_ordered(graph.task_count(), false);
  for (const TaskId task : graph.topological_order()) is_ordered[task.index()] = true;
  std::vector<std::pair<Vertex, Vertex>> edges;
  for (std::size_t t = 0; t < graph.task_count(); ++t) {
    if (is_ordered[t]) continue;
    for (const TaskId on : graph.predecessors(TaskId(t))) {
      if (is_ordered[on.index()]) continue;
      edges.emplace_back(static_cast<Vertex>(t), static_cast<Vertex>(on.index()));
    }
  }
  return {boost::edges_are_sorted, edges.begin(), edges.end(),
          static_cast<Vertex>(graph.task_count())};
}

/// The tasks of the smallest strongly connected component of more than one task, ascending.
std::vector<Vertex> smallest_knot(const WaitGraph& graph) {
  std::vector<Vertex> component(num_vertices(graph));
  const Vertex count = boost::strong_components(
      graph, boost::make_iterator_property_map(component.begin(), get(boost::vertex_index, graph)));
  std::vector<std::vector<Vertex>> members(count);
  for (Vertex v = 0; v < component.size(); ++v) members[component[v]].push_back(v);
  const std::vector<Vertex>* best = nullptr;
  for (const std::vector<Vertex>& knot : members) {
    if (knot.size() < 2) continue;
    if (best == nullptr || std::pair(knot.size(), knot[0]) < std::pair(best->size(), (*best)[0])) {
      best = &knot;
    }
  }
  PARLEY_CHECK(best != nullptr, "tasks without an order, but no cycle");
  return *best;
}

/// A shortest cycle through `start` of fewer than `limit` tasks, or an empty list. Breadth first;
/// what lies outside the component of `start` cannot lead back to it and only costs time.
std::vector<Vertex> cycle_through(const WaitGraph& graph, Vertex start, std::size_t limit) {
  std::vector<Vertex> queue = {start};
  std::vector<std::pair<Vertex, std::size_t>> reached(num_vertices(graph), {start, 0});
  reached[start].second = 1;  // from, number of tasks on the path
  for (std::size_t head = 0; head < queue.size(); ++head) {
    const Vertex at = queue[head];
    if (reached[at].second >= limit) break;
    const auto [begin, end] = adjacent_vertices(at, graph);
    for (auto next = begin; next != end; ++next) {
      if (*next == start) {
        std::vector<Vertex> cycle;
        for (Vertex v = at; v != start; v = reached[v].first) cycle.push_back(v);
        cycle.push_back(start);
        std::reverse(cycle.begin(), cycle.end());
        return cycle;
      }
      if (reached[*next].second > 0) continue;
      reached[*next] = {at, reached[at].second + 1};
      queue.push_back(*next);
    }
  }
  return {};
}

}  // namespace

std::optional<std::vector<TaskId>> TaskGraph::find_cycle() const {
  if (order_.size() == task_count()) return std::nullopt;
  for (std::size_t t = 0; t < task_count(); ++t) {
    const auto on = predecessors(TaskId(t));
    if (std::find(on.begin(), on.end(), TaskId(t)) != on.end()) return std::vector{TaskId(t)};
  }
  const WaitGraph graph = wait_graph(*this);
  const std::vector<Vertex> knot = smallest_knot(graph);
  // Each try may cost a search of the whole component.
  const std::size_t most_tried = std::clamp<std::size_t>(1'000'000 / knot.size(), 1, 16);
  std::vector<Vertex> best;
  for (std::size_t i = 0; i < std::min(knot.size(), most_tried); ++i) {
    const std::size_t limit = best.empty() ? knot.size() + 1 : best.size();
    std::vector<Vertex> cycle = cycle_through(graph, knot[i], limit);
    if (!cycle.empty()) best = std::move(cycle);
  }
  std::vector<TaskId> tasks;
  for (const Vertex v : best) tasks.push_back(TaskId(v));
  return tasks;
}

// ---- paths and levels ----

/// At most kLongestRun, as far beyond any run as that is.
static Duration sum_of(Duration a, Duration b) { return std::min(a + b, kLongestRun); }

IdVector<TaskId, Duration> TaskGraph::bottom_levels(
    const IdVector<TaskId, Duration>& durations) const {
  require_no_cycle();
  IdVector<TaskId, Duration> levels(task_count());
  for (std::size_t i = order_.size(); i-- > 0;) {
    Duration below;
    for (const TaskId next : successors(order_[i])) below = std::max(below, levels[next]);
    levels[order_[i]] = sum_of(durations[order_[i]], below);
  }
  return levels;
}

IdVector<TaskId, Duration> TaskGraph::top_levels(
    const IdVector<TaskId, Duration>& durations) const {
  require_no_cycle();
  IdVector<TaskId, Duration> levels(task_count());
  for (const TaskId task : order_) {
    for (const TaskId on : predecessors(task)) {
      levels[task] = std::max(levels[task], sum_of(levels[on], durations[on]));
    }
  }
  return levels;
}

CriticalPath TaskGraph::critical_path(const IdVector<TaskId, Duration>& durations) const {
  const IdVector<TaskId, Duration> levels = bottom_levels(durations);
  CriticalPath path;
  TaskId at;
  for (std::size_t t = 0; t < task_count(); ++t) {
    if (at.is_none() || levels[TaskId(t)] > path.length) {
      at = TaskId(t);
      path.length = levels[at];
    }
  }
  while (!at.is_none()) {
    path.tasks.push_back(at);
    const Duration rest = levels[at] - durations[at];
    TaskId next_on_path;
    if (rest > Duration(0)) {
      for (const TaskId next : successors(at)) {
        if (levels[next] == rest && next_on_path.is_none()) next_on_path = next;
      }
    }
    at = next_on_path;
  }
  return path;
}

IdVector<TaskId, std::uint32_t> TaskGraph::levels() const {
  require_no_cycle();
  IdVector<TaskId, std::uint32_t> levels(task_count(), 0);
  for (const TaskId task : order_) {
    for (const TaskId on : predecessors(task)) {
      levels[task] = std::max(levels[task], levels[on] + 1);
    }
  }
  return levels;
}

GraphShape TaskGraph::shape() const {
  std::vector<std::size_t> tasks_of_level;
  for (const std::uint32_t level : levels()) {
    if (tasks_of_level.size() <= level) tasks_of_level.resize(level + 1);
    ++tasks_of_level[level];
  }
  GraphShape shape;
  shape.depth = tasks_of_level.size();
  if (shape.depth == 0) return shape;
  shape.widest = *std::max_element(tasks_of_level.begin(), tasks_of_level.end());
  shape.average_width = static_cast<double>(task_count()) / static_cast<double>(shape.depth);
  return shape;
}

}  // namespace parley::core
