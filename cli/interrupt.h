// Ctrl-C and SIGTERM while a run is under way: the first asks it to stop, so that what was finished
// is kept and files are written whole; a second one, a tenth of a second later or more, ends the
// process, as it would without this.
#pragma once

#include <atomic>
#include <cstdint>

#include "cli/signal_handler.h"

namespace parley::cli {

/// Whether a signal at `now_ns`, after a first one at `first_ns`, ends the process. Those that come
/// closer together are one: a terminal, or timeout(1), may send to the process and to its group.
bool ends_at_once(std::int64_t first_ns, std::int64_t now_ns);

/// Catches both signals for as long as it lives. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();

  /// True from the first signal on.
  [[nodiscard]] const std::atomic<bool>& flag() const;

 private:
  SignalHandler handler_;
};

}  // namespace parley::cli
