// The mappers' choices, read off what the engine launches where.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/core/policy/decisions.h"

namespace parley::core {
namespace {

constexpr AccessMode kIn = AccessMode::kIn, kOut = AccessMode::kOut, kInout = AccessMode::kInout;

EngineOptions under(const std::string& mapper) {
  EngineOptions options;
  options.mapper = mapper;
  options.order = "fifo";
  options.prefetch = "none";
  options.window = 0;
  return options;
}

SmallProgram independent_tasks(std::size_t count, const std::vector<std::string>& on) {
  SmallProgram small;
  for (std::size_t i = 0; i < count; ++i) small.task("T" + std::to_string(i), {}, on);
  return small;
}

TEST_CASE("round_robin: devices in turn, whatever the candidates of the task before were") {
  SmallProgram small;
  for (const char* name : {"a", "b"}) small.task(name, {}, {"gpu"});
  small.task("c", {}, {"gpu:0"});
  small.task("d", {}, {"gpu"});
  small.task("e", {}, {"any"});
  small.task("f", {}, {"any"});
  small.task("g", {}, {"gpu:2", "gpu:1"});  // after the CPU: the lowest of them
  CHECK(small.places(linked_gpus(3), under("round_robin")) ==
        "a@gpu:0 b@gpu:1 c@gpu:0 d@gpu:1 e@gpu:2 f@cpu g@gpu:1");
}

TEST_CASE("earliest_finish: equal tasks without data fill the devices evenly, lowest first") {
  CHECK(independent_tasks(5, {"gpu"}).places(linked_gpus(3), under("earliest_finish")) ==
        "T0@gpu:0 T1@gpu:1 T2@gpu:2 T3@gpu:0 T4@gpu:1");
}

TEST_CASE("earliest_finish: a task stays with its data while waiting costs less than the copy") {
  const auto place_of = [](std::int64_t busy_ns) {
    SmallProgram small;
    small.array("A", 1000, "gpu1");
    small.task("busy", {}, {"gpu:1"}, busy_ns);
    small.task("T", {{kIn, "A"}}, {"gpu"}, 10);
    return small.places(linked_gpus(2), under("earliest_finish"));
  };
  CHECK(place_of(999) == "busy@gpu:1 T@gpu:1");   // done at 1009 there, at 1010 after the copy
  CHECK(place_of(1001) == "busy@gpu:1 T@gpu:0");  // the other way round
}

TEST_CASE("earliest_finish: without a link between two GPUs the way is by the host, and costs so") {
  const auto place_of = [](std::int64_t busy_ns) {
    SmallProgram small;
    small.array("A", 1000, "gpu1");
    small.task("busy", {}, {"gpu:1"}, busy_ns);
    small.task("T", {{kIn, "A"}}, {"gpu"}, 10);
    return small.places(linked_gpus(2, {{"gpu1", "gpu0", 0.0}}), under("earliest_finish"));
  };
  CHECK(place_of(1999) == "busy@gpu:1 T@gpu:1");
  CHECK(place_of(2001) == "busy@gpu:1 T@gpu:0");
}

TEST_CASE("earliest_finish: an output needs no data, an inout does") {
  for (const auto& [mode, place] : {std::pair(kOut, "T@gpu:0"), {kInout, "T@gpu:1"}}) {
    SmallProgram small;
    small.array("A", 1000, "gpu1");
    small.task("T", {{mode, "A"}}, {"gpu"}, 10);
    CHECK(small.places(linked_gpus(2), under("earliest_finish")) == place);
  }
}

TEST_CASE("earliest_finish: ties go where fewer bytes move, or to the lowest device") {
  for (const auto& [mapper, place] : {std::pair("earliest_finish", "busy@gpu:1 T@gpu:1"),
                                      {"earliest_finish:locality=0", "busy@gpu:1 T@gpu:0"}}) {
    SmallProgram small;
    small.array("A", 1000, "gpu1");
    small.task("busy", {}, {"gpu:1"}, 1000);
    small.task("T", {{kIn, "A"}}, {"gpu"}, 10);
    CHECK(small.places(linked_gpus(2), under(mapper)) == place);
  }
}

TEST_CASE("earliest_finish: beta makes bytes cost more than the time they take") {
  for (const auto& [mapper, place] : {std::pair("earliest_finish", "busy@gpu:1 T@gpu:0"),
                                      {"earliest_finish:beta=0.4", "busy@gpu:1 T@gpu:0"},
                                      {"earliest_finish:beta=0.6", "busy@gpu:1 T@gpu:1"}}) {
    SmallProgram small;
    small.array("A", 1000, "gpu1");
    small.task("busy", {}, {"gpu:1"}, 1500);
    small.task("T", {{kIn, "A"}}, {"gpu"}, 10);
    CHECK(small.places(linked_gpus(2), under(mapper)) == place);
  }
}

TEST_CASE("earliest_finish: slower devices get work once the fast ones are busy enough") {
  SmallProgram small;
  SmallProgram::Options options;
  options.cost = {{.on = "cpu", .stated = Duration(250), .flops = 0.0, .bytes = 0.0},
                  {.on = "gpu", .stated = Duration(100), .flops = 0.0, .bytes = 0.0}};
  for (const char* name : {"a", "b", "c", "d"}) small.task(name, {}, {"any"}, 0, options);
  CHECK(small.places(linked_gpus(1), under("earliest_finish")) == "a@gpu:0 b@gpu:0 c@cpu d@gpu:0");
}

TEST_CASE("earliest_finish: a group starts when its last member is free") {
  SmallProgram small;
  small.task("busy", {}, {"gpu:1"}, 500);
  SmallProgram::Options group;
  group.is_group = true;
  small.task("G", {}, {"gpu", "gpu"}, 100, group);
  CHECK(small.places(linked_gpus(3), under("earliest_finish")) == "busy@gpu:1 G@gpu:0@gpu:2");
}

// ---- parla ----

TEST_CASE("parla, generation 2: without data, the later of equal devices from a moving start") {
  CHECK(independent_tasks(4, {"gpu"}).places(linked_gpus(3), under("parla")) ==
        "T0@gpu:0 T1@gpu:1 T2@gpu:2 T3@gpu:0");
  // One alternative a device: no start that moves, the last alternative wins ties.
  CHECK(independent_tasks(2, {"gpu:0", "gpu:1"}).places(linked_gpus(2), under("parla")) ==
        "T0@gpu:1 T1@gpu:0");
}

TEST_CASE("parla, generation 1: without data, the first of the best") {
  CHECK(independent_tasks(4, {"gpu"}).places(linked_gpus(3), under("parla:generation=1")) ==
        "T0@gpu:0 T1@gpu:1 T2@gpu:2 T3@gpu:0");
  CHECK(independent_tasks(2, {"gpu:0", "gpu:1"})
            .places(linked_gpus(2), under("parla:generation=1")) == "T0@gpu:0 T1@gpu:1");
}

TEST_CASE("parla: bytes outweigh any load in generation 2, hardly any in generation 1") {
  for (const auto& [mapper, places] :
       {std::pair("parla", "first@gpu:1 a@gpu:1 b@gpu:1 c@gpu:1"),
        {"parla:generation=1", "first@gpu:1 a@gpu:0 b@gpu:2 c@gpu:3"},
        {"parla:generation=1,load=0", "first@gpu:1 a@gpu:1 b@gpu:1 c@gpu:1"}}) {
    const auto& shown = mapper;  // clang 14 captures no structured bindings
    CAPTURE(shown);
    SmallProgram small;
    small.array("A", 1 << 20);
    small.task("first", {{kIn, "A"}}, {"gpu:1"});
    for (const char* name : {"a", "b", "c"}) small.task(name, {{kIn, "A"}}, {"gpu"});
    CHECK(small.places(linked_gpus(4), under(mapper)) == places);
  }
}

TEST_CASE("parla: an output counts for its place in generation 2 only") {
  for (const auto& [mapper, place] : {std::pair("parla", "first@gpu:2 T@gpu:2"),
                                      {"parla:generation=1,load=0", "first@gpu:2 T@gpu:0"}}) {
    SmallProgram small;
    small.array("A", 1000);
    small.task("first", {{kIn, "A"}}, {"gpu:2"});
    small.task("T", {{kOut, "A"}}, {"gpu"});
    CHECK(small.places(linked_gpus(4), under(mapper)) == place);
  }
}

TEST_CASE("parla: an array counts as present where any slice of it is") {
  SmallProgram small;
  small.array("A", 1000);
  small.task("first", {{kIn, "A", 0, 10}}, {"gpu:2"});
  small.task("T", {{kIn, "A", 500, 1000}}, {"gpu"});
  CHECK(small.places(linked_gpus(4), under("parla")) == "first@gpu:2 T@gpu:2");
}

TEST_CASE("parla: a group is where the mean of its members' scores is best") {
  SmallProgram small;
  small.array("A", 1000);
  small.array("B", 1000);
  small.task("a", {{kIn, "A"}}, {"gpu:3"});
  small.task("b", {{kIn, "B"}}, {"gpu:1"});
  SmallProgram::Options group;
  group.is_group = true;
  small.task("G", {{kIn, "B", 0, -1, 0}, {kIn, "A", 0, -1, 1}}, {"gpu", "gpu"}, 10, group);
  CHECK(small.places(linked_gpus(4), under("parla")) == "a@gpu:3 b@gpu:1 G@gpu:1@gpu:3");
}

TEST_CASE("parla: a throttled mapper waits until something has finished") {
  SmallProgram small = independent_tasks(3, {"gpu"});
  CHECK(small.places(linked_gpus(2), under("parla:throttle=2")) == "T0@gpu:0 T1@gpu:1");

  const Machine machine = linked_gpus(2);
  auto engine = *Engine::create(small.program(), machine, under("parla:throttle=2"));
  std::vector<Event> events = {TasksSubmitted{TaskId(3)}, SubmissionClosed{}};
  CHECK(engine->step(Time(0), events).size() == 2);
  events = {TaskDone{CommandId(0), Time(0), Time(100)}};
  CHECK(engine->step(Time(100), events).size() == 1);
}

// ---- block_cyclic ----

/// One task for each of `arrays`, which it updates.
SmallProgram updates(const std::vector<std::string>& arrays) {
  SmallProgram small;
  for (const std::string& array : arrays) {
    small.array(array, 16);
    small.task("t" + array, {{kInout, array}}, {"gpu"});
  }
  return small;
}

TEST_CASE("block_cyclic: a block's owner is told by the indices in its array's name") {
  const std::vector<std::string> tiles = {"A_0_0", "A_0_1", "A_1_0", "A_1_1", "A_2_3", "A_12_1"};
  CHECK(updates(tiles).places(linked_gpus(4), under("block_cyclic")) ==
        "tA_0_0@gpu:0 tA_0_1@gpu:1 tA_1_0@gpu:2 tA_1_1@gpu:3 tA_2_3@gpu:1 tA_12_1@gpu:1");
  CHECK(updates(tiles).places(linked_gpus(2), under("block_cyclic")) ==
        "tA_0_0@gpu:0 tA_0_1@gpu:1 tA_1_0@gpu:0 tA_1_1@gpu:1 tA_2_3@gpu:1 tA_12_1@gpu:1");
  CHECK(updates(tiles).places(linked_gpus(2), under("block_cyclic:rows=2")) ==
        "tA_0_0@gpu:0 tA_0_1@gpu:0 tA_1_0@gpu:1 tA_1_1@gpu:1 tA_2_3@gpu:0 tA_12_1@gpu:0");
  CHECK(updates(tiles).places(linked_gpus(4), under("block_cyclic:columns=1,block=2")) ==
        "tA_0_0@gpu:0 tA_0_1@gpu:0 tA_1_0@gpu:0 tA_1_1@gpu:0 tA_2_3@gpu:1 tA_12_1@gpu:2");
  CHECK(updates(tiles).places(linked_gpus(4), under("block_cyclic:dimensions=1")) ==
        "tA_0_0@gpu:0 tA_0_1@gpu:0 tA_1_0@gpu:1 tA_1_1@gpu:1 tA_2_3@gpu:2 tA_12_1@gpu:0");
  CHECK(updates({"x_5", "T_0_5_2", "W[7]", "W[1,0]", "A_2_3_"})
            .places(linked_gpus(4), under("block_cyclic")) ==
        "tx_5@gpu:1 tT_0_5_2@gpu:2 tW[7]@gpu:3 tW[1,0]@gpu:2 tA_2_3_@gpu:0");
}

TEST_CASE("block_cyclic: without indices, by the region's place in its array") {
  SmallProgram small;
  small.array("x", 64);
  for (const int i : {3, 0, 2, 1}) {
    small.task("t" + std::to_string(i), {{kInout, "x", i * 16 + 1, i * 16 + 16}}, {"gpu"});
  }
  small.task("whole", {{kInout, "x"}}, {"gpu"});  // no place: most of its bytes are on gpu:0
  CHECK(small.places(linked_gpus(3), under("block_cyclic")) ==
        "t3@gpu:0 t0@gpu:0 t2@gpu:2 t1@gpu:1 whole@gpu:0");
}

TEST_CASE("block_cyclic: the last written block counts, whatever is read") {
  SmallProgram small;
  for (const char* name : {"A_0", "A_1", "A_2"}) small.array(name, 16);
  small.task("t", {{kIn, "A_2"}, {kInout, "A_0"}, {kOut, "A_1"}}, {"gpu"});
  small.task("u", {{kInout, "A_1"}, {kIn, "A_0"}}, {"gpu"});
  CHECK(small.places(linked_gpus(3), under("block_cyclic")) == "t@gpu:1 u@gpu:1");
}

TEST_CASE("block_cyclic: tasks that may not run on the owner, or write nothing, go to their data") {
  SmallProgram small;
  small.array("A_0", 16, "gpu2");
  small.array("B", 64, "gpu1");
  small.task("elsewhere", {{kInout, "A_0"}}, {"gpu:1", "gpu:2"});
  small.task("reads", {{kIn, "A_0"}, {kIn, "B"}}, {"gpu"});
  small.task("on_cpu", {{kInout, "A_0"}}, {"cpu"});
  small.task("empty", {}, {"any"});
  CHECK(small.places(linked_gpus(3), under("block_cyclic")) ==
        "elsewhere@gpu:2 reads@gpu:1 on_cpu@cpu empty@cpu");
  SmallProgram alone = updates({"A_1"});
  alone.task("cpu_only", {{kInout, "A_1"}}, {"cpu"});
  CHECK(alone.places(linked_gpus(1), under("block_cyclic")) == "tA_1@gpu:0 cpu_only@cpu");
  SmallProgram any;
  any.array("A_1", 16);
  any.task("t", {{kInout, "A_1"}}, {"any"});
  CHECK(any.places(linked_gpus(0), under("block_cyclic")) == "t@cpu");
}

TEST_CASE("mappers give reasons for what they chose") {
  SmallProgram small;
  small.array("A", 1000, "gpu1");
  small.task("T", {{kIn, "A"}}, {"gpu"}, 10);
  REQUIRE(small.program().close().has_value());
  const Machine machine = linked_gpus(2);
  for (const auto& [mapper, reason] :
       {std::pair("earliest_finish",
                  "expected to finish at 10 ns on gpu:1 (free at 0 ns, operands there at 0 ns); "
                  "elsewhere not before 1010 ns"),
        {"round_robin", "the next device in turn"}}) {
    auto engine = *Engine::create(small.program(), machine, under(mapper));
    const std::vector<Event> events = {TasksSubmitted{TaskId(1)}, SubmissionClosed{}};
    engine->step(Time(0), events);
    CHECK(engine->mapping_reason(TaskId(0)) == reason);
  }
}

}  // namespace
}  // namespace parley::core
