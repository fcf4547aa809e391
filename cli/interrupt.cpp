#include "cli/interrupt.h"

#include <time.h>

#include <csignal>
#include <cstdint>

namespace parley::cli {
namespace {

// A signal handler can reach nothing else; only InterruptGuard touches it besides.
std::atomic<bool> was_interrupted{false};
std::atomic<std::int64_t> first_at_ns{0};  // 0: none came
// Or a handler might not set them.
static_assert(std::atomic<bool>::is_always_lock_free &&
              std::atomic<std::int64_t>::is_always_lock_free);

std::int64_t now_ns() {
  timespec now = {};
  (void)::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// The time decides which of several is the first: they may come in each other's handlers, and to
/// several threads.
void note_interrupt(int signal) {
  const std::int64_t now = now_ns();
  std::int64_t first = 0;
  if (first_at_ns.compare_exchange_strong(first, now)) {
    was_interrupted.store(true);
    return;
  }
  if (!ends_at_once(first, now)) return;
  std::signal(signal, SIG_DFL);
  (void)std::raise(signal);  // taken when this returns
}

/// What came before counts no more.
auto* fresh_note() {
  was_interrupted.store(false);
  first_at_ns.store(0);
  return note_interrupt;
}

}  // namespace

bool ends_at_once(std::int64_t first_ns, std::int64_t now_ns) {
  constexpr std::int64_t kTogetherNs = 100'000'000;
  return now_ns - first_ns >= kTogetherNs;
}

InterruptGuard::InterruptGuard() : handler_({SIGINT, SIGTERM}, fresh_note(), SA_RESTART) {}

const std::atomic<bool>& InterruptGuard::flag() const { return was_interrupted; }

}  // namespace parley::cli
