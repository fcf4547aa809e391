// The workloads of workloads/cases and of the lessons on GPUs: every value that they expect, and
// the final bytes of sequential execution. What names more GPUs than there are is counted, with the
// engine's reason.
#include <cuda_runtime_api.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
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
    auto backend = exec::cuda::create_backend({});
    REQUIRE(backend.has_value());
    backend_ = std::move(backend).value();
    int count = 0;
    REQUIRE(cudaGetDeviceCount(&count) == cudaSuccess);
    gpus_ = static_cast<std::uint32_t>(count);
  }

  /// The machine without the GPUs that this computer lacks, with memory that every test may take.
  [[nodiscard]] core::Machine here(const core::Machine& machine) const {
    core::MachineSpec spec = cli::with_first_gpus(machine.spec(), gpus_);
    for (core::MemorySpace& space : spec.spaces) {
      space.capacity = std::min(space.capacity, core::Bytes(std::int64_t{512} << 20U));
    }
    auto made = core::Machine::create(std::move(spec));
    REQUIRE(made.has_value());
    return std::move(made).value();
  }

  /// `alternative_of`: which alternatives the expectations are for.
  void run(const core::Program& program, const core::Machine& machine, const Settings& settings,
           const exec::AlternativeOf& alternative_of = {}) {
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
      skip(program, result.faults().front().where + ": " + result.faults().front().what);
      return;
    }
    ++runs_;
    CHECK(result->is_finished());
    for (const exec::CommandFailure& failure : result->failures) FAIL_CHECK(failure.cause);
    check_expectations(program, *result, alternative_of);
    const exec::VerificationReport report = exec::verify(program, *result);
    for (const std::string& difference : report.differences) FAIL_CHECK(difference);
    CHECK(report.holds);
  }

  void report(const std::string& what) const {
    MESSAGE(runs_, " runs of ", what, " on ", gpus_, " GPUs; ", skipped_.size(),
            " workloads skipped");
    for (const auto& [name, reason] : skipped_) MESSAGE("skipped ", name, ": ", reason);
    CHECK(runs_ > 0);
  }

 private:
  /// With fewer GPUs a task may take an alternative that computes something else.
  void check_expectations(const core::Program& program, const exec::ExecResult& result,
                          const exec::AlternativeOf& alternative_of) {
    const bool takes_others =
        gpus_ < 4 && alternative_of &&
        std::ranges::any_of(result.run.tasks, [&](const core::TaskRecord& record) {
          return record.alternative != alternative_of(record.task);
        });
    for (const exec::FailedExpectation& failed : result.failed_expectations) {
      if (takes_others) {
        skip(program, "expected values: tasks take other alternatives here");
        continue;
      }
      FAIL_CHECK(program.task_name(failed.task) << ": " << program.region_text(failed.region));
    }
  }

  /// For want of GPUs; where there are four, a failure of the test.
  void skip(const core::Program& program, const std::string& reason) {
    CHECK_MESSAGE(gpus_ < 4, program.name(), ": ", reason);
    skipped_[std::string(program.name())] = reason;
  }

  std::unique_ptr<exec::Backend> backend_;
  std::uint32_t gpus_ = 0;
  std::size_t runs_ = 0;
  std::map<std::string, std::string> skipped_;  // by workload, why
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
        runs.run(cases.back()->program(), *machines.back(), {mapper, window},
                 [&](core::TaskId task) { return cases.back()->alternative_of(task); });
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
