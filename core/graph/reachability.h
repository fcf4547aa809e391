// Whether one task of a graph waits for another, directly or not. Cheap answers come first: the
// order, a direct edge, levels. What is left goes by interval labels of a few depth-first
// traversals: a task's interval holds those of all that it reaches (GRAIL: Yildirim, Chaoji and
// Zaki, PVLDB 2010), so an interval outside says no; a descendant in a traversal's tree says yes;
// and a search that both prune decides the rest. Labels are made when the first question needs
// them.
//
// Asking changes scratch memory: one thread at a time. The graph must outlive the object.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/graph/task_graph.h"

namespace parley::core {

class Reachability {
 public:
  /// Requires: a graph without cycles.
  explicit Reachability(const TaskGraph& graph);

  /// Whether `to` waits for `from`. A task does not wait for itself.
  [[nodiscard]] bool reaches(TaskId from, TaskId to);
  /// The same without a search: true is certain, false is not.
  [[nodiscard]] bool surely_reaches(TaskId from, TaskId to) const;
  /// Position of a task in the graph's topological order.
  [[nodiscard]] std::uint32_t position(TaskId task) const { return position_[task]; }
  /// Tasks visited by searches so far: what questions cost beyond the cheap answers.
  [[nodiscard]] std::uint64_t searched() const { return searched_; }

 private:
  enum class Answer : std::uint8_t { kNo, kYes, kUnknown };

  /// One depth-first traversal. In its tree, v descends from u if v was entered after and left
  /// before u. Left in the order of `leave`; everything that u reaches was left from `low` to
  /// `leave`.
  struct Label {
    std::uint32_t enter = 0, leave = 0, low = 0;
  };
  /// A task on the stack of a traversal or search, and how many of its neighbours were tried.
  struct Frame {
    TaskId task;
    std::size_t tried = 0;
  };
  class Traversal;

  [[nodiscard]] bool has_edge(TaskId from, TaskId to) const;
  [[nodiscard]] Answer by_labels(TaskId from, TaskId to) const;
  [[nodiscard]] bool search(TaskId from, TaskId to);
  void make_labels();

  const TaskGraph& graph_;
  IdVector<TaskId, std::uint32_t> position_;
  IdVector<TaskId, std::uint32_t> levels_;
  std::vector<IdVector<TaskId, Label>> labels_;  // by traversal; empty until needed
  IdVector<TaskId, std::uint64_t> seen_;         // by the search of that number
  std::uint64_t searches_ = 0;
  std::uint64_t searched_ = 0;
  std::vector<Frame> stack_;
};

}  // namespace parley::core
