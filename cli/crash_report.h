// The last words of a process that crashes, mostly in somebody's own kernel: which signal, and in
// which task; and of one in which a kernel calls exit. Files are left as by a killed process:
// whole, or under names of their own.
#pragma once

#include "cli/signal_handler.h"

namespace parley::cli {

/// Catches SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT for as long as it lives; the process still
/// ends by them. From the first on, a task that calls exit() ends the process with
/// kFailedExecution. One at a time.
class CrashReport {
 public:
  CrashReport();

 private:
  SignalHandler handler_;
};

}  // namespace parley::cli
