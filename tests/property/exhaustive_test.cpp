// Tiny problems in every order of completion that `after` allows.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/property/draft_plan.h"
#include "tests/property/fuzz.h"
#include "tests/support/adversarial_driver.h"

namespace parley::test {
namespace {

AccessDraft access(core::AccessMode mode, std::int64_t start, std::int64_t stop) {
  return {0, {{{false, start, stop, 1}}}, mode, 0};
}

TaskDraft task(std::uint32_t number, const std::string& device, std::vector<AccessDraft> accesses) {
  TaskDraft task;
  task.number = number;
  task.accesses = std::move(accesses);
  task.placement = {{{device}, false, 0, 1000}};
  return task;
}

/// Two GPUs without a route between them, an array of four elements, room for one working set.
ProblemDraft two_gpus(std::vector<TaskDraft> tasks) {
  ProblemDraft draft;
  draft.gpus = {{0, 0}, {0, 0}};
  ArrayDraft array;
  array.shape = {4};
  draft.arrays = {array};
  draft.tasks = std::move(tasks);
  draft.options.window = 0;
  return draft;
}

struct Case {
  const char* name;
  ProblemDraft draft;
};

std::vector<Case> cases() {
  using core::AccessMode;
  const AccessMode in = AccessMode::kIn, out = AccessMode::kOut, inout = AccessMode::kInout;
  std::vector<Case> all;
  all.push_back(
      {"readers on two GPUs, then a writer at home",
       two_gpus({task(0, "gpu:0", {access(in, 0, 4)}), task(1, "gpu:1", {access(in, 0, 4)}),
                 task(2, "cpu", {access(inout, 0, 4)})})});
  all.push_back({"overlapping writers in turn", two_gpus({task(0, "gpu:0", {access(inout, 0, 3)}),
                                                          task(1, "gpu:1", {access(inout, 1, 4)}),
                                                          task(2, "gpu:0", {access(in, 0, 4)})})});
  all.push_back({"an input overlaps the output of its own task",
                 two_gpus({task(0, "gpu:0", {access(in, 0, 4), access(inout, 1, 3)}),
                           task(1, "cpu", {access(in, 0, 4), access(inout, 2, 4)})})});
  all.push_back(
      {"eviction of the only copy makes room",
       two_gpus({task(0, "gpu:0", {access(out, 0, 2)}), task(1, "gpu:0", {access(out, 2, 4)}),
                 task(2, "gpu:1", {access(in, 0, 4)})})});
  return all;
}

TEST_CASE("tiny problems hold in every order of completion") {
  std::size_t runs = 0;
  for (const Case& one : cases()) {
    CAPTURE(one.name);
    std::string why;
    const auto problem = build(one.draft, why);
    REQUIRE_MESSAGE(problem != nullptr, why);
    const ExhaustiveResult result =
        run_every_order(problem->program(), problem->machine(), one.draft.options, 200000);
    CHECK_MESSAGE(result.last.fault.empty(), result.last.fault, "\n", result.last.history);
    CHECK(result.is_complete);
    runs += result.runs;
  }
  CHECK(runs > 10);
}

TEST_CASE("tiny random problems hold in many orders of completion") {
  std::size_t complete = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    ProblemDraft draft = random_draft(seed);
    draft.tasks.resize(std::min<std::size_t>(draft.tasks.size(), 4));
    draft.portions.clear();
    draft.is_growing = draft.has_failure = false;
    std::string why;
    const auto problem = build(draft, why);
    if (!problem) continue;
    const ExhaustiveResult result = run_every_order(problem->program(), problem->machine(),
                                                    planned_options(draft, *problem), 200);
    if (result.last.fault.starts_with("refused")) continue;  // too little memory on purpose
    CHECK_MESSAGE(result.last.fault.empty(), "seed ", seed, ": ", result.last.fault, "\n",
                  result.last.history);
    complete += result.is_complete ? 1 : 0;
  }
  CHECK(complete > 20);
}

}  // namespace
}  // namespace parley::test
