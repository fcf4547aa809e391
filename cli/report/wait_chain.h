// What set the start of a command: walks back from a start to what ended at that moment (something
// that it waited for, or whatever held its device or engine), and on from there.
#pragma once

#include <string>
#include <vector>

#include "cli/report/command_log.h"
#include "cli/report/run_result.h"

namespace parley::cli {

/// A command's times, from the record; `task` or `copy` is set.
struct Interval {
  const core::TaskRecord* task = nullptr;
  const core::CopyRecord* copy = nullptr;

  [[nodiscard]] bool is_known() const { return task != nullptr || copy != nullptr; }
  [[nodiscard]] core::CommandId id() const {
    return task != nullptr ? task->command : copy->command;
  }
  [[nodiscard]] core::Time start() const { return task != nullptr ? task->start : copy->start; }
  [[nodiscard]] core::Time end() const { return task != nullptr ? task->end : copy->end; }
};

enum class WaitKind {
  kNothing,  // it started as soon as it was issued, and nothing that ended then led to its issue
  kBytes,    // for a command in its `after`
  kHeld,     // for its device or copy engine, which another held
  kIssue,    // to be issued: a task ended, which made room in the window or freed its dependency
};

struct Wait {
  WaitKind kind = WaitKind::kNothing;
  Interval for_what;
};

class WaitChain {
 public:
  /// All must outlive the chain.
  WaitChain(const RunResult& result, const CommandLog& log);

  /// Unknown for commands that never ran (evictions on request).
  [[nodiscard]] Interval interval(core::CommandId id) const { return intervals_[id.index()]; }
  /// When everything in its `after` had ended and it had been issued.
  [[nodiscard]] core::Time ready(const Interval& command) const;
  /// The latest to end of what is in its `after`; unknown when there is none.
  [[nodiscard]] Interval last_of_after(const Interval& command) const;
  [[nodiscard]] Wait wait_of(const Interval& command) const;
  /// "T[3]", or "copy of A[0:5] host->gpu0".
  [[nodiscard]] std::string name_of(const Interval& command) const;

 private:
  [[nodiscard]] bool shares_server(const Interval& a, const Interval& b) const;
  [[nodiscard]] std::vector<Interval> ended_at(core::Time at) const;

  const RunResult& result_;
  const CommandLog& log_;
  std::vector<Interval> intervals_;  // by command
  std::vector<Interval> by_end_;
};

}  // namespace parley::cli
