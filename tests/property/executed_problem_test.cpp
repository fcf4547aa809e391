// Random programs run for real on the host backend, with delays and with failures.
#include "tests/property/executed_problem.h"

#include <doctest/doctest.h>

#include <chrono>

#include "tests/property/executed_draft.h"

namespace parley::test {
namespace {

using Clock = std::chrono::steady_clock;

/// Undisturbed commands take their time, others wait, and one may fail: in a third of the cases the
/// memory of the first GPU is gone then.
exec::HostOptions options_of(std::uint64_t seed, const ProblemDraft& draft, bool is_failing) {
  exec::HostOptions options = {.spins_for_cost = false,
                               .injector = disturbance(seed, draft, is_failing)};
  if (is_failing && seed % 3 == 0) options.lost_by_failure = {core::SpaceId(1)};
  return options;
}

/// Runs problems until `seconds` have passed, at least one.
ExecutedTally run_problems(double seconds, bool is_failing) {
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(seconds));
  const std::uint64_t first = fuzz_seed(1);
  ExecutedTally tally;
  for (std::uint64_t seed = first; tally.problems == 0 || Clock::now() < end; ++seed) {
    const ProblemDraft draft = executable(random_draft(seed));
    const Player player = [&](const ProblemDraft& some) {
      const auto backend = exec::create_host_backend(options_of(seed, some, is_failing));
      ExecutedTally ignored;
      return play_executed(some, *backend, seed % 4 != 0, ignored);
    };
    const auto backend = exec::create_host_backend(options_of(seed, draft, is_failing));
    const Outcome outcome = play_executed(draft, *backend, seed % 4 != 0, tally);
    if (outcome.has_fault()) FAIL(report(seed, draft, outcome, player));
  }
  MESSAGE(tally.problems, " problems from seed ", first, ", ", tally.commands, " commands, ",
          tally.copies, " of them copies, ", tally.evictions, " evictions, ", tally.shown,
          " arrays shown, ", tally.refused, " refused; ", tally.failed, " commands failed, ",
          tally.cancelled, " were cancelled, ", tally.lost_elements, " elements lost, ",
          tally.intact_elements, " kept");
  // A generator gone astray would make the property hold by saying nothing.
  CHECK(tally.refused * 4 <= tally.problems);
  return tally;
}

TEST_CASE("random programs on the host backend, on real threads, with delays") {
  const ExecutedTally tally = run_problems(fuzz_seconds(10.0) * 0.2, false);
  CHECK(tally.failed == 0);
  if (tally.problems < 200) return;
  CHECK(tally.evictions > tally.problems / 10);
  CHECK(tally.copies > tally.problems);
  CHECK(tally.shown > 0);
}

TEST_CASE("random programs on the host backend, on real threads, with a failing command") {
  const ExecutedTally tally = run_problems(fuzz_seconds(10.0) * 0.15, true);
  if (tally.problems < 200) return;
  CHECK(tally.failed > tally.problems / 4);
  CHECK(tally.cancelled > tally.problems / 10);
  CHECK(tally.lost_elements > 0);
  CHECK(tally.gone_elements > 0);
  CHECK(tally.intact_elements > tally.lost_elements / 10);
}

TEST_CASE("random programs fit machines of one, two and four GPUs, on real threads") {
  for (const std::size_t gpus : {1U, 2U, 4U}) {
    const auto backend = exec::create_host_backend({.spins_for_cost = false});
    ExecutedTally tally;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      const ProblemDraft draft = fitted(executable(random_draft(seed)), gpus);
      const Outcome outcome = play_executed(draft, *backend, true, tally);
      CHECK_MESSAGE(!outcome.has_fault(), "seed ", seed, ": ", outcome.result.fault);
    }
    CAPTURE(gpus);
    CHECK(tally.refused * 4 <= tally.problems);
    CHECK(tally.copies > 0);
  }
}

}  // namespace
}  // namespace parley::test
