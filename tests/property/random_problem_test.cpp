// The property behind everything: whatever the program, machine, policies, window and order of
// completion, a run obeys the rules of tests/support/command_checker.h and ends with the bytes of
// sequential execution.
#include <doctest/doctest.h>

#include <chrono>
#include <map>

#include "core/policy/registry.h"
#include "tests/property/fuzz.h"

namespace parley::test {
namespace {

using Clock = std::chrono::steady_clock;

/// Whether a budget of seconds is spent.
class Budget {
 public:
  explicit Budget(double seconds)
      : end_(Clock::now() +
             std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))) {}
  [[nodiscard]] bool is_spent() const { return Clock::now() >= end_; }

 private:
  Clock::time_point end_;
};

struct Tally {
  std::size_t problems = 0, refused = 0, commands = 0, evictions = 0, failures = 0;
  std::map<std::string, std::size_t> policies;
  std::map<std::uint32_t, std::size_t> windows;

  void note(const ProblemDraft& draft, const Outcome& outcome) {
    ++problems;
    if (!outcome.refusal.empty()) ++refused;
    commands += outcome.result.commands;
    evictions += outcome.result.evictions;
    failures += outcome.result.has_failed ? 1 : 0;
    const core::EngineOptions& options = draft.options;
    for (const std::string* policy :
         {&options.mapper, &options.order, &options.prefetch, &options.evict, &options.source}) {
      ++policies[policy->substr(0, policy->find(':'))];
    }
    ++windows[options.window];
  }
};

TEST_CASE("random problems run as in sequence under every policy, window and order") {
  const Budget budget(fuzz_seconds(10.0) * 0.5);
  const std::uint64_t first = fuzz_seed(1);
  Tally tally;
  for (std::uint64_t seed = first; tally.problems == 0 || !budget.is_spent(); ++seed) {
    const ProblemDraft draft = random_draft(seed);
    const Outcome outcome = play(draft, seed);
    tally.note(draft, outcome);
    if (outcome.has_fault()) {
      FAIL(report(seed, draft, outcome, any_of_orders(seed, 30)));
    }
  }
  MESSAGE(tally.problems, " problems from seed ", first, ", ", tally.commands, " commands, ",
          tally.evictions, " evictions, ", tally.failures, " with a failing command, ",
          tally.refused, " refused");
  // A generator gone astray would make the property hold by saying nothing.
  CHECK(tally.refused * 5 <= tally.problems);
  if (tally.problems < 1000) return;
  CHECK(tally.evictions > tally.problems / 10);
  CHECK(tally.failures > tally.problems / 100);
  const core::PolicyRegistry registry;
  for (const core::PolicyEntry& entry : registry.entries()) {
    CHECK_MESSAGE(tally.policies[entry.name] > 0, entry.name, " was never used");
  }
}

TEST_CASE("random problems on real threads give the bytes of sequential execution") {
  const Budget budget(fuzz_seconds(10.0) * 0.15);
  const std::uint64_t first = fuzz_seed(1);
  std::size_t problems = 0;
  for (std::uint64_t seed = first; problems == 0 || !budget.is_spent(); ++seed) {
    ProblemDraft draft = random_draft(seed);
    draft.has_failure = draft.is_growing = false;
    const Outcome outcome = play_threaded(draft);
    ++problems;
    if (outcome.has_fault()) FAIL(report(seed, draft, outcome, play_threaded));
  }
  MESSAGE(problems, " problems from seed ", first);
}

}  // namespace
}  // namespace parley::test
