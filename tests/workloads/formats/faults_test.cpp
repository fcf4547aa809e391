// Every fault of a workload file has its exact message. The tables are text files beside this one.
#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "workloads/workload.h"

namespace {

using parley::workloads::parse_workload;

struct Case {
  std::string input;
  std::string messages;  // a line each
};

std::vector<Case> read_table(const std::string& name) {
  std::ifstream file(std::string(PARLEY_SOURCE_DIR) + "/tests/workloads/formats/" + name);
  REQUIRE(file.is_open());
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("    ")) {
      cases.back().messages += line.substr(4) + "\n";
    } else {
      cases.push_back({line, ""});
    }
  }
  return cases;
}

/// All messages, a line each, without the file's name; "accepted" when there are none.
std::string messages_of(const std::string& json) {
  const auto program = parse_workload(json, "workload.json");
  if (program) return "accepted\n";
  std::string text;
  for (const parley::core::Fault& fault : program.faults()) {
    const std::string source = "workload.json";
    REQUIRE(fault.where.starts_with(source));
    std::string where = fault.where.substr(source.size());
    if (where.starts_with(": ")) where.erase(0, 2);
    text += (where.empty() ? "" : where + ": ") + fault.what + "\n";
  }
  return text;
}

const std::string kHeader = R"({"format": "parley-workload", "version": 1, )";

std::string with_arrays(const std::string& arrays) {
  return kHeader + R"("arrays": [)" + arrays + R"(], "tasks": []})";
}

std::string with_tasks(const std::string& tasks, const std::string& dependencies = "inferred") {
  return kHeader + R"("dependencies": ")" + dependencies +
         R"(", "arrays": [{"name": "A", "shape": [4, 6], "init": {"fill": 0}},
                          {"name": "A_2", "shape": [5], "dtype": "int8"},
                          {"name": "f", "bytes": 100, "init": {"fill": 0}}],
            "tasks": [)" +
         tasks + "]}";
}

}  // namespace

TEST_CASE("each fault of a file as a whole has its message") {
  for (const Case& one : read_table("file_faults.txt")) {
    CAPTURE(one.input);
    CHECK(messages_of(one.input) == one.messages);
  }
}

TEST_CASE("each fault of an array has its message") {
  for (const Case& one : read_table("array_faults.txt")) {
    CAPTURE(one.input);
    CHECK(messages_of(with_arrays(one.input)) == one.messages);
  }
}

TEST_CASE("each fault of a task has its message") {
  for (const Case& one : read_table("task_faults.txt")) {
    CAPTURE(one.input);
    CHECK(messages_of(with_tasks(one.input)) == one.messages);
  }
}

TEST_CASE("each fault of a factorization has its message") {
  const std::string arrays = R"("arrays": [{"name": "M", "shape": [6, 6], "init": {"random": 1}},
    {"name": "g", "shape": [2, 2], "dtype": "float32", "init": {"random": 1}},
    {"name": "h", "shape": [2, 2], "dtype": "float16", "init": {"random": 1}},
    {"name": "u", "shape": [2, 2]}, {"name": "v", "shape": [2], "init": {"random": 1}}])";
  for (const Case& one : read_table("factorization_faults.txt")) {
    CAPTURE(one.input);
    CHECK(messages_of(kHeader + arrays + ", \"tasks\": [], \"factorization\": " + one.input +
                      "}") == one.messages);
  }
}

TEST_CASE("each fault of a kernel of the workload's own has its message") {
  for (const Case& one : read_table("kernel_faults.txt")) {
    CAPTURE(one.input);
    CHECK(messages_of(kHeader + R"("tasks": [], "kernels": {)" + one.input + "}}") == one.messages);
  }
}

TEST_CASE("calls of a workload's own kernels are checked as those of built-in ones") {
  const auto messages = [](const std::string& task) {
    return messages_of(kHeader + R"("kernels": {"own": {"library": "own.so",
        "arguments": ["in", "inout"], "parameters": {"factor": null, "shift": 0}}},
      "arrays": [{"name": "x", "shape": [2], "init": {"fill": 1}},
                 {"name": "y", "shape": [3], "init": {"fill": 1}}], "tasks": [)" +
                       task + "]}");
  };
  CHECK(messages(R"({"in": ["x"], "inout": ["y"], "kernel": {"name": "own", "factor": 2}})") ==
        "accepted\n");
  CHECK(messages(R"({"in": ["x"], "inout": ["y"], "kernel": {"name": "own"}})") ==
        "tasks[0].kernel: kernel \"own\": parameter \"factor\" (as the kernel says) is missing\n");
  CHECK(messages(R"({"in": ["x"], "inout": ["y"], "kernel": {"name": "own", "factr": 2}})") ==
        "tasks[0].kernel.factr: unknown key \"factr\"; did you mean \"factor\"?\n");
  CHECK(messages(R"({"in": ["x", "y"], "kernel": {"name": "own", "factor": 2}})") ==
        "tasks[0].kernel: kernel \"own\": writes y, which the task declares as \"in\"\n");
  CHECK(messages(R"({"inout": ["y"], "kernel": {"name": "own", "factor": 2}})") ==
        "tasks[0].kernel: kernel \"own\" takes 2 operands, not 1\n");
  CHECK(messages(R"({"inout": ["y"], "kernel": {"name": "owm"}})") ==
        "tasks[0].kernel.name: unknown kernel \"owm\"; did you mean \"own\"?\n");
}

TEST_CASE("a cycle of explicit dependencies is printed as names") {
  CHECK(messages_of(with_tasks(R"({"name": "a", "after": ["c"]}, {"name": "b", "after": ["a"]},
                                  {"name": "c", "after": ["b"]}, {"name": "d"})",
                               "explicit")) ==
        "tasks[0]: dependencies form a cycle: a -> c -> b -> a\n");
}

TEST_CASE("all faults of a file come in one go") {
  const std::string json = kHeader + R"("nme": "x", "dependencies": "both",
    "arrays": [{"name": "A", "shape": [4], "init": {"fill": 1}},
               {"name": "B", "shape": [-4]}, {"name": "C", "shape": [4]}],
    "tasks": [{"name": "a", "in": ["A[5]"], "priority": 1.5, "vcus": -1},
              {"name": "a", "in": ["B"], "out": ["C[0:9:0]"]},
              {"name": "b", "in": ["C"], "after": ["a", "c"]},
              {"name": "d", "out": ["A[0:2]", "A[1]"], "kernel": {"name": "fil", "value": 1}}]})";
  CHECK(
      messages_of(json) ==
      "nme: unknown key \"nme\"; did you mean \"name\"?\n"
      "arrays[1].shape[0]: expected an integer >= 0, found -4\n"
      "tasks[1].name: duplicate task name \"a\"; tasks[0] has it\n"
      "tasks[0].in[0]: \"A[5]\": index 5 is out of bounds for an extent of 4 of \"A\"\n"
      "tasks[0].vcus: expected a number >= 0, found -1\n"
      "tasks[0].priority: expected an integer from -2147483648 to 2147483647, found 1.5\n"
      "tasks[1].out[0]: \"C[0:9:0]\": a slice's step cannot be 0\n"
      "tasks[2].after[1]: unknown task \"c\"; did you mean \"a\"?\n"
      "tasks[3].kernel.name: unknown kernel \"fil\"; did you mean \"fill\"?\n"
      "tasks[3]: written operands A[0:2] and A[1] overlap; what a task writes must be disjoint\n");
}

TEST_CASE("an array without a name does not make faults of the tasks that name it") {
  const std::string json = kHeader + R"(
    "arrays": [{"nam": "A", "shape": [4]}, {"name": "B", "shape": [4], "init": {"fill": 1}}],
    "tasks": [{"out": ["A"]}, {"in": ["A", "C"], "inout": ["B"], "prioriti": 1}]})";
  CHECK(messages_of(json) ==
        "arrays[0].nam: unknown key \"nam\"; did you mean \"name\"?\n"
        "arrays[0]: missing key \"name\"\n"
        "tasks[1].prioriti: unknown key \"prioriti\"; did you mean \"priority\"?\n");
}

TEST_CASE("what divides takes no integers, unless by a diagonal of ones") {
  const auto messages = [](const std::string& dtype, const std::string& kernel) {
    return messages_of(kHeader + R"("arrays": [{"name": "A", "shape": [2, 2], "init": {"fill": 1},
        "dtype": ")" + dtype +
                       R"("}, {"name": "B", "shape": [2, 2], "init": {"fill": 1}, "dtype": ")" +
                       dtype + R"("}], "tasks": [{"inout": ["A", "B"], "kernel": )" + kernel +
                       "}]}");
  };
  const std::string potrf = R"({"name": "potrf", "args": ["A"]})";
  CHECK(messages("int64", potrf) ==
        "tasks[0].kernel: kernel \"potrf\": operand 0 has elements of int64; it divides, so they "
        "must be floating-point or complex ones\n");
  CHECK(messages("bool", R"({"name": "getrf", "args": ["B"]})") ==
        "tasks[0].kernel: kernel \"getrf\": operand 0 has elements of bool; it divides, so they "
        "must be floating-point or complex ones\n");
  for (const char* dtype : {"float16", "bfloat16", "float32", "float64", "complex128"}) {
    CAPTURE(dtype);
    CHECK(messages(dtype, potrf) == "accepted\n");
  }
  const std::string solve = R"({"name": "trsm", "args": ["A", "B"])";
  CHECK(messages("int32", solve + R"(, "unit": 1})") == "accepted\n");
  CHECK(messages("int32", solve + "}").starts_with("tasks[0].kernel: kernel \"trsm\": operand 0"));
}

TEST_CASE("a refused task does not make faults of the tasks that follow it") {
  // C is written by the refused task alone; whoever reads it later is not told that nobody did.
  CHECK(messages_of(with_tasks(R"({"name": "w", "out": ["A_2"], "priority": "high"},
                                  {"in": ["A_2"], "after": ["w"]})")) ==
        "tasks[0].priority: expected an integer from -2147483648 to 2147483647, found \"high\"\n");
  CHECK(messages_of(with_tasks(R"({"out": ["A_3"]}, {"in": ["A_2"]})")) ==
        "tasks[0].out[0]: unknown array \"A_3\"; did you mean \"A_2\"?\n");
  CHECK(messages_of(with_tasks(R"({"out": ["A_2", "A_2[0]"]}, {"in": ["A_2[3]"]})")) ==
        "tasks[0]: written operands A_2 and A_2[0] overlap; what a task writes must be disjoint\n");
}

TEST_CASE("text that is not JSON is refused with line and column") {
  CHECK(messages_of("") == ":1:1: the file is empty\n");
  CHECK(messages_of(" \n\t") == ":2:2: the file is empty\n");
  CHECK(messages_of("{\"a\":\n \"tab\there\"}") ==
        ":2:6: syntax error while parsing value - invalid string: control character U+0009 (HT) "
        "must be escaped to \\u0009 or \\t\n");
  CHECK(messages_of("{\"a\": \"\xff\"}") == ":1:8: the text is not UTF-8 here\n");
  CHECK(messages_of("\xef\xbb\xbf{\"a\": }") ==
        ":1:10: syntax error while parsing value - unexpected '}'; expected '[', '{', or a "
        "literal\n");
}
