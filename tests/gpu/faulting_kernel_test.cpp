// A kernel that writes through a bad pointer, on a real GPU: parley ends with exit code 4 and names
// the task, keeps what was finished, and the next process works. Run in a child process, since the
// GPU's context dies with the kernel.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

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

std::string workload(double where) {
  nlohmann::json tasks = nlohmann::json::array();
  const auto add = [&](const std::string& name, const std::string& array, double address) {
    tasks.push_back({{"name", name},
                     {"placement", "gpu:0"},
                     {"inout", {array}},
                     {"kernel", {{"name", "poke"}, {"where", address}}},
                     {"cost", {{"flops", 1000}, {"bytes", 8000}}}});
  };
  add("good", "A", 0.0);
  add("culprit", "B", where);
  add("victim", "B", 0.0);
  const nlohmann::json file = {
      {"format", "parley-workload"},
      {"version", 1},
      {"name", "poke"},
      {"kernels",
       {{"poke",
         {{"source", "poke.cu"}, {"arguments", {"inout"}}, {"parameters", {{"where", 0.0}}}}}}},
      {"arrays",
       {{{"name", "A"}, {"shape", {1000}}, {"init", {{"fill", 0}}}},
        {{"name", "B"}, {"shape", {1000}}, {"init", {{"fill", 0}}}}}},
      {"tasks", tasks}};
  return file.dump();
}

int run(const TemporaryFolder& folder, double where) {
  const std::string file = folder.file("poke.json", workload(where));
  ChildProcess child(
      {"exec", file, "--backend", "cuda", "--devices", "1", "--window", "1", "--order", "fifo",
       "--summary", folder.path("s.json"), "--journal", folder.path("j.jsonl")},
      folder.path("err"));
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

}  // namespace
}  // namespace parley::cli
