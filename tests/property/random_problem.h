// Random programs on random small machines under random policies, as drafts: plain lists from which
// anything can be removed, so that a failing problem can be shrunk. A draft is always buildable or
// says why not; builds make explicit programs race-free and reads defined.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "tests/support/adversarial_driver.h"

namespace parley::test {

struct IndexDraft {
  bool is_integer = false;
  std::int64_t start = 0, stop = 0, step = 1;
};
using SliceDraft = std::vector<IndexDraft>;

struct ArrayDraft {
  std::vector<std::int64_t> shape;
  core::DType dtype = core::DType::kFloat64;
  bool is_opaque = false;
  core::Initial::Kind initial = core::Initial::Kind::kRandom;
  std::vector<std::size_t> homes;  // GPUs that hold the array at the start; none: the host
  bool is_at_second_host = false;
  core::AtEnd at_end = core::AtEnd::kAnywhere;
};

struct AccessDraft {
  std::size_t array = 0;
  std::vector<SliceDraft> slices;  // a slice of a slice of ...
  core::AccessMode mode = core::AccessMode::kIn;
  std::uint8_t member = 0;
};

struct PlacementDraft {
  std::vector<std::string> members;
  bool is_group = false;
  std::int64_t scratch_bytes = 0;
  std::int32_t milli_vcus = 1000;
};

struct TaskDraft {
  std::uint32_t number = 0;  // its name, and how others refer to it
  core::TaskKind kind = core::TaskKind::kCompute;
  std::vector<AccessDraft> accesses;
  std::vector<std::uint32_t> after;  // numbers of earlier tasks
  std::vector<PlacementDraft> placement;
  std::string kernel;  // "" is none: hash_mix
  std::int32_t priority = 0;
  bool is_held_back = false;  // released by an event
  bool is_lazy = false;
  bool is_shown = false;
  std::string evict_space;
  bool keep_last = true;
  std::int64_t cost_ns = 0;
};

struct GpuDraft {
  std::size_t node = 0;
  std::int64_t slack = 0;  // bytes beyond the largest working set; negative: some tasks do not fit
};

struct ProblemDraft {
  std::vector<GpuDraft> gpus;
  std::size_t nodes = 1;
  std::int64_t host_slack = 0;
  std::vector<std::pair<std::size_t, std::size_t>> peers;  // ordered pairs of GPUs with a route
  std::vector<ArrayDraft> arrays;
  std::vector<TaskDraft> tasks;
  core::DependencyMode mode = core::DependencyMode::kInferred;
  core::EngineOptions options;
  std::vector<std::size_t> portions;  // numbers of tasks after which more are submitted
  bool is_growing = false;            // the program itself grows with the portions
  bool is_permuted = false;           // explicit only: tasks may name tasks to come
  std::uint64_t permutation = 0;
  bool has_failure = false;
  std::size_t fail_after = 0;
};

/// Everything a driver needs. The program of a growing problem starts empty of tasks.
class Problem {
 public:
  ~Problem();
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;
  [[nodiscard]] const core::Program& program() const { return *program_; }
  [[nodiscard]] const core::Machine& machine() const { return *machine_; }
  /// When the program grows, running the plan extends it. Valid while the problem is.
  AdversarialPlan plan();
  [[nodiscard]] bool is_growing() const { return is_growing_; }

 private:
  friend class ProblemBuilder;
  struct Plan;
  Problem();
  void spawn(std::size_t end);
  void close();

  std::unique_ptr<core::Program> program_;
  std::optional<core::Machine> machine_;
  std::unique_ptr<Plan> plan_;
  std::vector<std::size_t> portions_;
  bool is_growing_ = false;
  bool has_failure_ = false;
  std::size_t fail_after_ = 0;
};

/// Nothing when the draft makes no sense (a shrunk one may not); `why` says so.
std::unique_ptr<Problem> build(const ProblemDraft& draft, std::string& why);

/// The draft numbered `seed`: the same on every machine.
ProblemDraft random_draft(std::uint64_t seed);

/// A readable listing.
std::string text_of(const ProblemDraft& draft);

}  // namespace parley::test
