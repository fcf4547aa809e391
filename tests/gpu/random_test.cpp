// Random programs on GPUs, a thousand of them in one process (PARLEY_GPU_PROBLEMS changes that),
// with memory down to one working set, under all policies and windows; every byte, every account
// and a replay of the journal are checked (tests/property/executed_problem.h).
#include <cuda_runtime_api.h>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "exec/cuda/cuda_backend.h"
#include "tests/property/draft_plan.h"
#include "tests/property/executed_draft.h"
#include "tests/property/executed_problem.h"

namespace parley::test {
namespace {

using Clock = std::chrono::steady_clock;

std::size_t gpu_count() {
  int count = 0;
  REQUIRE(cudaGetDeviceCount(&count) == cudaSuccess);
  return static_cast<std::size_t>(count);
}

std::size_t problems_wanted() {
  const char* text = std::getenv("PARLEY_GPU_PROBLEMS");
  return text == nullptr || *text == '\0' ? 1000 : std::stoull(text);
}

/// A backend that has served many problems, and the last one, which it may still know by address.
class Bench {
 public:
  explicit Bench(const exec::cuda::CudaOptions& options) {
    auto backend = exec::cuda::create_backend(options);
    REQUIRE(backend.has_value());
    backend_ = std::move(backend).value();
  }

  Outcome play(const ProblemDraft& draft, bool is_timed, std::size_t runs, ExecutedTally& tally) {
    Outcome outcome;
    ++tally.problems;
    try {
      std::unique_ptr<Problem> problem = build(draft, outcome.refusal);
      for (std::size_t i = 0; problem && i < runs; ++i) {
        run_executed(*problem, planned_options(draft, *problem), *backend_, is_timed, tally);
      }
      if (problem) last_ = std::move(problem);
    } catch (const std::exception& broken) {
      outcome.result.fault = broken.what();
    }
    excuse_refusal(draft, outcome);
    if (!outcome.refusal.empty()) ++tally.refused;
    return outcome;
  }

 private:
  std::unique_ptr<Problem> last_;  // outlives what the backend keeps of it
  std::unique_ptr<exec::Backend> backend_;
};

/// One in ten problems is captured in a graph and replayed; there nothing may wait for a release.
constexpr std::uint64_t kGraphEvery = 10;

/// Two in five problems, timed ones and others, may use twice as many devices as there are GPUs.
std::uint32_t devices_per_gpu(std::uint64_t seed) { return seed % 5 < 2 ? 2 : 1; }

ProblemDraft draft_of(std::uint64_t seed, std::size_t gpus) {
  ProblemDraft draft = fitted(executable(random_draft(seed)), gpus * devices_per_gpu(seed));
  if (seed % kGraphEvery != 0) return draft;
  for (TaskDraft& task : draft.tasks) task.is_held_back = false;
  return draft;
}

class Benches {
 public:
  Outcome play(std::uint64_t seed, const ProblemDraft& draft, ExecutedTally& tally) {
    const bool uses_graph = seed % kGraphEvery == 0;
    const auto streams = static_cast<std::uint32_t>(1 + seed % 8);
    const std::uint32_t per_gpu = devices_per_gpu(seed);
    std::unique_ptr<Bench>& bench = benches_[{uses_graph ? 0 : streams, per_gpu}];
    if (!bench) {
      bench = std::make_unique<Bench>(exec::cuda::CudaOptions{
          .compute_streams = streams, .devices_per_gpu = per_gpu, .uses_graph = uses_graph});
    }
    return bench->play(draft, !uses_graph && seed % 3 != 0, uses_graph ? 2 : 1, tally);
  }

 private:
  // By streams (0: graphs) and devices of a GPU.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::unique_ptr<Bench>> benches_;
};

TEST_CASE("random programs on GPUs leave the bytes of sequential execution") {
  const std::size_t gpus = gpu_count();
  const std::size_t wanted = problems_wanted();
  const std::uint64_t first = fuzz_seed(1);
  Benches benches;
  ExecutedTally tally;
  const auto start = Clock::now();
  for (std::uint64_t seed = first; seed < first + wanted; ++seed) {
    const ProblemDraft draft = draft_of(seed, gpus);
    const Outcome outcome = benches.play(seed, draft, tally);
    if (!outcome.has_fault()) continue;
    const Player player = [&](const ProblemDraft& some) {
      ExecutedTally ignored;
      Outcome again;
      for (int i = 0; i < 5 && !again.has_fault(); ++i) again = benches.play(seed, some, ignored);
      return again;
    };
    FAIL(report(seed, draft, outcome, player));
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  MESSAGE(tally.problems, " problems on ", gpus, " GPUs in ", seconds, " s (",
          static_cast<double>(tally.problems) / seconds, " a second): ", tally.commands,
          " commands, ", tally.copies, " of them copies, ", tally.evictions, " evictions, ",
          tally.shown, " arrays shown, ", tally.refused, " refused");
  CHECK(tally.failed == 0);
  CHECK(tally.refused * 4 <= tally.problems);
  if (tally.problems < 500) return;
  CHECK(tally.evictions > tally.problems / 20);
  CHECK(tally.copies > tally.problems / 2);
}

TEST_CASE("a graph refuses a program that waits for a time") {
  ProblemDraft draft = draft_of(1, 1);
  draft.tasks.front().is_held_back = true;
  std::string why;
  const std::unique_ptr<Problem> problem = build(draft, why);
  REQUIRE_MESSAGE(problem != nullptr, why);
  auto backend = exec::cuda::create_backend({.uses_graph = true});
  REQUIRE(backend.has_value());
  const core::Faults faults = (*backend)->check(problem->program(), problem->machine());
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].what == "has a release time, for which a CUDA graph cannot wait");
}

}  // namespace
}  // namespace parley::test
