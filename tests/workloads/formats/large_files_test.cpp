// Files that are deep, huge, cut off or hostile are answered by messages, in bounded time and
// memory.
#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "workloads/workload.h"

namespace {

using parley::workloads::load_workload;
using parley::workloads::parse_workload;

const std::string kHeader = R"({"format": "parley-workload", "version": 1, )";
const std::string kArray = R"("arrays": [{"name": "A", "shape": [8], "init": {"fill": 0}}], )";

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string first_fault(const std::string& json) {
  const auto program = parse_workload(json, "f.json");
  if (program) return "accepted";
  return program.faults().front().where + ": " + program.faults().front().what;
}

}  // namespace

TEST_CASE("a file nested too deep is refused where it gets too deep") {
  CHECK(first_fault(repeated("[", 1'000'000)) ==
        "f.json:1:65: lists and objects are nested more than 64 deep");
  CHECK(first_fault(kHeader + "\n\"meta\": " + repeated("{\"[\": ", 100) + "1" +
                    repeated("}", 100) + ", \"tasks\": []}") ==
        "f.json:2:387: lists and objects are nested more than 64 deep");
  CHECK(first_fault(kHeader + "\"meta\": " + repeated("[", 63) + repeated("]", 63) +
                    ", \"tasks\": []}") == "accepted");
}

TEST_CASE("repeat blocks nested to the limit are walked") {
  // Two levels a block: an object and its list of tasks.
  const std::string open = R"({"repeat": 1, "tasks": [)";
  CHECK(first_fault(kHeader + "\"tasks\": [" + repeated(open, 30) + "{}" + repeated("]}", 30) +
                    "]}") == "accepted");
}

TEST_CASE("a file cut off anywhere is refused with line and column") {
  const std::string whole =
      kHeader + kArray + "\n\"tasks\": [{\"name\": \"a\", \"inout\": [\"A[0]\"], \"vcus\": 0.5}]}";
  REQUIRE(first_fault(whole) == "accepted");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    const auto program = parse_workload(whole.substr(0, length), "f.json");
    REQUIRE_FALSE(program.has_value());
    CHECK(program.faults().size() == 1);
    CHECK(program.faults().front().where.starts_with("f.json:"));
    CHECK_FALSE(program.faults().front().what.empty());
  }
}

TEST_CASE("a file with any byte changed is loaded or refused, never worse") {
  const std::string whole =
      kHeader + kArray +
      R"("dependencies": "both", "tasks": [{"repeat": 3, "index": "i", "tasks": [
        {"name": "T[{i}]", "after": ["T[{i-1}]"], "inout": ["A[{i}:{i+2}]"], "vcus": 0.5,
         "kernel": {"name": "scale", "value": 2.5}, "cost": {"gpu": {"ns": 100}, "flops": 1e9},
         "placement": ["cpu", {"on": "gpu", "scratch": {"t": {"shape": [2]}}}],
         "expect": {"A[0]": 1}, "show": ["A"]}]}, {"evict": "A", "space": "gpu0"}]})";
  REQUIRE(first_fault(whole) == "accepted");
  std::mt19937_64 random(7);
  for (int round = 0; round < 4000; ++round) {
    std::string changed = whole;
    for (int change = 0; change < 1 + round % 3; ++change) {
      const std::size_t at = random() % changed.size();
      const std::string with = "\"[]{}:,0129-.eA{i}* \\\x01\xff";
      switch (random() % 3) {
        case 0:
          changed[at] = with[random() % with.size()];
          break;
        case 1:
          changed.erase(at, 1);
          break;
        default:
          changed.insert(at, 1, with[random() % with.size()]);
      }
    }
    CAPTURE(changed);
    const auto program = parse_workload(changed, "f.json");
    CHECK((program.has_value() || !program.faults().empty()));
  }
}

TEST_CASE("a hundred thousand tasks load, and as many faults are all reported") {
  std::string good = kHeader + kArray + "\"tasks\": [{}", bad = good;
  constexpr std::size_t kTasks = 100'000;
  for (std::size_t i = 0; i < kTasks; ++i) {
    good += ",\n{\"name\": \"T[" + std::to_string(i) + "]\", \"inout\": [\"A[0:4]\"]}";
    bad += ",\n{\"name\": \"T[" + std::to_string(i) +
           "]\", \"inout\": [\"B[0:4]\"], \"after\": " + "[\"U[" + std::to_string(i) + "]\"]}";
  }
  const auto program = parse_workload(good + "]}", "f.json");
  REQUIRE(program.has_value());
  CHECK(program->task_count() == kTasks + 1);
  const auto refused = parse_workload(bad + "]}", "f.json");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.faults().size() == 2 * kTasks);
  CHECK(refused.faults().back().where == "f.json: tasks[100000].after[0]");
}

TEST_CASE("counts that no memory could hold are refused at once") {
  const auto in_tasks = [](const std::string& tasks) {
    return first_fault(kHeader + kArray + "\"tasks\": [" + tasks + "]}");
  };
  const std::string too_many =
      "f.json: tasks: repeat blocks expand to more than 20000000 tasks, the most that one workload "
      "may have";
  CHECK(in_tasks(R"({"repeat": 9223372036854775807, "tasks": [{}]})") == too_many);
  CHECK(in_tasks(R"({"repeat": 1000000000000, "tasks": []})") == too_many);
  CHECK(in_tasks(R"({"repeat": 100000, "tasks": [{"repeat": 100000, "tasks": [{}]}]})") ==
        too_many);
  CHECK(in_tasks(R"({"repeat": 3, "tasks": [{"in": ["B"]}]})") ==
        "f.json: tasks[0].tasks[0].in[0] (iteration 0): unknown array \"B\"; did you mean \"A\"?");
  CHECK(first_fault(kHeader + R"("arrays": [{"name": "A", "shape": [1000000, 1000000], "dtype":
      "int8", "init": {"fill": 0}}], "tasks": [{"in": ["A"], "expect": {"A": 1}}]})") ==
        "f.json: tasks[0].expect.A: the region has 1000000000000 bytes; at most 2^28 can be "
        "expected");
}

TEST_CASE("a fault within a repeat block is reported once, with its iteration") {
  const auto program = parse_workload(kHeader + kArray +
                                          R"("tasks": [{"repeat": 100, "index": "i", "tasks": [
                {"name": "T[{i}]", "in": ["A[{i}]", "B"]}]}]})",
                                      "f.json");
  REQUIRE_FALSE(program.has_value());
  REQUIRE(program.faults().size() == 2);
  CHECK(program.faults()[0].where == "f.json: tasks[0].tasks[0].in[1] (i = 0)");
  CHECK(program.faults()[1].where == "f.json: tasks[0].tasks[0].in[0] (i = 8)");
}

TEST_CASE("workloads are loaded by file or generator") {
  const auto path = std::filesystem::temp_directory_path() / "parley_large_files_test.json";
  std::ofstream(path) << kHeader + kArray + R"("tasks": [{"in": ["A"]}]})";
  const auto program = load_workload(path.string());
  REQUIRE(program.has_value());
  CHECK(program->name() == "workload");
  std::ofstream(path) << "{\n";
  const auto cut = load_workload(path.string());
  REQUIRE_FALSE(cut.has_value());
  CHECK(cut.faults().front().where == path.string() + ":2:1");
  std::filesystem::remove(path);

  CHECK(load_workload("cholesky:tiles=3").has_value());
  const auto missing = load_workload("no_such_file.json");
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.faults().front().where == "no_such_file.json");
  const auto misspelt = load_workload("cholseky");
  REQUIRE_FALSE(misspelt.has_value());
  CHECK(misspelt.faults().front().what ==
        "neither a file nor a generator; did you mean \"cholesky\"?");
  CHECK_FALSE(load_workload(std::filesystem::temp_directory_path().string()).has_value());
}
