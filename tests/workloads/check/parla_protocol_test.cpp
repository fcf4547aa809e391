#include "workloads/check/parla_protocol.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/ids.h"

using namespace parley;
using namespace parley::workloads;
using core::TaskId;

namespace {

constexpr std::size_t kDevices = 3;  // GPU 0, GPU 1, the CPU
constexpr std::size_t kCpu = 2;
constexpr std::array<std::uint32_t, 2> kAll = {0, 1};  // piece 0: the slice; piece 1: the rest

enum class Act : std::uint8_t { kRead, kUpdate, kEvict };

struct Step {
  Act act = Act::kRead;
  bool is_whole = true;
  std::size_t device = 0;
};

ParlaOperand operand(bool is_whole) {
  const std::span<const std::uint32_t> pieces = kAll;
  return {is_whole, core::RegionId(is_whole ? 0 : 1), {}, is_whole ? pieces : pieces.first(1)};
}

/// Runs the steps and returns the number of the first that sees outdated contents, or -1.
/// `reads_first`: an update is a read, then a write (the C++ generation).
int first_stale(const std::vector<Step>& steps, bool reads_first) {
  ParlaArray array(kDevices, kAll.size(), kCpu);
  std::array<TaskId, kAll.size()> right{};
  std::vector<Content*> found;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    const TaskId task(i);
    if (step.act == Act::kEvict) {
      array.evict(step.device, true, task);
      continue;
    }
    const ParlaOperand what = operand(step.is_whole);
    bool is_failed = false;
    if (step.act == Act::kRead || reads_first) {
      is_failed |= array.read(step.device, what, task).is_failed;
    }
    if (step.act == Act::kUpdate) is_failed |= array.write(step.device, what, task).is_failed;
    array.locate(step.device, what, found);
    for (std::size_t p = 0; p < found.size(); ++p) {
      if (is_failed || found[p] == nullptr || found[p]->writer != right[p]) {
        return static_cast<int>(i);
      }
    }
    if (step.act != Act::kUpdate) continue;
    for (std::size_t p = 0; p < found.size(); ++p) {
      *found[p] = {task, Arrival::kWritten, task};
      right[p] = task;
    }
  }
  return -1;
}

/// All sequences of `length` steps out of `alphabet`; returns how many see outdated contents.
std::size_t count_stale(const std::vector<Step>& alphabet, std::size_t length, bool reads_first,
                        std::size_t& sequences) {
  std::vector<std::size_t> digits(length, 0);
  std::size_t stale = 0;
  sequences = 0;
  while (true) {
    std::vector<Step> steps;
    for (const std::size_t digit : digits) steps.push_back(alphabet[digit]);
    stale += first_stale(steps, reads_first) >= 0 ? 1 : 0;
    ++sequences;
    std::size_t d = 0;
    while (d < length && ++digits[d] == alphabet.size()) digits[d++] = 0;
    if (d == length) return stale;
  }
}

constexpr bool kWhole = true, kSlice = false;
constexpr Act kRead = Act::kRead, kUpdate = Act::kUpdate;

}  // namespace

TEST_CASE("whole arrays are coherent: all 7,776 sequences of five reads and updates") {
  std::vector<Step> alphabet;
  for (const Act act : {Act::kRead, Act::kUpdate}) {
    for (std::size_t device = 0; device < kDevices; ++device) {
      alphabet.push_back({act, true, device});
    }
  }
  for (const bool reads_first : {false, true}) {
    std::size_t sequences = 0;
    CHECK(count_stale(alphabet, 5, reads_first, sequences) == 0);
    CHECK(sequences == 7776);
  }
}

TEST_CASE("whole arrays are coherent with evictions: all 4,096 sequences of four") {
  std::vector<Step> alphabet;
  for (std::size_t device = 0; device < kDevices; ++device) {
    alphabet.push_back({Act::kRead, true, device});
    alphabet.push_back({Act::kUpdate, true, device});
    if (device != kCpu) alphabet.push_back({Act::kEvict, true, device});
  }
  for (const bool reads_first : {false, true}) {
    std::size_t sequences = 0;
    CHECK(count_stale(alphabet, 4, reads_first, sequences) == 0);
    CHECK(sequences == 4096);
  }
}

TEST_CASE("the eight sequences that mix slices and the whole go wrong where they are known to") {
  struct Case {
    const char* name;
    std::vector<Step> steps;
    bool is_wrong_in_cpp;  // Parla 0.2 gets all eight wrong
  };
  const std::vector<Case> cases = {
      {"S1", {{kUpdate, kSlice, 0}, {kRead, kSlice, 1}}, true},
      {"S2", {{kRead, kSlice, 0}, {kUpdate, kWhole, kCpu}, {kRead, kSlice, 0}}, true},
      {"S3", {{kRead, kSlice, 0}, {kUpdate, kWhole, kCpu}, {kRead, kWhole, 1}}, true},
      {"S3 on GPU 0", {{kRead, kSlice, 0}, {kUpdate, kWhole, kCpu}, {kRead, kWhole, 0}}, true},
      {"S4", {{kRead, kSlice, 0}, {kUpdate, kSlice, kCpu}, {kRead, kWhole, 1}}, true},
      {"S5", {{kRead, kSlice, 1}, {kUpdate, kSlice, 0}, {kRead, kWhole, kCpu}}, true},
      {"S6",
       {{kUpdate, kWhole, 0}, {kRead, kSlice, 1}, {kUpdate, kWhole, 0}, {kRead, kSlice, 1}},
       true},
      {"S7", {{kRead, kWhole, 0}, {kUpdate, kSlice, 1}, {kRead, kWhole, kCpu}}, false},
      {"S8", {{kUpdate, kSlice, 0}, {kUpdate, kWhole, 0}, {kRead, kWhole, 1}}, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const int last = static_cast<int>(c.steps.size()) - 1;
    CHECK(first_stale(c.steps, false) == last);
    CHECK(first_stale(c.steps, true) == (c.is_wrong_in_cpp ? last : -1));
  }
}

TEST_CASE("a task on the whole between two uses of a slice writes it back") {
  for (const bool reads_first : {false, true}) {
    for (std::size_t device = 0; device < kDevices; ++device) {
      CHECK(first_stale({{kUpdate, kSlice, 0}, {kUpdate, kWhole, device}, {kRead, kSlice, 1}},
                        reads_first) == -1);
    }
  }
}
