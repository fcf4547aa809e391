// What a driver tells the core: the program grew, or a command ended.
#pragma once

#include <string>
#include <variant>

#include "core/base/ids.h"
#include "core/base/units.h"

namespace parley::core {

/// Tasks with an id below `end` are part of the program now.
struct TasksSubmitted {
  TaskId end;
};
struct SubmissionClosed {};
/// The release time of a task (Task::release > 0) has come.
struct TaskReleased {
  TaskId task;
};
struct CopyDone {
  CommandId id;
  Time start, end;
};
struct TaskDone {
  CommandId id;
  Time start, end;
};
/// The command did not do its work; what it was writing is undefined. A driver never starts a
/// command whose `after` holds a failed or cancelled one, and reports no event for it.
struct CommandFailed {
  CommandId id;
  std::string cause;
};

using Event =
    std::variant<TasksSubmitted, SubmissionClosed, TaskReleased, CopyDone, TaskDone, CommandFailed>;

}  // namespace parley::core
