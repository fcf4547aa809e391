#include "cli/interrupt.h"

#include <csignal>

namespace parley::cli {
namespace {

// A signal handler can reach nothing else; only InterruptGuard touches it besides.
std::atomic<bool> was_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // or a handler might not set it

void note_interrupt(int signal) {
  was_interrupted.store(true, std::memory_order_relaxed);
  std::signal(signal, SIG_DFL);  // once more, and the process ends
}

/// What came before counts no more.
auto* fresh_note() {
  was_interrupted.store(false, std::memory_order_relaxed);
  return note_interrupt;
}

}  // namespace

InterruptGuard::InterruptGuard() : handler_({SIGINT, SIGTERM}, fresh_note(), SA_RESTART) {}

const std::atomic<bool>& InterruptGuard::flag() const { return was_interrupted; }

}  // namespace parley::cli
