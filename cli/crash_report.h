// The last words of a process that crashes, mostly in somebody's own kernel: which signal, and in
// which task. Files are left as by a killed process: whole, or under names of their own.
#pragma once

#include "cli/signal_handler.h"

namespace parley::cli {

/// Catches SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT for as long as it lives; the process still
/// ends by them. One at a time.
class CrashReport {
 public:
  CrashReport();

 private:
  SignalHandler handler_;
};

}  // namespace parley::cli
