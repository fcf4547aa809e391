#include "exec/host/command_scheduler.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "workloads/machine_file.h"

namespace parley::exec {
namespace {

TEST_CASE("threads that go to sleep just when the scheduler closes are woken, on real threads") {
  const auto machine = workloads::load_machine("h200x2", {});
  REQUIRE(machine);
  constexpr int kRounds = 500;
  for (int round = 0; round < kRounds; ++round) {
    const std::chrono::microseconds awake(round % 60);
    CommandScheduler scheduler(*machine, awake);
    std::atomic<int> ended = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        while (scheduler.next_launch() != nullptr) {
        }
        ++ended;
      });
    }
    // About when they stop looking and go to sleep.
    const auto close_at = std::chrono::steady_clock::now() + awake;
    while (std::chrono::steady_clock::now() < close_at) {
    }
    scheduler.close();
    threads.clear();
    REQUIRE(ended == 3);
  }
}

}  // namespace
}  // namespace parley::exec
