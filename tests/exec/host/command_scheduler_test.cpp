#include "exec/host/command_scheduler.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
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

TEST_CASE("what fits beside the next command when one ends is started by another thread") {
  const auto machine = workloads::load_machine("h200x2", {});
  REQUIRE(machine);
  constexpr int kRounds = 50;
  for (int round = 0; round < kRounds; ++round) {
    CommandScheduler scheduler(*machine, std::chrono::microseconds(round % 2 == 0 ? 0 : 50));
    std::vector<StoredCommand> commands(3);  // one that takes a GPU, and two that share it then
    for (std::size_t i = 0; i < commands.size(); ++i) {
      commands[i].id = core::CommandId(i);
      commands[i].devices.assign(1, core::DeviceId(1));
      commands[i].milli_vcus = i == 0 ? 1000 : 500;
    }
    std::atomic<bool> has_begun = false;
    std::atomic<bool> may_end = false;
    std::atomic<int> sharing = 0;
    std::atomic<int> together = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        while (const StoredCommand* command = scheduler.next_launch()) {
          const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
          const auto waits_for = [&](const auto& holds) {
            while (!holds() && std::chrono::steady_clock::now() < deadline) {
              std::this_thread::yield();
            }
            return holds();
          };
          if (command->id == core::CommandId(0)) {
            has_begun = true;
            waits_for([&] { return may_end.load(); });
          } else {
            ++sharing;
            together += waits_for([&] { return sharing.load() == 2; }) ? 1 : 0;
          }
          scheduler.ended(*command, core::Time(0), core::Time(1), std::nullopt);
        }
      });
    }
    scheduler.submit_ready(commands[0]);
    while (!has_begun) std::this_thread::yield();
    scheduler.submit_ready(commands[1]);
    scheduler.submit_ready(commands[2]);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // the others sleep by now
    may_end = true;
    std::vector<Completion> ends;
    while (ends.size() < commands.size()) scheduler.collect(ends, true);
    scheduler.close();
    threads.clear();
    REQUIRE(together == 2);
  }
}

TEST_CASE(
    "ready commands that their owner keeps are all performed and collected once, on real threads") {
  const auto machine = workloads::load_machine("h200x2", {});
  REQUIRE(machine);
  constexpr std::size_t kKept = 8;  // at a time
  constexpr std::size_t kCommands = 4000;
  CommandScheduler scheduler(*machine, std::chrono::microseconds(50));
  std::atomic<std::size_t> performed = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (const StoredCommand* command = scheduler.next_launch()) {
        ++performed;
        const core::Time end(static_cast<std::int64_t>(command->id.index()));
        const bool fails = command->id.index() % 100 == 99;
        scheduler.ended(*command, end, end,
                        fails ? std::optional<std::string>("it") : std::nullopt);
      }
    });
  }
  std::vector<StoredCommand> kept(kKept);
  std::vector<int> times_collected(kCommands, 0);
  std::vector<Completion> ends;
  std::size_t submitted = 0;
  std::size_t failed = 0;
  for (std::size_t collected = 0; collected < kCommands; collected += ends.size()) {
    // A place is used again once the command before in it has been collected.
    while (submitted < kCommands && (submitted < kKept || times_collected[submitted - kKept] > 0)) {
      StoredCommand& command = kept[submitted % kKept];
      command.id = core::CommandId(submitted++);
      command.priority = static_cast<std::int32_t>(command.id.index() % 3);
      command.devices.assign(1, core::DeviceId(0));
      scheduler.submit_ready(command);
    }
    ends.clear();
    scheduler.collect(ends, false);
    for (const Completion& end : ends) {
      ++times_collected[end.id.index()];
      failed += end.kind == Completion::Kind::kFailed ? 1 : 0;
      REQUIRE(end.end == core::Time(static_cast<std::int64_t>(end.id.index())));
    }
  }
  scheduler.close();
  threads.clear();
  CHECK(performed == kCommands);
  CHECK(failed == kCommands / 100);
  CHECK(std::ranges::count(times_collected, 1) == kCommands);
}

}  // namespace
}  // namespace parley::exec
