// Which task a thread performs: for the last words of a process that crashes in a kernel.
#pragma once

#include <string_view>

namespace parley::exec {

/// For as long as it lives this thread performs the task. The name must outlive it. Not nested. From
/// the first one on, the thread has a stack for signal handlers, where no other has been set.
class CurrentTask {
 public:
  explicit CurrentTask(std::string_view name);
  ~CurrentTask();
  CurrentTask(const CurrentTask&) = delete;
  CurrentTask& operator=(const CurrentTask&) = delete;

  /// Of the calling thread; "" when it performs none. May be called in a signal handler.
  static std::string_view here();
};

}  // namespace parley::exec
