// The dependencies of tasks as a directed graph: an edge leads from each task to those that wait
// for it. Built once from a program or from dependency lists, immutable afterwards, so it may be
// shared between threads. Every question takes O(tasks + edges), times log(tasks) where order by id
// counts, and none recurses. Questions about paths and levels require a graph without cycles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"

namespace parley::core {

class Program;

/// Which dependencies of a program become edges: all, or those that hold in time (the explicit ones
/// and those through arrays of 0 bytes; see Program::timed_dependencies).
enum class DependencyKind : std::uint8_t { kAll, kTimed };

/// Tasks by level; the level of a task is the number of edges on the longest path to it.
struct GraphShape {
  std::size_t depth = 0;       // levels
  std::size_t widest = 0;      // tasks of the fullest level
  double average_width = 0.0;  // tasks / depth; 0 without tasks
};

struct CriticalPath {
  Duration length;
  std::vector<TaskId> tasks;  // from the first to the last; lowest id where paths are equally long
};

class TaskGraph {
 public:
  /// Requires: every dependency is a task of the program.
  explicit TaskGraph(const Program& program, DependencyKind kind = DependencyKind::kAll);
  /// Task t waits for dependencies[first[t]] up to, excluding, dependencies[first[t + 1]].
  /// `first` has one entry more than there are tasks. Repeated dependencies are kept.
  TaskGraph(std::span<const std::uint64_t> first, std::span<const TaskId> dependencies);

  [[nodiscard]] std::size_t task_count() const { return first_predecessor_.size() - 1; }
  [[nodiscard]] std::size_t edge_count() const { return predecessors_.size(); }
  /// The tasks that `task` waits for, as given.
  [[nodiscard]] std::span<const TaskId> predecessors(TaskId task) const {
    return part(first_predecessor_, predecessors_, task);
  }
  /// The tasks that wait for `task`, ascending.
  [[nodiscard]] std::span<const TaskId> successors(TaskId task) const {
    return part(first_successor_, successors_, task);
  }

  /// All tasks, each after its predecessors, the lowest id first among those that are ready. With a
  /// cycle: only the tasks that neither lie on one nor wait for one.
  [[nodiscard]] std::span<const TaskId> topological_order() const { return order_; }
  /// Tasks each of which waits for the next, and the last for the first; nothing when there is no
  /// cycle. It is as short as any through the tasks that were tried: the first of the smallest set
  /// of tasks that all wait for each other.
  [[nodiscard]] std::optional<std::vector<TaskId>> find_cycle() const;

  /// Longest path from the start of each task to the end of the last, its own duration included.
  [[nodiscard]] IdVector<TaskId, Duration> bottom_levels(
      const IdVector<TaskId, Duration>& durations) const;
  /// Longest path to the start of each task, its own duration excluded: its earliest start.
  [[nodiscard]] IdVector<TaskId, Duration> top_levels(
      const IdVector<TaskId, Duration>& durations) const;
  [[nodiscard]] CriticalPath critical_path(const IdVector<TaskId, Duration>& durations) const;

  /// The number of edges on the longest path to each task.
  [[nodiscard]] IdVector<TaskId, std::uint32_t> levels() const;
  [[nodiscard]] GraphShape shape() const;

 private:
  static std::span<const TaskId> part(const std::vector<std::uint64_t>& first,
                                      const std::vector<TaskId>& tasks, TaskId task) {
    const std::uint64_t begin = first[task.index()];
    return {tasks.data() + begin, static_cast<std::size_t>(first[task.index() + 1] - begin)};
  }
  void index_successors();
  void find_order();
  void require_no_cycle() const;

  std::vector<std::uint64_t> first_predecessor_;  // compressed sparse rows, both ways
  std::vector<TaskId> predecessors_;
  std::vector<std::uint64_t> first_successor_;
  std::vector<TaskId> successors_;
  std::vector<TaskId> order_;
};

}  // namespace parley::core
