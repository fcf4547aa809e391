#include "sim/event_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tests/sim/draws.h"

namespace parley::sim {
namespace {

using core::Time;

Occurrence numbered(std::uint32_t subject) { return {OccurrenceKind::kTaskEnds, subject}; }

TEST_CASE("an empty queue has no next time") {
  EventQueue queue;
  CHECK(queue.empty());
  CHECK(queue.next_time() == Time::max());
}

TEST_CASE("what happens at one instant comes by kind, then by command, whoever came first") {
  EventQueue queue;
  for (std::uint32_t i = 100; i-- > 0;) queue.push(Time(i % 3), numbered(i));
  queue.push(Time(0), {OccurrenceKind::kNotified, 0});
  queue.push(Time(0), {OccurrenceKind::kFlowEnds, 7});
  CHECK(queue.pop().kind == OccurrenceKind::kFlowEnds);
  std::vector<std::uint32_t> order;
  for (std::uint32_t n = 0; n < 34; ++n) order.push_back(queue.pop().subject);
  CHECK(queue.pop().kind == OccurrenceKind::kNotified);
  while (!queue.empty()) order.push_back(queue.pop().subject);
  std::vector<std::uint32_t> expected;
  for (std::uint32_t time = 0; time < 3; ++time) {
    for (std::uint32_t i = time; i < 100; i += 3) expected.push_back(i);
  }
  CHECK(order == expected);
}

TEST_CASE("an entry may be moved to a later time and back") {
  EventQueue queue;
  const EventQueue::Handle first = queue.push(Time(5), numbered(1));
  const EventQueue::Handle second = queue.push(Time(6), numbered(2));
  queue.move(first, Time(9));
  CHECK(queue.next_time() == Time(6));
  queue.move(second, Time(12));
  CHECK(queue.next_time() == Time(9));
  queue.move(second, Time(8));
  CHECK(queue.pop().subject == 2);
  CHECK(queue.next_time() == Time(9));
  CHECK(queue.pop().subject == 1);
}

TEST_CASE("random pushes, moves and pops agree with a sorted list") {
  struct Entry {
    Time at;
    std::uint32_t subject = 0;
    EventQueue::Handle handle = 0;
  };
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    Draws random(seed);
    EventQueue queue;
    std::vector<Entry> model;
    for (std::uint32_t step = 0; step < 2000; ++step) {
      const Time at(static_cast<std::int64_t>(random.below(50)));
      const std::uint32_t action = random.below(5);
      if (action < 2 || model.empty()) {
        model.push_back({at, step, queue.push(at, numbered(step))});
      } else if (action < 4) {
        Entry& entry = model[random.below(model.size())];
        entry.at = at;
        queue.move(entry.handle, at);
      } else {
        const auto least = std::ranges::min_element(model, [](const Entry& a, const Entry& b) {
          return a.at != b.at ? a.at < b.at : a.subject < b.subject;
        });
        REQUIRE(queue.next_time() == least->at);
        REQUIRE(queue.pop().subject == least->subject);
        model.erase(least);
      }
      REQUIRE(queue.size() == model.size());
    }
  }
}

}  // namespace
}  // namespace parley::sim
