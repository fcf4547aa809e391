// Which replica each evictor lets go, read off the copies that bring it back; and that belady's
// choice is the offline optimum.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/core/policy/decisions.h"
#include "tests/support/chooser.h"

namespace parley::core::evictors {
namespace {

constexpr AccessMode kIn = AccessMode::kIn, kInout = AccessMode::kInout;
constexpr std::int64_t kMi = 1 << 20;

EngineOptions evicting(const std::string& evict) {
  EngineOptions options;
  options.mapper = "round_robin";
  options.order = "fifo";
  options.prefetch = "none";
  options.evict = evict;
  options.window = 0;
  return options;
}

/// A task for each letter, in turn, that reads the array of that name; capitals also write it.
SmallProgram accesses(const std::string& letters, const std::string& large = "") {
  SmallProgram small;
  std::set<char> known;
  for (const char letter : letters) {
    const char array = static_cast<char>(letter >= 'a' ? letter : letter - 'A' + 'a');
    if (!known.insert(array).second) continue;
    const std::int64_t size = large.find(array) == std::string::npos ? kMi : 2 * kMi;
    small.array(std::string(1, array), size);
  }
  int number = 0;
  for (const char letter : letters) {
    const bool is_written = letter < 'a';
    const char array = static_cast<char>(is_written ? letter - 'A' + 'a' : letter);
    small.task("t" + std::to_string(number++), {{is_written ? kInout : kIn, std::string(1, array)}},
               {"gpu"});
  }
  return small;
}

/// The arrays copied to the GPU, in order, of `slots` MiB; what goes home in brackets.
std::string fetched(const std::string& letters, const std::string& evict, std::int64_t slots = 2,
                    const std::string& large = "") {
  SmallProgram small = accesses(letters, large);
  const std::string copies = small.copies(linked_gpus(1, {}, Bytes(slots * kMi)), evicting(evict));
  std::string text;
  for (std::size_t i = 0; i < copies.size();
       i = copies.find(' ', i) == std::string::npos ? copies.size() : copies.find(' ', i) + 1) {
    const bool is_home = copies.compare(i + 1, 4, ":gpu") == 0;
    text += is_home ? std::string("(") + copies[i] + ")" : std::string(1, copies[i]);
  }
  return text;
}

TEST_CASE("each evictor lets go what it says") {
  // Behind what is there before: of a (used last), b (there longest)...
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"lru", "abcb"},  // abac: b goes for c, and comes back
      {"fifo", "abc"},  // a goes for c: it has been there longest
      {"lfu", "abcb"},  // b was used once, a twice
  };
  for (const auto& [evict, expected] : cases) {
    const std::string& name = evict;
    CAPTURE(name);
    CHECK(fetched("abacb", evict) == expected);
  }
  // Used often, long ago: lru lets it go, lfu does not.
  CHECK(fetched("aaabca", "lru") == "abca");
  CHECK(fetched("aaabca", "lfu") == "abc");
  CHECK(fetched("aaabcb", "lfu") == "abcb");
  // The largest goes although it was used last.
  CHECK(fetched("abcab", "largest_first", 3, "b") == "abcb");
  CHECK(fetched("abcab", "lru", 3, "b") == "abcab");
}

TEST_CASE("cheapest weighs the bytes to move against the time until the next use") {
  // A dirty replica costs twice as much, so that a clean one goes which is needed later.
  CHECK(fetched("aBcba", "cheapest") == "abca");
  CHECK(fetched("Abcab", "cheapest") == "abcb");
  // Dirty and never needed again costs once, and then never; what is clean and needed next, at
  // once.
  CHECK(fetched("Abcb", "cheapest") == "ab(a)c");
  // What is needed far later may cost twice as much.
  CHECK(fetched("Abcbccccccccca", "cheapest") == "ab(a)ca");
}

/// Fetches of the offline optimum (MIN, Belady 1966), counted without any of the engine's code.
std::size_t fewest_fetches(const std::string& letters, std::size_t slots) {
  std::vector<char> held;
  std::size_t fetches = 0;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (std::find(held.begin(), held.end(), letters[i]) != held.end()) continue;
    ++fetches;
    if (held.size() == slots) {
      held.erase(std::max_element(held.begin(), held.end(), [&](char a, char b) {
        return std::min(letters.find(a, i), letters.size()) <
               std::min(letters.find(b, i), letters.size());
      }));
    }
    held.push_back(letters[i]);
  }
  return fetches;
}

TEST_CASE("belady fetches as seldom as the offline optimum, and nobody less often") {
  test::Random random(5);
  for (int i = 0; i < 200; ++i) {
    std::string letters;
    const std::size_t arrays = 3 + random.below(5);
    for (std::size_t n = 10 + random.below(40); n > 0; --n) {
      letters += static_cast<char>('a' + random.below(arrays));
    }
    const auto slots = static_cast<std::int64_t>(1 + random.below(4));
    SmallProgram small = accesses(letters);
    const Machine machine = linked_gpus(1, {}, Bytes(slots * kMi));
    auto plan = std::make_shared<Plan>();
    for (std::size_t t = 0; t < letters.size(); ++t) {
      plan->tasks.push_back({TaskId(t), {*machine.find_device("gpu:0")}, {}});
    }
    EngineOptions options = evicting("belady");
    options.mapper = "fixed";
    options.order = "strict";
    options.plan = plan;
    const auto fetches = [&](const std::string& evict) {
      options.evict = evict;
      const std::string copies = small.copies(machine, options);
      return static_cast<std::size_t>(std::count(copies.begin(), copies.end(), ':'));
    };
    const std::size_t fewest = fewest_fetches(letters, static_cast<std::size_t>(slots));
    CAPTURE(letters);
    CAPTURE(slots);
    CHECK(fetches("belady") == fewest);
    for (const char* other : {"lru", "lfu", "fifo", "largest_first", "next_use", "cheapest"}) {
      CHECK(fetches(other) >= fewest);
    }
  }
}

}  // namespace
}  // namespace parley::core::evictors
