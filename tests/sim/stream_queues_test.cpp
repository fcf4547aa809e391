#include "sim/stream_queues.h"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

#include "core/base/check.h"
#include "tests/sim/machine_builder.h"

namespace parley::sim {
namespace {

using core::Bytes;
using core::CommandId;
using core::SpaceId;

constexpr std::int32_t kStreams = 2;

/// A machine with two GPUs, and commands as a driver keeps them.
class Bench {
 public:
  explicit Bench(std::int32_t copy_streams = 1, Bytes inline_copy = Bytes(100),
                 std::int32_t streams = kStreams)
      : machine_(built(copy_streams, inline_copy, streams)), queues(machine_, commands) {}

  CommandId launch(std::vector<CommandId> after = {}, std::int32_t priority = 0,
                   bool is_panel = false, std::size_t gpu = 0) {
    InFlight& slot = added();
    slot.is_copy = false;
    slot.devices = {gpu_device(gpu)};
    slot.priority = priority;
    slot.after = std::move(after);
    return entered(is_panel);
  }
  CommandId copy(SpaceId from, SpaceId to, Bytes bytes, std::vector<CommandId> after = {}) {
    InFlight& slot = added();
    slot.is_copy = true;
    slot.from = from;
    slot.to = to;
    slot.bytes = bytes;
    slot.after = std::move(after);
    return entered(false);
  }
  /// A copy within a GPU that shares a launch.
  CommandId joined(std::uint32_t queue, std::vector<CommandId> after) {
    InFlight& slot = added();
    slot.is_copy = true;
    slot.queue = queue;
    slot.after = std::move(after);
    queues.join(CommandId(next_));
    return CommandId(next_++);
  }
  /// The one behind it.
  std::optional<CommandId> end(CommandId id) {
    const std::optional<CommandId> next = queues.leave(id);
    commands.finish(id);
    return next;
  }
  std::uint32_t queue(CommandId id) { return commands[id].queue; }
  bool is_behind(CommandId id) const { return behind_[id.index()]; }

  std::optional<CommandId> behind(CommandId id) { return queues.behind(id); }

  InFlightTable commands;

 private:
  static core::Machine built(std::int32_t copy_streams, Bytes inline_copy, std::int32_t streams) {
    MachineBuilder builder(2);
    builder.spec.host.copy_streams = copy_streams;
    builder.spec.host.inline_copy = inline_copy;
    for (const std::size_t gpu : {0U, 1U}) builder.spec.devices[gpu_device(gpu)].streams = streams;
    builder.route(gpu_space(0), gpu_space(1));
    builder.route(gpu_space(1), gpu_space(0));
    return builder.build();
  }
  InFlight& added() { return commands.add(CommandId(next_)); }
  CommandId entered(bool is_panel) {
    behind_.push_back(queues.enter(CommandId(next_), is_panel));
    return CommandId(next_++);
  }

  core::Machine machine_;
  std::size_t next_ = 0;
  std::vector<bool> behind_;

 public:
  StreamQueues queues;
};

TEST_CASE("streams tell what is behind a command, and how many of a GPU have something on them") {
  Bench bench(2);
  const auto occupied = [&](std::size_t gpu) { return bench.queues.occupied(gpu_space(gpu)); };
  CHECK(occupied(0) == 0);
  const CommandId a = bench.launch();
  const CommandId b = bench.launch();
  CHECK(occupied(0) == 2);
  const CommandId after_a = bench.launch({a});
  const CommandId push = bench.copy(gpu_space(0), gpu_space(1), Bytes(100), {b});
  CHECK(occupied(0) == 2);
  CHECK(bench.behind(a) == after_a);
  CHECK(bench.behind(b) == push);
  const CommandId large = bench.copy(gpu_space(0), gpu_space(1), Bytes(101), {a});
  CHECK(occupied(0) == 3);
  CHECK(occupied(1) == 0);
  CHECK(bench.behind(large) == std::nullopt);
  CHECK(bench.end(a) == after_a);
  CHECK(occupied(0) == 3);
  CHECK(bench.behind(after_a) == std::nullopt);
  CHECK(bench.end(after_a) == std::nullopt);
  CHECK(bench.end(large) == std::nullopt);
  CHECK(occupied(0) == 1);
  CHECK(bench.end(b) == push);
  CHECK(bench.end(push) == std::nullopt);
  CHECK(occupied(0) == 0);
}

TEST_CASE("a launch goes behind what it waits for, else to the stream with the fewest") {
  Bench bench;
  const CommandId a = bench.launch();
  const CommandId b = bench.launch();
  CHECK(bench.queue(a) != bench.queue(b));
  const CommandId after_b = bench.launch({b});
  CHECK(bench.queue(after_b) == bench.queue(b));
  CHECK(bench.is_behind(after_b));
  const CommandId after_b_too = bench.launch({b});  // which is not the last of its stream any more
  CHECK(bench.queue(after_b_too) == bench.queue(a));
  CHECK(bench.end(b) == after_b);
  CHECK(bench.end(after_b) == std::nullopt);
  bench.end(a);
  const CommandId later = bench.launch({a, after_b_too});  // the one has ended
  CHECK(bench.queue(later) == bench.queue(after_b_too));
}

TEST_CASE("a launch goes behind one that it follows through others, on any GPU") {
  for (const Bytes size : {Bytes(100), Bytes(1000)}) {  // on streams of launches, or not
    CAPTURE(size.count());
    Bench bench;
    bench.launch();
    const CommandId here = bench.launch();  // on the other stream
    const CommandId out = bench.copy(gpu_space(0), gpu_space(1), size, {here});
    const CommandId there = bench.launch({out}, 0, false, 1);
    const CommandId back = bench.copy(gpu_space(1), gpu_space(0), size, {there});
    CHECK(bench.queue(bench.launch({back})) == bench.queue(here));
  }
  Bench bench;
  const CommandId first = bench.launch();
  const CommandId second = bench.launch();
  const CommandId gathered = bench.joined(bench.queue(first) + 100, {second});
  CHECK(bench.queue(bench.launch({gathered})) == bench.queue(second));
  CHECK(bench.queue(bench.launch({gathered})) == bench.queue(first));  // no more the last
}

TEST_CASE("panels and the most urgent launches have streams of their own") {
  Bench bench;
  const auto is_urgent = [&](CommandId id) {
    return bench.queue(id) >= std::uint32_t{kStreams} && bench.queue(id) < 2 * kStreams;
  };
  CHECK_FALSE(is_urgent(bench.launch({}, 5)));  // nothing waits that it could overtake
  CHECK(is_urgent(bench.launch({}, 5, true)));
  CHECK_FALSE(is_urgent(bench.launch({}, 5)));
  CHECK(is_urgent(bench.launch({}, 6)));
  CHECK_FALSE(is_urgent(bench.launch({}, 3)));
  CHECK_FALSE(is_urgent(bench.launch({}, 5)));  // others of the same priority wait
}

TEST_CASE("copies of a pair and direction follow each other") {
  Bench bench;
  const CommandId there = bench.copy(gpu_space(0), gpu_space(1), Bytes(1000));
  const CommandId back = bench.copy(gpu_space(1), gpu_space(0), Bytes(1000));
  const CommandId home = bench.copy(gpu_space(0), host_space(), Bytes(1000));
  const CommandId fetch = bench.copy(host_space(), gpu_space(0), Bytes(1000));
  for (const CommandId id : {there, back, home, fetch}) CHECK_FALSE(bench.is_behind(id));
  const CommandId again = bench.copy(gpu_space(0), gpu_space(1), Bytes(1000));
  CHECK(bench.is_behind(again));
  CHECK(bench.end(there) == again);
  Bench unlimited(0);
  unlimited.copy(gpu_space(0), gpu_space(1), Bytes(1000));
  CHECK(unlimited.queue(unlimited.copy(gpu_space(0), gpu_space(1), Bytes(1000))) ==
        InFlight::kNone);
  Bench two(2);
  two.copy(gpu_space(0), gpu_space(1), Bytes(1000));
  CHECK_FALSE(two.is_behind(two.copy(gpu_space(0), gpu_space(1), Bytes(1000))));
  CHECK(two.is_behind(two.copy(gpu_space(0), gpu_space(1), Bytes(1000))));
}

TEST_CASE("a small copy follows what made its source on its stream, as a kernel") {
  Bench bench;
  const CommandId task = bench.launch();
  const CommandId push = bench.copy(gpu_space(0), gpu_space(1), Bytes(100), {task});
  CHECK(bench.queue(push) == bench.queue(task));
  CHECK(bench.commands[push].is_inline);
  const CommandId large = bench.copy(gpu_space(0), gpu_space(1), Bytes(101), {push});
  CHECK(bench.queue(large) != bench.queue(task));
  CHECK_FALSE(bench.commands[large].is_inline);
  const CommandId alone = bench.copy(gpu_space(0), gpu_space(1), Bytes(100));
  CHECK_FALSE(bench.commands[alone].is_inline);
  // Within a space, and from the host to a GPU that is busy, there is nothing to follow.
  CHECK_FALSE(bench.commands[bench.copy(gpu_space(0), gpu_space(0), Bytes(9), {push})].is_inline);
  const CommandId fetch = bench.copy(host_space(), gpu_space(0), Bytes(9));
  CHECK(bench.queue(fetch) >= 2 * kStreams);
  const CommandId idle = bench.copy(host_space(), gpu_space(1), Bytes(9));
  const CommandId other = bench.copy(host_space(), gpu_space(1), Bytes(9));
  CHECK_FALSE(bench.is_behind(idle));
  CHECK_FALSE(bench.commands[idle].is_inline);  // an engine does it
  CHECK(bench.queue(other) != bench.queue(idle));
}

TEST_CASE("without streams there are no queues, and only the first of one may leave it") {
  Bench none(1, Bytes(100), 0);
  CHECK(none.queues.empty());
  Bench bench;
  const CommandId first = bench.launch();
  const CommandId second = bench.launch({first});
  CHECK_THROWS_AS(bench.queues.leave(second), core::InvariantViolation);
}

}  // namespace
}  // namespace parley::sim
