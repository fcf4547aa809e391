#include "cli/interrupt.h"

#include <time.h>

#include <csignal>
#include <cstdint>

namespace parley::cli {
namespace {

// A signal handler can reach nothing else; only InterruptGuard touches it besides.
std::atomic<bool> was_interrupted{false};
std::atomic<std::int64_t> first_at_ns{0};
// Or a handler might not set them.
static_assert(std::atomic<bool>::is_always_lock_free &&
              std::atomic<std::int64_t>::is_always_lock_free);

/// Signals so close together are one: a terminal, or timeout(1), may send to the process and to its
/// group.
constexpr std::int64_t kTogetherNs = 100'000'000;

std::int64_t now_ns() {
  timespec now = {};
  (void)::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Once more, and the process ends.
void note_interrupt(int signal) {
  if (!was_interrupted.exchange(true, std::memory_order_relaxed)) {
    first_at_ns.store(now_ns(), std::memory_order_relaxed);
    return;
  }
  if (now_ns() - first_at_ns.load(std::memory_order_relaxed) < kTogetherNs) return;
  std::signal(signal, SIG_DFL);
  (void)std::raise(signal);  // taken when this returns
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
