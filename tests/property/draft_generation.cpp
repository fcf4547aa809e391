// random_draft: what is drawn, and how often. Small sizes, as faults of order and overlap need few
// tasks and elements, and small problems run by the thousand.
#include <algorithm>

#include "core/policy/registry.h"
#include "tests/property/draft_plan.h"
#include "tests/property/random_problem.h"
#include "tests/support/chooser.h"

namespace parley::test {
namespace {

using core::AccessMode;
using core::DependencyMode;

class DraftGenerator {
 public:
  explicit DraftGenerator(std::uint64_t seed) : random_(seed * 0x9e3779b97f4a7c15U + 1) {}

  ProblemDraft draft() {
    draw_machine();
    draw_arrays();
    draw_mode();
    draw_tasks();
    draw_options();
    draw_submission();
    return std::move(draft_);
  }

 private:
  std::size_t below(std::size_t n) { return random_.below(n); }
  bool chance(std::size_t percent) { return random_.chance(percent); }
  template <class T>
  const T& one_of(const std::vector<T>& items) {
    return items[below(items.size())];
  }

  void draw_machine() {
    draft_.nodes = chance(20) ? 2 : 1;
    const std::size_t gpus = 1 + below(chance(20) ? 5 : 3);
    const std::size_t kind = below(3);  // tight, some room, plenty
    for (std::size_t g = 0; g < gpus; ++g) {
      GpuDraft gpu;
      gpu.node = below(draft_.nodes);
      if (kind == 1 || chance(20)) gpu.slack = 256 * random_.between(0, 8);
      if (kind == 2) gpu.slack = 1 << 16;
      if (kind == 0 && chance(15)) gpu.slack = -256 * random_.between(1, 3);
      draft_.gpus.push_back(gpu);
    }
    draft_.host_slack = chance(50) ? 0 : 4096;
    const std::size_t density = chance(40) ? 100 : below(101);
    for (std::size_t a = 0; a < gpus; ++a) {
      for (std::size_t b = 0; b < gpus; ++b) {
        if (a != b && chance(density)) draft_.peers.emplace_back(a, b);
      }
    }
  }

  std::int64_t extent() {
    if (chance(4)) return 0;
    return random_.between(1, chance(15) ? 40 : 8);
  }

  void draw_arrays() {
    const std::size_t count = 1 + below(chance(25) ? 5 : 3);
    const bool is_uniform = chance(50);
    for (std::size_t i = 0; i < count; ++i) {
      ArrayDraft array;
      const std::size_t rank = below(10) == 0 ? 0 : 1 + below(3);
      for (std::size_t d = 0; d < rank; ++d) {
        array.shape.push_back(rank == 3 ? std::min<std::int64_t>(extent(), 5) : extent());
      }
      array.dtype = is_uniform ? core::DType::kFloat64
                               : static_cast<core::DType>(below(core::kDTypeNames.size()));
      if (chance(7)) {
        array.is_opaque = true;
        array.shape = {chance(25) ? 0 : random_.between(1, 600)};
        array.dtype = core::DType::kUint8;
      }
      if (chance(20)) array.initial = core::Initial::Kind::kNone;
      if (chance(15)) array.homes.push_back(below(draft_.gpus.size()));
      if (chance(5)) array.homes.push_back(below(draft_.gpus.size()));
      array.is_at_second_host = chance(50);
      if (chance(25)) array.at_end = core::AtEnd::kHome;
      if (chance(10)) array.at_end = core::AtEnd::kDiscard;
      draft_.arrays.push_back(std::move(array));
    }
  }

  void draw_mode() {
    const std::size_t kind = below(10);
    draft_.mode = kind < 6   ? DependencyMode::kInferred
                  : kind < 8 ? DependencyMode::kExplicit
                             : DependencyMode::kBoth;
  }

  IndexDraft index(std::int64_t size) {
    IndexDraft index;
    if (size > 0 && chance(25)) {
      index.is_integer = true;
      index.start = random_.between(-size, size - 1);
      return index;
    }
    index.start = chance(30) ? 0 : random_.between(0, size);
    index.stop = chance(30) ? size : random_.between(index.start, size);
    if (index.stop == index.start && chance(90)) index.stop = std::min(size, index.start + 1);
    index.step = chance(60) ? 1 : random_.between(2, 3);
    if (chance(10)) {  // backwards: ends are given as numpy counts them, from the far side
      std::swap(index.start, index.stop);
      index.start -= 1;
      index.stop -= 1;
      index.step = -index.step;
      if (index.stop < 0) index.stop -= size;
    }
    return index;
  }

  // Slices of the same few sizes, so that regions recur as well as overlap.
  std::vector<SliceDraft> slices(const ArrayDraft& array) {
    std::vector<SliceDraft> chain;
    if (array.is_opaque || array.shape.empty() || chance(30)) return chain;
    if (!known_slices_.empty() && chance(60)) {
      const auto& [known_array, known] = one_of(known_slices_);
      if (known_array == &array - draft_.arrays.data()) return known;
    }
    SliceDraft slice;
    const std::size_t dims = 1 + below(array.shape.size());
    for (std::size_t d = 0; d < dims; ++d) slice.push_back(index(array.shape[d]));
    chain.push_back(slice);
    if (chance(15)) chain.push_back({index(2)});
    known_slices_.emplace_back(&array - draft_.arrays.data(), chain);
    return chain;
  }

  std::vector<PlacementDraft> placement(std::size_t members) {
    std::vector<PlacementDraft> all;
    const std::size_t alternatives = chance(20) ? 2 : 1;
    for (std::size_t i = 0; i < alternatives; ++i) {
      PlacementDraft one;
      if (members == 2) {
        one.is_group = true;
        one.members = {"gpu", "gpu"};
        if (chance(30)) one.members = {"gpu:0", "gpu:1"};
        if (chance(20)) one.members = {"cpu", "gpu"};
      } else if (chance(30)) {
        one.members = {"gpu:" + std::to_string(below(draft_.gpus.size()))};
      } else {
        static const std::vector<std::string> kClasses = {"any", "gpu", "gpu", "cpu"};
        one.members = {one_of(kClasses)};
      }
      if (chance(15)) one.scratch_bytes = random_.between(1, 700);
      if (chance(20)) one.milli_vcus = one_of(std::vector<std::int32_t>{0, 250, 500});
      all.push_back(std::move(one));
    }
    return all;
  }

  AccessMode mode() {
    const std::size_t kind = below(10);
    return kind < 5 ? AccessMode::kIn : kind < 8 ? AccessMode::kInout : AccessMode::kOut;
  }

  TaskDraft task(std::uint32_t number) {
    TaskDraft task;
    task.number = number;
    const std::size_t members = draft_.gpus.size() > 1 && chance(8) ? 2 : 1;
    task.placement = placement(members);
    const std::size_t accesses = chance(4) ? 0 : 1 + below(3);
    for (std::size_t i = 0; i < accesses; ++i) {
      AccessDraft access;
      access.array = below(draft_.arrays.size());
      access.slices = slices(draft_.arrays[access.array]);
      access.mode = mode();
      if (members == 2) access.member = static_cast<std::uint8_t>(below(2));
      task.accesses.push_back(std::move(access));
    }
    if (draft_.mode != DependencyMode::kInferred) {
      while (number > 0 && chance(35))
        task.after.push_back(static_cast<std::uint32_t>(below(number)));
    }
    if (chance(20)) task.priority = static_cast<std::int32_t>(random_.between(-5, 5));
    task.is_held_back = chance(4);
    task.is_lazy = chance(8);
    task.is_shown = chance(8);
    if (chance(10)) task.kernel = "none";
    task.cost_ns = chance(50) ? random_.between(0, 50) : 1000;
    return task;
  }

  TaskDraft eviction(std::uint32_t number) {
    TaskDraft task;
    task.number = number;
    task.kind = core::TaskKind::kEvict;
    AccessDraft access;
    access.array = below(draft_.arrays.size());
    access.slices = slices(draft_.arrays[access.array]);
    task.accesses.push_back(std::move(access));
    task.evict_space = chance(90) ? "gpu" + std::to_string(below(draft_.gpus.size())) : "host";
    task.keep_last = chance(70);
    return task;
  }

  void draw_tasks() {
    const std::size_t count = 1 + below(chance(15) ? 40 : 12);
    for (std::uint32_t i = 0; i < count; ++i) {
      draft_.tasks.push_back(chance(5) ? eviction(i) : task(i));
    }
  }

  std::string policy(core::PolicyKind kind) {
    static const core::PolicyRegistry registry;
    std::vector<const core::PolicyEntry*> entries;
    for (const core::PolicyEntry& entry : registry.entries()) {
      if (entry.kind == kind) entries.push_back(&entry);
    }
    const core::PolicyEntry& chosen = *one_of(entries);
    std::string text = chosen.name;
    char separator = ':';
    for (const core::PolicyParameter& parameter : chosen.info.parameters) {
      if (!chance(25)) continue;
      const double value = chance(50) ? parameter.lowest : parameter.highest;
      if (value > 1e6 || value < -1e6) continue;
      text += separator + parameter.name + "=" + std::to_string(value);
      separator = ',';
    }
    return text;
  }

  void draw_options() {
    static const std::vector<std::uint32_t> kWindows = {1, 1, 2, 3, 4, 8, 0, 0};
    draft_.options.window = one_of(kWindows);
    draft_.options.mapper = policy(core::PolicyKind::kMapper);
    draft_.options.order = policy(core::PolicyKind::kOrder);
    if (draft_.options.order.starts_with("strict")) draft_.options.mapper = "fixed";
    draft_.options.prefetch = policy(core::PolicyKind::kPrefetcher);
    draft_.options.evict = policy(core::PolicyKind::kEvictor);
    draft_.options.source = policy(core::PolicyKind::kSource);
    draft_.options.seed = random_.next() % 1000;
    draft_.options.evict_idle_only = chance(25);
    draft_.options.writes_back_early = chance(25);
    draft_.options.record_states = chance(10);
  }

  void draw_submission() {
    if (chance(25)) {
      for (std::size_t at = below(4); at < draft_.tasks.size(); at += 1 + below(6)) {
        draft_.portions.push_back(at);
      }
      draft_.is_growing = chance(60) && !needs_plan(draft_.options);
    }
    draft_.is_permuted = draft_.mode == DependencyMode::kExplicit && chance(30);
    draft_.permutation = random_.next();
    if (chance(10)) {
      draft_.has_failure = true;
      draft_.fail_after = below(3 * draft_.tasks.size() + 1);
    }
  }

  Random random_;
  ProblemDraft draft_;
  std::vector<std::pair<std::ptrdiff_t, std::vector<SliceDraft>>> known_slices_;
};

}  // namespace

ProblemDraft random_draft(std::uint64_t seed) { return DraftGenerator(seed).draft(); }

}  // namespace parley::test
