// The last words of a process that crashes, mostly in somebody's own kernel: which signal, and in
// which task. Files are left as by a killed process: whole, or under names of their own.
#pragma once

#include <array>
#include <csignal>

namespace parley::cli {

/// Catches SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT for as long as it lives; the process still
/// ends by them. One at a time.
class CrashReport {
 public:
  CrashReport();
  ~CrashReport();  // signals mean again what they did before
  CrashReport(const CrashReport&) = delete;
  CrashReport& operator=(const CrashReport&) = delete;

 private:
  static constexpr std::array kSignals = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace parley::cli
