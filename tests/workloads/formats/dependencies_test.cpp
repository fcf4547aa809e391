// `after`, task spaces and repeat blocks: which tasks come out, and what they wait for.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "workloads/workload.h"

namespace {

using namespace parley;

core::Program load(const std::string& tasks, const std::string& dependencies = "explicit") {
  auto program = workloads::parse_workload(
      R"({"format": "parley-workload", "version": 1, "dependencies": ")" + dependencies +
          R"(", "arrays": [{"name": "A", "shape": [100], "init": {"fill": 0}}], "tasks": [)" +
          tasks + "]}",
      "workload.json");
  if (!program) FAIL(program.faults().front().what);
  return std::move(*program);
}

/// "b: a a2" for each task, its explicit dependencies by name.
std::vector<std::string> waits(const core::Program& program) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < program.task_count(); ++i) {
    std::string line(program.task_name(core::TaskId(i)));
    line += ":";
    for (const core::TaskId on : program.timed_dependencies(core::TaskId(i))) {
      line += " " + std::string(program.task_name(on));
    }
    lines.push_back(line);
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("after names tasks, slices of task spaces and whole spaces") {
  const std::string tasks =
      R"({"name": "T[0]"}, {"name": "T[1]"}, {"name": "T[2]"}, {"name": "U[0, 0]"},
         {"name": "U[0,1]"}, {"name": "U[1, 0]"}, {"name": "U[1,1]"}, {"name": "x", "after": )";
  const auto after = [&](const std::string& list) {
    return waits(load(tasks + list + "}")).back();
  };
  CHECK(after(R"(["T[1]"])") == "x: T[1]");
  CHECK(after(R"(["T[0:2]"])") == "x: T[0] T[1]");
  CHECK(after(R"(["T[::2]", "T[1:2]"])") == "x: T[0] T[1] T[2]");
  CHECK(after(R"(["T"])") == "x: T[0] T[1] T[2]");
  CHECK(after(R"(["T[3:]"])") == "x:");
  CHECK(after(R"(["U[1, 0:2]"])") == "x: U[1,0] U[1,1]");
  CHECK(after(R"(["U[ : , 1 ]"])") == "x: U[0,1] U[1,1]");
  CHECK(after(R"(["U[1,  1]", "T[0]", "T[0]"])") == "x: T[0] U[1,1]");
  CHECK(after("[]") == "x:");
}

TEST_CASE("explicit dependencies may name later tasks, the others may not") {
  const std::string tasks = R"({"name": "a", "after": ["b"]}, {"name": "b"})";
  CHECK(waits(load(tasks)) == Lines{"a: b", "b:"});
  for (const std::string mode : {"inferred", "both"}) {
    CHECK_FALSE(workloads::parse_workload(
        R"({"format": "parley-workload", "version": 1, "dependencies": ")" + mode +
            R"(", "tasks": [)" + tasks + "]}",
        "workload.json"));
  }
}

TEST_CASE("after adds to inferred dependencies") {
  const core::Program program =
      load(R"({"name": "a", "inout": ["A"]}, {"name": "b"}, {"name": "c", "in": ["A"],
            "after": ["b"]})",
           "inferred");
  CHECK(waits(program) == Lines{"a:", "b:", "c: b"});
  CHECK(program.dependencies(core::TaskId(2)).size() == 2);
}

TEST_CASE("repeat blocks expand, and what names iteration -1 is dropped") {
  CHECK(waits(load(R"({"repeat": 3, "index": "i", "tasks": [
                         {"name": "T[{i}]", "after": ["T[{i-1}]"], "inout": ["A[{i*10}:{i*10+10}]"]},
                         {"name": "U[{i}]", "after": ["T[{i}]", "U[{i-2}]"]}]})")) ==
        Lines{"T[0]:", "U[0]: T[0]", "T[1]: T[0]", "U[1]: T[1]", "T[2]: T[1]", "U[2]: U[0] T[2]"});
  CHECK(waits(load(R"({"repeat": 2, "index": "step", "tasks": [
                         {"repeat": 2, "index": "x", "tasks": [
                           {"name": "T[{step},{x}]", "after": ["T[{step-1},{x}]",
                                                               "T[{step},{x-1}]"]}]}]})")) ==
        Lines{"T[0,0]:", "T[0,1]: T[0,0]", "T[1,0]: T[0,0]", "T[1,1]: T[0,1] T[1,0]"});
  CHECK(waits(load(R"({"repeat": 0, "tasks": [{"name": "never"}]}, {"name": "x"})")) ==
        Lines{"x:"});
}

TEST_CASE("expressions in braces follow Python's arithmetic") {
  const auto name = [](const std::string& expression) {
    const core::Program program = load(R"({"repeat": 8, "index": "i", "tasks": [{"name":
        "T[{i}] {)" + expression + R"(}"}]})");
    const std::string text(program.task_name(core::TaskId(7)));
    return text.substr(text.find(' ') + 1);
  };
  CHECK(name("i") == "7");
  CHECK(name("i+1") == "8");
  CHECK(name(" 2*i - 3 ") == "11");
  CHECK(name("(i+1)*(i-1)") == "48");
  CHECK(name("i%2") == "1");
  CHECK(name("-i%4") == "1");
  CHECK(name("-i/2") == "-4");
  CHECK(name("i/2") == "3");
}

TEST_CASE("tasks without a name are numbered, around those that have such a name") {
  CHECK(waits(load(R"({}, {"name": "task[1]"}, {}, {"after": ["task"], "name": "x"})")) ==
        Lines{"task[0]:", "task[1]:", "task[2]:", "x: task[0] task[1] task[2]"});
}

TEST_CASE("an evict entry stands between the uses before and after it") {
  const core::Program program = load(R"({"name": "a", "in": ["A"]},
      {"evict": "A[0:10]", "space": "gpu1", "keep_last": false, "name": "drop", "after": ["a"]},
      {"name": "b", "in": ["A"]})",
                                     "inferred");
  const core::TaskId evict(1);
  CHECK(program.task(evict).kind == core::TaskKind::kEvict);
  CHECK(program.extras(evict).evict_space == "gpu1");
  CHECK_FALSE(program.extras(evict).keep_last);
  CHECK(program.region_text(program.accesses(evict).front().region) == "A[0:10]");
  CHECK(program.dependencies(evict).size() == 1);
  REQUIRE(program.dependencies(core::TaskId(2)).size() == 1);
  CHECK(program.dependencies(core::TaskId(2)).front() == evict);
}
