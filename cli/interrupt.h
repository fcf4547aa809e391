// Ctrl-C and SIGTERM while a run is under way: the first asks it to stop, so that what was finished
// is kept and files are written whole; the second ends the process, as it would without this.
#pragma once

#include <array>
#include <atomic>
#include <csignal>

namespace parley::cli {

/// Catches both signals for as long as it lives. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();  // signals mean again what they did before
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// True from the first signal on.
  [[nodiscard]] const std::atomic<bool>& flag() const;

 private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM};
  std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace parley::cli
