// A kernel that writes through a bad pointer, on a real GPU: parley ends with exit code 4 and names
// the task, keeps what was finished, and the next process works. Run in a child process, since the
// GPU's context dies with the kernel.
#include <doctest/doctest.h>

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
        {{"name", "C"}, {"shape", {1000}}, {"init", {{"fill", 0}}}}}},
      {"tasks", tasks}};
  return file.dump();
}

int run(const TemporaryFolder& folder, double where, int gpus = 1,
        const std::vector<std::string>& more = {}) {
  const std::string file = folder.file("poke.json", workload(where, gpus));
  std::vector<std::string> words = {
      "exec", file,       "--backend",         "cuda", "--devices", std::to_string(gpus), "--order",
      "fifo", "--window", gpus > 1 ? "8" : "1"};
  if (gpus > 1) {
    words.push_back("--untimed");
  } else {
    words.insert(words.end(),
                 {"--summary", folder.path("s.json"), "--journal", folder.path("j.jsonl")});
  }
  words.insert(words.end(), more.begin(), more.end());
  ChildProcess child(words, folder.path("err"));
  child.read_all();
  return child.wait();
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
  CHECK(has(error, "commands of a CUDA graph; without --graph it is known which"));
  const auto json = nlohmann::json::parse(contents(folder.path("s.json")));
  REQUIRE(json.contains("failed"));
  CHECK(json["failed"][0]["kind"] == "task");
  const Said replayed = parley({"replay", folder.path("j.jsonl")});
  CHECK_MESSAGE(replayed.code == 0, replayed.err);
  CHECK_MESSAGE(run(folder, 0.0, 1, {"--graph"}) == 0, contents(folder.path("err")));
}

/// Child processes see the first GPU alone.
class FirstGpuOnly {
 public:
  FirstGpuOnly() {
    const char* shown = std::getenv(kName);
    was_set_ = shown != nullptr;
    if (was_set_) before_ = shown;
    (void)::setenv(kName, was_set_ ? before_.substr(0, before_.find(',')).c_str() : "0", 1);
  }
  ~FirstGpuOnly() {
    if (was_set_) {
      (void)::setenv(kName, before_.c_str(), 1);
    } else {
      (void)::unsetenv(kName);
    }
  }
  FirstGpuOnly(const FirstGpuOnly&) = delete;
  FirstGpuOnly& operator=(const FirstGpuOnly&) = delete;

 private:
  static constexpr const char* kName = "CUDA_VISIBLE_DEVICES";
  bool was_set_ = false;
  std::string before_;
};

TEST_CASE("a GPU that stands in for two ends the run for both when it fails") {
  const FirstGpuOnly first_gpu_only;
  const TemporaryFolder folder;
  (void)folder.file("poke.cu", kSource);
  const std::vector<std::string> shared = {"--devices-per-gpu", "2"};
  const int code = run(folder, 64.0, 2, shared);  // a hang is found by the time limit of the tests
  const std::string error = contents(folder.path("err"));
  CAPTURE(error);
  CHECK(code == 4);
  CHECK(has(error, "culprit"));
  CHECK_MESSAGE(run(folder, 0.0, 2, shared) == 0, contents(folder.path("err")));
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
    CHECK_MESSAGE(code == 4, contents(folder.path("err")));
  }
  CHECK_MESSAGE(run(folder, 0.0, 2) == 0, contents(folder.path("err")));
}

}  // namespace
}  // namespace parley::cli
