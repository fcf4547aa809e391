// Copies of every way that the CUDA backend has (one run of bytes, rows, boxes of rows, a kernel
// for what engines do badly), of megabytes, and across the chunks in which host memory is pinned:
// final bytes are those of sequential execution. Random programs copy kilobytes only.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "exec/cuda/cuda_backend.h"
#include "exec/executor.h"
#include "exec/verify/verification.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::exec::cuda {
namespace {

using Json = nlohmann::json;

struct Slices {
  const char* array;
  Json shape;
  const char* dtype;
  const char* first;   // what tasks on the first device write
  const char* second;  // overlaps it, on the second
};

/// Tasks hash what they read into what they write: on one device, on the other, on the host, and
/// once more, so that each slice goes up, across and down.
core::Program program_of(const std::vector<Slices>& all) {
  Json arrays = Json::array();
  Json tasks = Json::array();
  for (const Slices& slices : all) {
    const std::string name = slices.array;
    arrays.push_back({{"name", name},
                      {"shape", slices.shape},
                      {"dtype", slices.dtype},
                      {"init", {{"random", tasks.size() + 1}}}});
    const std::pair<const char*, const char*> places[] = {{"gpu:0", slices.first},
                                                          {"gpu:1", slices.second},
                                                          {"cpu", slices.first},
                                                          {"gpu:1", slices.first},
                                                          {"gpu:0", slices.second}};
    for (const auto& [place, slice] : places) {
      tasks.push_back({{"name", name + std::to_string(tasks.size())},
                       {"placement", place},
                       {"inout", {name + slice}},
                       {"kernel", {{"name", "hash_mix"}}}});
    }
  }
  const Json file = {{"format", "parley-workload"},
                     {"version", 1},
                     {"name", "copies"},
                     {"arrays", arrays},
                     {"tasks", tasks}};
  auto program = workloads::parse_workload(file.dump(), "copies");
  for (const core::Fault& fault : program.faults()) MESSAGE(fault.where << ": " << fault.what);
  REQUIRE(program);
  return std::move(*program);
}

void check_runs(const core::Program& program, const std::string& gpu_memory) {
  auto machine = workloads::load_machine("h200x2", {"gpu=" + gpu_memory});
  REQUIRE(machine);
  const auto gpus = find_gpus();
  REQUIRE(gpus);
  for (const bool uses_graph : {false, true}) {
    CAPTURE(uses_graph);
    auto backend =
        create_backend({.devices_per_gpu = gpus->size() > 1 ? 1U : 2U, .uses_graph = uses_graph});
    REQUIRE(backend);
    ExecOptions options;
    options.engine.check_invariants = true;
    if (uses_graph) options.engine.window = 0;
    const auto result = execute(program, *machine, options, **backend);
    for (const core::Fault& fault : result.faults()) MESSAGE(fault.where << ": " << fault.what);
    REQUIRE(result);
    CHECK(result->is_finished());
    CHECK(result->run.copies.size() >= 3 * program.array_count());
    const VerificationReport report = verify(program, *result);
    for (const std::string& difference : report.differences) FAIL_CHECK(difference);
    CHECK(report.holds);
  }
}

TEST_CASE("copies of megabytes: runs, rows, boxes, and what engines do badly") {
  check_runs(
      program_of(
          {{"line", {4'000'000}, "float32", "[1000:3900000]", "[2000000:3999999]"},
           {"steps", {4'000'000}, "float32", "[1::2]", "[::3]"},
           {"rows", {1500, 1400}, "float32", "[::2, 100:1300]", "[3:1400, 7:1001]"},
           {"short rows", {300'000, 12}, "float32", "[:, 1:7]", "[5:250000, 3:11]"},
           {"box", {24, 150, 320}, "float64", "[2:23:2, 5:145, 10:310]", "[:, 20:140, 5:300]"},
           {"small box", {6, 40, 160}, "float64", "[1:5, 3:37, 10:150]", "[::2, 1:40:3, 5:150]"},
           {"deep", {5, 6, 50, 400}, "float32", "[1:5, ::2, 2:49, 8:390]", "[:, 1:6, :, 3:380]"}}),
      "256MiB");
}

TEST_CASE("copies across the chunks in which host memory is pinned") {
  // The second array begins before the border of 256 MiB and ends behind it.
  check_runs(program_of({{"before", {62'000'000}, "float32", "[61000000:]", "[61500000:]"},
                         {"rows", {6000, 2000}, "float32", "[:, 5:1995]", "[100:5900, :]"}}),
             "1GiB");
}

}  // namespace
}  // namespace parley::exec::cuda
