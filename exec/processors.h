// Which processors a run's busy threads keep to. A thread that hands work to a GPU or decides what
// comes next looks for news all the time; moved from processor to processor, or side by side with
// another such thread on one core, each of its steps takes up to half as long again.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace parley::exec {

/// A logical processor: its number, and the smallest number among those that share its core.
struct Processor {
  int number = 0;
  int core = 0;
  friend bool operator==(const Processor&, const Processor&) = default;
};

/// Those that the calling thread may run on, by number; empty where the system does not say.
std::vector<Processor> allowed_processors();

/// `count` processors on cores of their own, from the one numbered `current` on, around the end.
/// Where each processor claims a core for itself, as in virtual machines that hide which belong
/// together, every second one. Empty if that leaves less than half of `allowed` to others.
std::vector<int> spread(std::span<const Processor> allowed, int current, std::size_t count);

/// The number of the processor that the calling thread runs on; -1: unknown.
int current_processor();

/// While it lives, the calling thread runs on one processor, or on any but some.
class ThreadBinding {
 public:
  ThreadBinding() = default;
  static ThreadBinding to(int processor);
  static ThreadBinding to_others_than(std::span<const int> processors);
  ThreadBinding(ThreadBinding&& other) noexcept;
  ThreadBinding& operator=(ThreadBinding&& other) noexcept;
  ThreadBinding(const ThreadBinding&) = delete;
  ThreadBinding& operator=(const ThreadBinding&) = delete;
  /// Whether the system took it.
  [[nodiscard]] bool is_bound() const { return before_.has_value(); }
  /// By the same thread: where it could run before, it can again.
  ~ThreadBinding();

 private:
  std::optional<std::vector<int>> before_;
};

/// A moment's rest in a loop that waits for another thread: leaves the core to its other half.
inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace parley::exec
