// What Parla would do with a workload: a model of its coherence protocol, run over the tasks one
// after another, in which every piece of every buffer carries the task that wrote it. A read that
// finds another writer than the program's meaning prescribes is a stale read.
//
// Modelled are both generations (the Python-only Parla 0.2 of 2023 and the C++ parla-experimental
// of 2025). They share the protocol (parla_protocol.h) and differ in when they apply it: the first
// writes what is "output" or "inout" when it prefetches; the second only reads then, and writes
// "inout" operands when the task starts. Spellings are gone by now, so that A[0], A[0, :] and
// A[0][1] of the same elements are one slice here, which is kinder than Parla is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/graph/program.h"

namespace parley::workloads {

enum class ParlaGeneration : std::uint8_t {
  kPython,        // Parla 0.2
  kCpp,           // parla-experimental, "output" taken as announced like "inout"
  kCppAsItStands  // the same, "output" only read in, as at its head in 2025
};
inline constexpr std::array kParlaGenerations = {ParlaGeneration::kPython, ParlaGeneration::kCpp,
                                                 ParlaGeneration::kCppAsItStands};
std::string_view name_of(ParlaGeneration generation);

enum class ParlaProblem : std::uint8_t {
  kMissingWriteBack,  // a slice is fetched from the owner's copy, but is modified elsewhere
  kStaleSlice,        // a slice that is here was not invalidated by a later write
  kStaleMerge,        // an outdated slice is merged over newer contents of the whole
  kStaleWhole,        // a copy of the whole was not invalidated by a write to a slice
  kOldVersion,        // the whole is fetched from an outdated copy that bears the newest version
  kOverlap,           // slices that overlap, which Parla leaves undefined
  kSilentOutput,      // an "output" that invalidates nothing
  kPrefetchHole,      // the prefetch waits for no task that wrote the contents
  kNeedlessCopy,      // old contents are fetched for a task that only writes
  kFailure,           // Parla raises an error
};
inline constexpr std::size_t kParlaProblems = 10;

/// The problem's name for reports: "stale slice".
std::string_view name_of(ParlaProblem problem);
/// One sentence: why Parla does so, and what to do about it there.
std::string_view explanation_of(ParlaProblem problem);
/// Whether contents that the program does not mean are, or may be, returned.
bool is_wrong_result(ParlaProblem problem);

/// One access of a task in one or more generations.
struct ParlaFinding {
  ParlaProblem problem = ParlaProblem::kStaleSlice;
  core::TaskId task;
  core::RegionId region;
  core::OperandView view;
  std::string device;
  core::Box part;       // some of the elements concerned
  core::TaskId missed;  // the task whose contents it should have seen; none: the initial ones
  core::TaskId found;   // whose contents it sees instead; none: the initial ones
  core::Bytes bytes;    // kNeedlessCopy: fetched
  std::array<bool, 3> generations{};  // by ParlaGeneration
};

struct ParlaReport {
  using Counts = std::array<std::size_t, kParlaProblems>;  // by ParlaProblem

  /// In the order in which the tasks were run; at most kMostFindings of each problem.
  std::vector<ParlaFinding> findings;
  Counts totals{};  // accesses with the problem, in any generation
  std::array<Counts, kParlaGenerations.size()> counts{};  // by ParlaGeneration
  core::Bytes needless_bytes;                             // all needless copies of kCpp

  static constexpr std::size_t kMostFindings = 100;
  [[nodiscard]] std::size_t total(ParlaProblem problem) const {
    return totals[static_cast<std::size_t>(problem)];
  }
  [[nodiscard]] std::size_t count(ParlaGeneration generation, ParlaProblem problem) const {
    return counts[static_cast<std::size_t>(generation)][static_cast<std::size_t>(problem)];
  }
  /// No problem with wrong results.
  [[nodiscard]] bool is_right(ParlaGeneration generation) const;
};

class ParlaWorkload;
ParlaReport run_parla_model(const ParlaWorkload& workload);

/// "T[1] reads A[0] on gpu:1: Parla returns the contents from before T[0]".
std::string finding_text(const core::Program& program, const ParlaFinding& finding);

}  // namespace parley::workloads
