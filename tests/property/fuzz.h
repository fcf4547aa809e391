// Running random problems one after another until one breaks a rule, and shrinking that one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "tests/property/random_problem.h"

namespace parley::test {

/// What became of one problem.
struct Outcome {
  AdversarialResult result;
  std::string refusal;  // not empty: the draft could not be built, or does not fit the machine
  [[nodiscard]] bool has_fault() const { return !result.fault.empty(); }
};

/// Builds and plays a draft in the order that `play_seed` gives. A refusal by the engine counts as
/// a fault unless the draft gave some GPU too little memory on purpose.
Outcome play(const ProblemDraft& draft, std::uint64_t play_seed);

/// The same on real threads, for drafts without failures, portions and growth.
Outcome play_threaded(const ProblemDraft& draft);

/// Takes a refusal by the engine for what it is where the draft gave some GPU too little memory on
/// purpose; otherwise it stays a fault.
void excuse_refusal(const ProblemDraft& draft, Outcome& outcome);

using Player = std::function<Outcome(const ProblemDraft&)>;

/// Removes tasks, accesses, arrays, GPUs and options as long as `player` still finds a fault; tries
/// at most `most_plays`. Greedy.
ProblemDraft shrunk(ProblemDraft draft, const Player& player, std::size_t most_plays);

/// A player that tries several orders, seeds `first` on, and returns the first fault.
Player any_of_orders(std::uint64_t first, std::size_t orders);

/// The message for a failing problem: how to run it again, the shrunken problem and what it broke.
std::string report(std::uint64_t seed, const ProblemDraft& draft, const Outcome& outcome,
                   const Player& player);

/// Seconds to spend, from PARLEY_FUZZ_SECONDS, and the first seed, from PARLEY_FUZZ_SEED.
double fuzz_seconds(double otherwise);
std::uint64_t fuzz_seed(std::uint64_t otherwise);

}  // namespace parley::test
