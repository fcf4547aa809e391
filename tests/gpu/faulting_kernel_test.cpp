// A kernel that writes through a bad pointer, on a real GPU: parley ends with exit code 4 and names
// the task, keeps what was finished, and the next process works. Run in a child process, since the
// GPU's context dies with the kernel.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "exec/cuda/cuda_backend.h"
#include "tests/cli/child_process.h"
#include "tests/cli/command_line.h"

namespace parley::cli {
namespace {

// The address is beyond every allocation; a bounds check in the hardware's tables finds it.
constexpr const char* kSource = R"(
#include "exec/user_kernel.h"
extern "C" __global__ void poke(parley_operand x, double where) {
  const long long i = parley_thread();
  if (i >= x.size) return;
  double* at = static_cast<double*>(parley_at(&x, i));
  if (where != 0.0) at = reinterpret_cast<double*>(static_cast<long long>(where));
  *at = 1.0;
}
)";

/// On two GPUs what follows the culprit is on the other one, which gets its data by small copies;
/// that one has work of its own, too.
std::string workload(double where, int gpus) {
  nlohmann::json tasks = nlohmann::json::array();
  const auto add = [&](const std::string& name, const std::string& array, double address,
                       int gpu = 0) {
    tasks.push_back({{"name", name},
                     {"placement", "gpu:" + std::to_string(gpu)},
                     {"inout", {array}},
                     {"kernel", {{"name", "poke"}, {"where", address}}},
                     {"cost", {{"flops", 1000}, {"bytes", 8000}}}});
  };
  if (gpus > 1) add("early", "D", 0.0, 1);
  add("good", "A", 0.0);
  add("culprit", "B", where);
  add("victim", "B", 0.0, gpus - 1);
  for (int i = 0; gpus > 1 && i < 40; ++i) add("other " + std::to_string(i), "C", 0.0, 1);
  const nlohmann::json file = {
      {"format", "parley-workload"},
      {"version", 1},
      {"name", "poke"},
      {"kernels",
       {{"poke",
         {{"source", "poke.cu"}, {"arguments", {"inout"}}, {"parameters", {{"where", 0.0}}}}}}},
      {"arrays",
       {{{"name", "A"}, {"shape", {1000}}, {"init", {{"fill", 0}}}},
        {{"name", "B"}, {"shape", {1000}}, {"init", {{"fill", 0}}}},
        {{"name", "C"}, {"shape", {1000}}, {"init", {{"fill", 0}}}},
        {{"name", "D"}, {"shape", {1000}}, {"init", {{"fill", 0}}}}}},
      {"tasks", tasks}};
  return file.dump();
}

int run(const TemporaryFolder& folder, double where, int gpus = 1,
        const std::vector<std::string>& more = {},
        const std::vector<std::string>& environment = {}) {
  const std::string file = folder.file("poke.json", workload(where, gpus));
  std::vector<std::string> words = {"exec",      file,
                                    "--backend", "cuda",
                                    "--devices", std::to_string(gpus),
                                    "--order",   "fifo",
                                    "--window",  gpus > 1 ? "8" : "1",
                                    "--summary", folder.path("s.json")};
  if (gpus > 1) {
    words.push_back("--untimed");
  } else {
    words.insert(words.end(), {"--journal", folder.path("j.jsonl")});
  }
  words.insert(words.end(), more.begin(), more.end());
  ChildProcess child(words, folder.path("err"), environment);
  child.read_all();
  return child.wait();
}

/// By a summary.
bool loses(const nlohmann::json& json, const std::string& region) {
  const auto& lost = json.at("lost");
  return std::find(lost.begin(), lost.end(), region) != lost.end();
}

TEST_CASE("a kernel that faults on a GPU is named, and the run ends with exit code 4") {
  const TemporaryFolder folder;
  (void)folder.file("poke.cu", kSource);
  const int code = run(folder, 64.0);
  const std::string error = contents(folder.path("err"));
  CAPTURE(error);
  CHECK(code == 4);
  CHECK(has(error, "\"culprit\""));
  const auto json = nlohmann::json::parse(contents(folder.path("s.json")));
  REQUIRE(json.contains("failed"));
  CHECK(json["failed"][0]["task"] == "culprit");
  CHECK(json["tasks_finished"] == 1);
  // "good" left its array on the GPU that is gone; what the host has is old.
  CHECK(json["lost"] == nlohmann::json({"A[0:1000]", "B[0:1000]"}));
  CHECK(json["final"].contains("C"));
  CHECK(!has(error, "could not be read"));
  const Said replayed = parley({"replay", folder.path("j.jsonl")});
  CHECK_MESSAGE(replayed.code == 0, replayed.err);
  CHECK_MESSAGE(run(folder, 0.0) == 0, contents(folder.path("err")));  // nothing is left behind
}

TEST_CASE("a kernel that faults in a CUDA graph ends the run, and the files are whole") {
  const TemporaryFolder folder;
  (void)folder.file("poke.cu", kSource);
  const int code = run(folder, 64.0, 1, {"--graph"});
  const std::string error = contents(folder.path("err"));
  CAPTURE(error);
  CHECK(code == 4);
  CHECK(has(error, "commands of a CUDA graph (task"));
  CHECK(has(error, "; without --graph it is known which"));
  CHECK(!has(error, "could not be read"));
  const auto json = nlohmann::json::parse(contents(folder.path("s.json")));
  REQUIRE(json.contains("failed"));
  CHECK(loses(json, "B[0:1000]"));
  CHECK(has(error, "culprit"));
  const Said replayed = parley({"replay", folder.path("j.jsonl")});
  CHECK_MESSAGE(replayed.code == 0, replayed.err);
  CHECK_MESSAGE(run(folder, 0.0, 1, {"--graph"}) == 0, contents(folder.path("err")));
}

/// A task of the host that throws, with one that follows it, and a chain of its own beside them.
std::string host_failure() {
  const auto step = [](const std::string& name, const std::string& array, const char* place,
                       const nlohmann::json& kernel) {
    return nlohmann::json{
        {"name", name}, {"placement", place}, {"inout", {array}}, {"kernel", kernel}};
  };
  const nlohmann::json add = {{"name", "add_scalar"}, {"value", 1.0}};
  const nlohmann::json file = {
      {"format", "parley-workload"},
      {"version", 1},
      {"name", "host failure"},
      {"kernels",
       {{"throws", {{"library", PARLEY_USER_KERNELS "/faulty.so"}, {"arguments", {"inout"}}}}}},
      {"arrays",
       {{{"name", "A"}, {"shape", {1000}}, {"init", {{"fill", 0}}}},
        {{"name", "B"}, {"shape", {1000}}, {"init", {{"fill", 0}}}}}},
      {"tasks",
       {step("before", "A", "gpu:0", add), step("culprit", "A", "cpu", {{"name", "throws"}}),
        step("after", "A", "gpu:0", add), step("one", "B", "gpu:0", add),
        step("two", "B", "cpu", add), step("three", "B", "gpu:0", add)}}};
  return file.dump();
}

TEST_CASE("a task of the host that fails in a CUDA graph leaves what does not follow it") {
  const TemporaryFolder folder;
  const std::string file = folder.file("w.json", host_failure());
  for (const bool is_graph : {true, false}) {
    CAPTURE(is_graph);
    std::vector<std::string> words = {"exec",      file, "--backend", "cuda",
                                      "--devices", "1",  "--order",   "fifo",
                                      "--window",  "64", "--summary", folder.path("s.json")};
    if (is_graph) words.push_back("--graph");
    ChildProcess child(words, folder.path("err"));
    child.read_all();
    CHECK(child.wait() == 4);
    CHECK(has(contents(folder.path("err")), "task \"culprit\" (kernel throws) on"));
    const auto json = nlohmann::json::parse(contents(folder.path("s.json")));
    REQUIRE(json.contains("failed"));
    CHECK(json["failed"].size() == 1);
    CHECK(json["lost"] == nlohmann::json({"A[0:1000]"}));
    CHECK(json["cancelled"].get<int>() >= 1);
    if (is_graph) CHECK(json["tasks_finished"] == 4);  // one graph
    CHECK(!json["final"].contains("A"));
    CHECK(json["final"].contains("B"));
  }
}

TEST_CASE("a GPU that stands in for two ends the run for both when it fails") {
  const char* shown = std::getenv("CUDA_VISIBLE_DEVICES");
  const std::string gpus = shown == nullptr ? "0" : shown;
  const std::vector<std::string> first_gpu = {"CUDA_VISIBLE_DEVICES=" +
                                              gpus.substr(0, gpus.find(','))};
  const TemporaryFolder folder;
  (void)folder.file("poke.cu", kSource);
  const std::vector<std::string> shared = {"--devices-per-gpu", "2"};
  // A hang is found by the time limit of the tests.
  const int code = run(folder, 64.0, 2, shared, first_gpu);
  const std::string error = contents(folder.path("err"));
  CAPTURE(error);
  CHECK(code == 4);
  CHECK(has(error, "culprit"));
  CHECK(has(error, "(one of several on CUDA device 0, each of which may be the cause)"));
  const auto json = nlohmann::json::parse(contents(folder.path("s.json")));
  REQUIRE(json.contains("failed"));
  CHECK(loses(json, "B[0:1000]"));
  CHECK(!has(error, "could not be read"));
  CHECK_MESSAGE(run(folder, 0.0, 2, shared, first_gpu) == 0, contents(folder.path("err")));
}

TEST_CASE("a GPU that waits for one that failed ends, too") {
  const auto gpus = exec::cuda::find_gpus();
  if (!gpus || gpus->size() < 2) {
    MESSAGE("skipped: needs two GPUs");
    return;
  }
  const TemporaryFolder folder;
  (void)folder.file("poke.cu", kSource);
  for (int i = 0; i < 3; ++i) {
    const int code = run(folder, 64.0, 2);  // a hang is found by the time limit of the tests
    const std::string error = contents(folder.path("err"));
    CAPTURE(error);
    CHECK(code == 4);
    const auto json = nlohmann::json::parse(contents(folder.path("s.json")));
    CHECK(loses(json, "B[0:1000]"));
    CHECK(json["final"].contains("D"));  // is on the GPU that did not fail
    CHECK(!has(error, "could not be read"));
  }
  CHECK_MESSAGE(run(folder, 0.0, 2) == 0, contents(folder.path("err")));
}

}  // namespace
}  // namespace parley::cli
