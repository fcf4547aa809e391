#include "cli/interrupt.h"

namespace parley::cli {
namespace {

// A signal handler can reach nothing else; only InterruptGuard touches it besides.
std::atomic<bool> was_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // or a handler might not set it

void note_interrupt(int signal) {
  was_interrupted.store(true, std::memory_order_relaxed);
  std::signal(signal, SIG_DFL);  // once more, and the process ends
}

}  // namespace

InterruptGuard::InterruptGuard() {
  was_interrupted.store(false, std::memory_order_relaxed);
  struct sigaction action {};
  action.sa_handler = note_interrupt;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before_[i]);
}

InterruptGuard::~InterruptGuard() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
}

const std::atomic<bool>& InterruptGuard::flag() const { return was_interrupted; }

}  // namespace parley::cli
