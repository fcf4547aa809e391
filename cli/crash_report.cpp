#include "cli/crash_report.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "cli/terminal.h"
#include "exec/current_task.h"

namespace parley::cli {
namespace {

void say(std::string_view text) {
  const ::ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
  (void)written;
}

std::string_view signal_name(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV, an address that is not its own";
    case SIGBUS:
      return "SIGBUS, an address that there is not";
    case SIGFPE:
      return "SIGFPE, an impossible integer operation";
    case SIGILL:
      return "SIGILL, an instruction that the processor does not know";
    default:
      return "SIGABRT, its own wish";
  }
}

/// Only what a signal handler may do. Of several threads that crash the first one reports, and ends
/// the process.
void report(int signal) {
  static std::atomic_flag has_crashed;
  if (has_crashed.test_and_set()) {
    while (true) ::pause();
  }
  const std::string_view task = exec::CurrentTask::here();
  say("\ncrashed by ");
  say(signal_name(signal));
  if (!task.empty()) {
    say(", in task \"");
    say(task);
    say("\"");
  }
  say("; files are as a killed process leaves them\n");
  std::signal(signal, SIG_DFL);
  ::raise(signal);
}

/// A kernel has no business to end the process, least of all as if all were well. Called on the
/// thread that calls exit().
void refuse_exit() {
  const std::string_view task = exec::CurrentTask::here();
  if (task.empty()) return;
  say("\nexit was called in task \"");
  say(task);
  say("\"; files are as a killed process leaves them\n");
  ::_exit(kFailedExecution);
}

}  // namespace

CrashReport::CrashReport()
    : handler_({SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}, report, SA_ONSTACK) {
  static const int kIsRegistered = std::atexit(refuse_exit);  // once
  (void)kIsRegistered;
}

}  // namespace parley::cli
