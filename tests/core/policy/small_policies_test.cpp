// Orders, prefetchers, evictors and sources, read off the engine's commands.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/core/policy/decisions.h"

namespace parley::core {
namespace {

constexpr AccessMode kIn = AccessMode::kIn, kOut = AccessMode::kOut, kInout = AccessMode::kInout;
constexpr std::int64_t kMi = 1 << 20;

EngineOptions plain() {
  EngineOptions options;
  options.mapper = "round_robin";
  options.order = "fifo";
  options.prefetch = "none";
  options.window = 0;
  return options;
}

// ---- orders ----

SmallProgram with_priorities() {
  SmallProgram small;
  small.array("A", 100);
  SmallProgram::Options options;
  options.priority = 1;
  small.task("a", {}, {"gpu"}, 10, options);
  options.priority = 5;
  small.task("b", {}, {"gpu"}, 10, options);
  options.priority = 1;
  small.task("c", {{kInout, "A"}}, {"gpu"}, 10, options);
  options.priority = -3;
  small.task("d", {{kInout, "A"}}, {"gpu"}, 1000, options);
  return small;
}

TEST_CASE("orders: submission, stated priority, longest remaining chain") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"fifo", "a@gpu:0 b@gpu:0 c@gpu:0 d@gpu:0"},
      {"priority", "b@gpu:0 a@gpu:0 c@gpu:0 d@gpu:0"},
      {"bottom_level", "c@gpu:0 d@gpu:0 a@gpu:0 b@gpu:0"},
      {"bottom_level:priority=500", "b@gpu:0 c@gpu:0 a@gpu:0 d@gpu:0"},
  };
  for (const auto& [order, launches] : cases) {
    const auto& shown = order;  // clang 14 captures no structured bindings
    CAPTURE(shown);
    EngineOptions options = plain();
    options.order = order;
    CHECK(with_priorities().launches(linked_gpus(1), options) == launches);
  }
}

// ---- prefetchers ----

TEST_CASE("on_map copies the operands of tasks that the window keeps back; none does not") {
  const auto copies = [](const std::string& prefetch) {
    SmallProgram small;
    for (const char* name : {"A", "B", "C", "D"}) small.array(name, 100);
    small.task("a", {{kIn, "A"}}, {"gpu"});
    small.task("b", {{kIn, "B"}, {kOut, "C"}}, {"gpu"});
    SmallProgram::Options lazy;
    lazy.is_lazy = true;
    small.task("c", {{kIn, "D"}}, {"gpu"}, 100, lazy);
    EngineOptions options = plain();
    options.prefetch = prefetch;
    options.window = 1;
    return small.copies(linked_gpus(1), options);
  };
  CHECK(copies("none") == "A:host>gpu0");
  // An output is not copied in, and a lazy task's operands move only when it starts.
  CHECK(copies("on_map") == "A:host>gpu0* B:host>gpu0*");
}

// ---- evictors ----

EngineOptions evicting(const std::string& evict) {
  EngineOptions options = plain();
  options.evict = evict;
  return options;
}

TEST_CASE("lru drops what was used longest ago, next_use what is needed last") {
  SmallProgram small;
  for (const char* name : {"A", "B", "C"}) small.array(name, kMi);
  for (const char* name : {"A", "B", "C", "A"}) {
    small.task(std::string("T") + std::to_string(small.program().task_count()), {{kIn, name}},
               {"gpu"});
  }
  const Machine machine = linked_gpus(1, {}, Bytes(2 * kMi));
  CHECK(small.copies(machine, evicting("lru")) ==
        "A:host>gpu0 B:host>gpu0 C:host>gpu0 A:host>gpu0");
  CHECK(small.copies(machine, evicting("next_use")) == "A:host>gpu0 B:host>gpu0 C:host>gpu0");
}

TEST_CASE("lru: a use makes young again") {
  SmallProgram small;
  for (const char* name : {"A", "B", "C"}) small.array(name, kMi);
  for (const char* name : {"A", "B", "A", "C", "A"}) {
    small.task(std::string("T") + std::to_string(small.program().task_count()), {{kIn, name}},
               {"gpu"});
  }
  const Machine machine = linked_gpus(1, {}, Bytes(2 * kMi));
  CHECK(small.copies(machine, evicting("lru")) == "A:host>gpu0 B:host>gpu0 C:host>gpu0");
}

TEST_CASE("next_use: a use elsewhere moves the next use of all replicas of the region") {
  SmallProgram small;
  for (const char* name : {"A", "B", "C"}) small.array(name, kMi);
  // The uses of A on gpu1 are over when C needs room on gpu0: A goes, B stays for T4. (Commands are
  // issued device by device, in rounds.)
  small.task("T0", {{kIn, "A"}}, {"gpu:0"});
  small.task("T1", {{kIn, "B"}}, {"gpu:0"});
  small.task("T2", {{kIn, "A"}}, {"gpu:1"});
  small.task("T3", {{kIn, "C"}}, {"gpu:0"});
  small.task("T4", {{kIn, "B"}}, {"gpu:0"});
  small.task("T5", {{kIn, "A"}}, {"gpu:1"});
  const Machine machine = linked_gpus(2, {{"host", "gpu1", 9.0}}, Bytes(2 * kMi));
  CHECK(small.copies(machine, evicting("next_use")) ==
        "A:host>gpu0 A:host>gpu1 B:host>gpu0 C:host>gpu0");
}

TEST_CASE("next_use: of what is needed last, what costs nothing to write back goes first") {
  SmallProgram small;
  for (const char* name : {"A", "B", "C"}) small.array(name, kMi);
  small.task("T0", {{kOut, "A"}}, {"gpu"});
  small.task("T1", {{kIn, "B"}}, {"gpu"});
  small.task("T2", {{kIn, "C"}}, {"gpu"});
  const Machine machine = linked_gpus(1, {}, Bytes(2 * kMi));
  CHECK(small.copies(machine, evicting("next_use")) == "B:host>gpu0 C:host>gpu0");
  CHECK(small.copies(machine, evicting("next_use:look=1")) ==
        "B:host>gpu0 A:gpu0>host C:host>gpu0");
}

// ---- sources ----

TEST_CASE("owner copies from the last writer, nearest from where the copy ends first") {
  const auto copies = [](const std::string& source, const std::vector<LinkRate>& rates) {
    SmallProgram small;
    small.array("A", 1000);
    small.task("T0", {{kOut, "A"}}, {"gpu:0"}, 10);
    small.task("T1", {{kIn, "A"}}, {"gpu:1"}, 10);
    small.task("T2", {{kIn, "A"}}, {"gpu:2"}, 10);
    EngineOptions options = plain();
    options.source = source;
    return small.copies(linked_gpus(3, rates), options);
  };
  const std::string from_writer = "A:gpu0>gpu1 A:gpu0>gpu2";
  const std::string from_reader = "A:gpu0>gpu1 A:gpu1>gpu2";
  // Equal links: the writer has it first. A slow link to the writer: the reader is nearer, though
  // its own copy is still arriving.
  CHECK(copies("owner", {}) == from_writer);
  CHECK(copies("nearest", {}) == from_writer);
  CHECK(copies("owner", {{"gpu0", "gpu2", 0.1}}) == from_writer);
  CHECK(copies("nearest", {{"gpu0", "gpu2", 0.1}}) == from_reader);
}

TEST_CASE("a reader becomes the owner, but the host has the contents sooner") {
  const auto copies = [](const std::string& source) {
    SmallProgram small;
    small.array("A", 1000);
    small.task("T0", {{kIn, "A"}}, {"gpu:0"}, 10);
    small.task("T1", {{kIn, "A"}}, {"gpu:1"}, 10);
    EngineOptions options = plain();
    options.source = source;
    return small.copies(linked_gpus(2), options);
  };
  CHECK(copies("owner") == "A:host>gpu0 A:gpu0>gpu1");
  CHECK(copies("nearest") == "A:host>gpu0 A:host>gpu1");
}

}  // namespace
}  // namespace parley::core
