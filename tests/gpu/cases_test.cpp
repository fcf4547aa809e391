// The workloads of workloads/cases and of the lessons on GPUs: every value that they expect, and
// the final bytes of sequential execution. Where there are fewer GPUs than the four that they are
// written for, each stands in for several.
#include <cuda_runtime_api.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/exec_machine.h"
#include "exec/cuda/cuda_backend.h"
#include "exec/executor.h"
#include "exec/verify/verification.h"
#include "tests/golden/case_file.h"

namespace parley::test {
namespace {

struct Settings {
  std::string mapper;
  std::uint32_t window = 8;
  const char* prefetch = "on_map";
};

class GpuRuns {
 public:
  GpuRuns() {
    constexpr std::uint32_t kWanted = 4;
    int count = 0;
    REQUIRE(cudaGetDeviceCount(&count) == cudaSuccess);
    REQUIRE(count > 0);
    gpus_ = static_cast<std::uint32_t>(count);
    const std::uint32_t per_gpu = (kWanted + gpus_ - 1) / gpus_;
    devices_ = std::max(gpus_, kWanted);
    auto backend = exec::cuda::create_backend({.devices_per_gpu = per_gpu});
    REQUIRE(backend.has_value());
    backend_ = std::move(backend).value();
  }

  /// The machine with at most as many GPUs as there are devices, and memory that every test may
  /// take.
  [[nodiscard]] core::Machine here(const core::Machine& machine) const {
    core::MachineSpec spec = cli::with_first_gpus(machine.spec(), devices_);
    for (core::MemorySpace& space : spec.spaces) {
      space.capacity = std::min(space.capacity, core::Bytes(std::int64_t{512} << 20U));
    }
    auto made = core::Machine::create(std::move(spec));
    REQUIRE(made.has_value());
    return std::move(made).value();
  }

  void run(const core::Program& program, const core::Machine& machine, const Settings& settings) {
    CAPTURE(program.name());
    CAPTURE(settings.mapper);
    exec::ExecOptions options;
    options.engine.mapper = settings.mapper;
    options.engine.window = settings.window;
    options.engine.prefetch = settings.prefetch;
    options.engine.check_invariants = true;
    const auto result = exec::execute(program, machine, options, *backend_);
    if (!result) {
      REQUIRE(!result.faults().empty());
      FAIL_CHECK(result.faults().front().where << ": " << result.faults().front().what);
      return;
    }
    ++runs_;
    CHECK(result->is_finished());
    for (const exec::CommandFailure& failure : result->failures) FAIL_CHECK(failure.cause);
    for (const exec::FailedExpectation& failed : result->failed_expectations) {
      FAIL_CHECK(program.task_name(failed.task) << ": " << program.region_text(failed.region));
    }
    const exec::VerificationReport report = exec::verify(program, *result);
    for (const std::string& difference : report.differences) FAIL_CHECK(difference);
    CHECK(report.holds);
  }

  void report(const std::string& what) const {
    MESSAGE(runs_, " runs of ", what, " for ", devices_, " devices on ", gpus_, " GPUs");
    CHECK(runs_ > 0);
  }

 private:
  std::unique_ptr<exec::Backend> backend_;
  std::uint32_t gpus_ = 0;
  std::uint32_t devices_ = 0;
  std::size_t runs_ = 0;
};

TEST_CASE("every case leaves the values that it expects on GPUs") {
  GpuRuns runs;
  std::vector<std::unique_ptr<CaseFile>> cases;  // the backend knows its last program by address
  std::vector<std::unique_ptr<core::Machine>> machines;
  for (const auto& file : workload_files("cases")) {
    cases.push_back(std::make_unique<CaseFile>(file));
    machines.push_back(std::make_unique<core::Machine>(runs.here(cases.back()->machine())));
    for (const std::string& mapper : cases.back()->mappers()) {
      for (const std::uint32_t window : {1U, 8U}) {
        runs.run(cases.back()->program(), *machines.back(), {mapper, window});
      }
    }
  }
  runs.report("cases");
}

TEST_CASE("every lesson and example leaves the values that it expects on GPUs") {
  GpuRuns runs;
  const core::Machine machine = runs.here(machine_or_fail("h200x4"));
  std::vector<std::unique_ptr<core::Program>> programs;
  for (const char* folder : {"lessons", "examples"}) {
    for (const auto& file : workload_files(folder)) {
      if (file.parent_path().filename() == "user_kernels") continue;  // has a test of its own
      programs.push_back(std::make_unique<core::Program>(load_or_fail(file)));
      for (const char* mapper : {"", "round_robin", "parla"}) {
        runs.run(*programs.back(), machine, {mapper});
      }
    }
  }
  runs.report("lessons and examples");
}

}  // namespace
}  // namespace parley::test
