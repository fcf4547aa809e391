// The mutation check: each deliberate protocol fault of core/engine/mutation.h is switched on, and
// random problems must notice it. A check that has never failed is not trusted; this makes every
// one fail. Skipped unless asked for (tests/mutants.sh), as it takes minutes under sanitizers.
#ifdef PARLEY_FAULTS

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <string>

#include "core/engine/mutation.h"
#include "tests/property/fuzz.h"

namespace parley::test {
namespace {

constexpr std::uint64_t kMostProblems = 100000;

/// Switches a mutation on for as long as this lives.
class Switched {
 public:
  explicit Switched(core::Mutation mutation) { core::set_mutation(mutation); }
  ~Switched() { core::set_mutation(core::Mutation::kNone); }
  Switched(const Switched&) = delete;
  Switched& operator=(const Switched&) = delete;
};

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

TEST_CASE("every deliberate protocol fault is caught by random problems" * doctest::skip()) {
  const std::uint64_t first = fuzz_seed(1);
  std::printf("%-28s %10s  %s\n", "fault", "problems", "caught as");
  for (std::size_t m = 1; m < core::kMutationNames.size(); ++m) {
    const Switched on(static_cast<core::Mutation>(m));
    const std::string name(core::kMutationNames[m]);
    bool is_caught = false;
    for (std::uint64_t i = 0; i < kMostProblems && !is_caught; ++i) {
      const Outcome outcome = play(random_draft(first + i), first + i);
      is_caught = outcome.has_fault();
      if (!is_caught) continue;
      std::printf("%-28s %10llu  %s\n", name.c_str(), static_cast<unsigned long long>(i + 1),
                  first_line(outcome.result.fault).c_str());
      std::fflush(stdout);
    }
    CHECK_MESSAGE(is_caught, name, " survived ", kMostProblems, " problems from seed ", first);
  }
}

}  // namespace
}  // namespace parley::test

#endif  // PARLEY_FAULTS
