// A program: arrays, regions of them, and tasks in submission order. The one interface through
// which workloads are built: the JSON loader, the generators and users' own C++ are its clients.
// Tasks may be added while an engine runs (then only by the thread that drives the engine).
//
// Everything is dense and interned: equal regions, placements, costs and kernels are stored once.
// Dependencies are inferred from accesses at spawn() (read-after-write, write-after-read,
// write-after-write, element by element), or explicit, or both.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/units.h"
#include "core/graph/box.h"
#include "core/graph/dtype.h"
#include "core/graph/factorization.h"
#include "core/graph/kernel.h"
#include "core/graph/placement.h"

namespace parley::core {

enum class AccessMode : std::uint8_t { kIn, kOut, kInout };
constexpr bool reads(AccessMode mode) { return mode != AccessMode::kOut; }
constexpr bool writes(AccessMode mode) { return mode != AccessMode::kIn; }
std::string_view name_of(AccessMode mode);

enum class DependencyMode : std::uint8_t { kInferred, kExplicit, kBoth };
std::string_view name_of(DependencyMode mode);

// ---- arrays ----

enum class AtEnd : std::uint8_t { kAnywhere, kHome, kDiscard };

/// Contents of an array before the first task.
struct Initial {
  enum class Kind : std::uint8_t { kNone, kFill, kValues, kArange, kRandom };
  Kind kind = Kind::kNone;
  std::vector<std::byte> data;  // kFill: one element; kValues: all, row-major
  std::uint64_t seed = 0;       // kRandom: splitmix64 of (seed + element index), see initial_bytes
  double diagonal = 0.0;        // kRandom: added to the elements whose indices are all equal
};

struct ArraySpec {
  std::string name;
  std::vector<std::int64_t> shape;  // [] is one element
  DType dtype = DType::kFloat64;
  bool is_opaque = false;  // "bytes": no element structure, never sliced; dtype uint8
  Initial initial;
  std::vector<std::string> homes = {"host"};  // names of spaces that hold a replica at the start
  AtEnd at_end = AtEnd::kAnywhere;
};

struct Array {
  ArraySpec spec;
  RegionId whole;
  std::int64_t element_bytes = 0;
  Bytes bytes;
};

/// Fills `out` (the array's bytes, row-major) with the initial contents. Requires kind != kNone.
void initial_bytes(const ArraySpec& spec, std::span<std::byte> out);
/// Those of as many elements as `out` holds, from element `first` on (row-major). Requires
/// kind != kNone, and that there are so many.
void initial_elements(const ArraySpec& spec, std::int64_t first, std::span<std::byte> out);

// ---- regions ----

struct Region {
  ArrayId array;
  Bytes bytes;  // of a compact replica
  Box box;
};

/// A region as written: the set of elements and how it is seen.
struct RegionView {
  RegionId region;
  OperandView view;
};

/// An index of one dimension: an integer (drops the dimension) or a slice with optional ends.
struct Slice {
  std::optional<std::int64_t> start, stop, step;
};
using Index = std::variant<std::int64_t, Slice>;

// ---- tasks ----

struct Access {
  RegionId region;
  AccessMode mode = AccessMode::kIn;
  std::uint8_t member = 0;  // which device of a group
  OperandView view;
};

enum class TaskKind : std::uint8_t {
  kCompute,
  kEvict,  // drops the replicas of its one access' region in `evict_space`; takes no time
};

/// What is shown of an array after (or before) a task.
struct Show {
  ArrayId array;
  enum class Values : std::uint8_t { kNone, kStart, kEnd } values = Values::kEnd;
  bool is_print = false;  // the lesson's dictionary instead of the overview
};

/// An expected element or whole value, checked by executing drivers: the text of the region and the
/// exact bytes of its elements, row-major.
struct Expectation {
  RegionId region;
  std::vector<std::byte> bytes;
};

struct TaskSpec {
  std::string name;  // "" = the next free "task[i]"
  TaskKind kind = TaskKind::kCompute;
  std::vector<Access> accesses;
  std::vector<TaskId> after;  // explicit dependencies; may name tasks to come in explicit mode
  Placement placement;        // empty = any device
  Cost cost;
  std::optional<Cost> expected_cost;
  Kernel kernel;
  std::int32_t priority = 0;  // larger is more urgent
  Time release;
  bool is_lazy = false;  // operands are moved only when the task starts
  std::vector<Show> show;
  std::vector<Expectation> expect;
  std::string evict_space;  // kEvict
  bool keep_last = true;    // kEvict: write the last copy back instead of refusing
};

struct Task {
  std::uint64_t name_offset = 0;
  std::uint32_t name_length = 0;
  TaskKind kind = TaskKind::kCompute;
  bool is_lazy = false;
  bool has_extras = false;  // show, expect, evict_space
  std::uint32_t first_access = 0;
  std::uint32_t access_count = 0;
  std::uint64_t first_dependency = 0;
  std::uint32_t timed_dependencies = 0;  // explicit ones, and those through 0-byte arrays: first
  std::uint32_t dependencies = 0;        // all, timed ones first
  PlacementId placement;
  CostId cost;
  CostId expected_cost;  // none = cost
  KernelId kernel;
  std::int32_t priority = 0;
  Time release;
};

/// Rarely used parts of a task.
struct TaskExtras {
  std::vector<Show> show;
  std::vector<Expectation> expect;
  std::string evict_space;
  bool keep_last = true;
};

/// Names tasks of a space: T(1, 2) is "T[1,2]".
class TaskSpace {
 public:
  explicit TaskSpace(std::string name) : name_(std::move(name)) {}
  template <class... Ints>
  [[nodiscard]] std::string operator()(Ints... indices) const {
    std::string text;
    ((text += (text.empty() ? "" : ",") + std::to_string(indices)), ...);
    return name_ + "[" + text + "]";
  }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
};

class Program {
 public:
  explicit Program(std::string name, DependencyMode mode = DependencyMode::kInferred);
  ~Program();
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;

  std::string description;

  /// Fails on a duplicate or empty name, a negative extent, more than Box::kMaxRank dimensions, or
  /// more than 2^50 bytes.
  Result<ArrayId> add_array(ArraySpec spec);
  [[nodiscard]] RegionView whole(ArrayId array) const;
  /// The selection `indices` of `base` (fewer indices than dimensions leave the rest whole).
  /// Integers out of bounds fail; slices clip as in numpy; step 0 fails.
  Result<RegionView> slice(RegionView base, std::span<const Index> indices);

  /// States what the program factorises; used to verify results, never to decide. Fails, changing
  /// nothing, as factorization_faults() says.
  Result<bool> set_factorization(Factorization factorization);
  [[nodiscard]] const std::optional<Factorization>& factorization() const { return factorization_; }

  /// Adds a kernel of the program's own, which the tasks spawned after it may call by its name.
  /// Fails, adding nothing, on a name that is a built-in kernel's or was added before, no
  /// arguments, neither source nor library, a function that is no C name, or a block of no or more
  /// than 1024 threads.
  Result<bool> add_kernel(UserKernel kernel);
  [[nodiscard]] std::size_t user_kernel_count() const { return user_kernels_.size(); }
  [[nodiscard]] const UserKernel& user_kernel(std::size_t index) const {
    return *user_kernels_[index];
  }
  /// The program's own kernel of that name, or null.
  [[nodiscard]] const UserKernel* find_user_kernel(std::string_view name) const;

  /// Adds a task. Fails, adding nothing, on: a duplicate name; two written operands that overlap;
  /// reading elements that nothing wrote (inferred or both); a dependency on a later task (inferred
  /// or both); a member out of range; a kernel whose arguments do not match its signature.
  /// Accesses to the same region (and member) are merged into one with both modes; kernel
  /// arguments are renumbered accordingly.
  Result<TaskId> spawn(TaskSpec spec);
  /// No more tasks. Fails on dependencies on tasks that do not exist and on cycles (named).
  Result<bool> close();
  [[nodiscard]] bool is_closed() const { return is_closed_; }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] DependencyMode mode() const { return mode_; }
  [[nodiscard]] std::size_t array_count() const { return arrays_.size(); }
  [[nodiscard]] std::size_t region_count() const { return regions_.size(); }
  [[nodiscard]] std::size_t task_count() const { return tasks_.size(); }
  [[nodiscard]] std::size_t access_count() const { return accesses_.size(); }
  [[nodiscard]] std::size_t placement_count() const { return placements_.size(); }
  [[nodiscard]] std::size_t kernel_count() const { return kernels_.size(); }
  [[nodiscard]] const Array& array(ArrayId id) const { return arrays_[id]; }
  [[nodiscard]] const Region& region(RegionId id) const { return regions_[id]; }
  [[nodiscard]] const Task& task(TaskId id) const { return tasks_[id]; }
  [[nodiscard]] std::string_view task_name(TaskId id) const;
  [[nodiscard]] std::span<const Access> accesses(TaskId id) const {
    const Task& task = tasks_[id];
    return {accesses_.data() + task.first_access, task.access_count};
  }
  /// Tasks that must have been issued before; explicit ones also finished. Ascending within both
  /// parts.
  [[nodiscard]] std::span<const TaskId> dependencies(TaskId id) const {
    const Task& task = tasks_[id];
    return {dependencies_.data() + task.first_dependency, task.dependencies};
  }
  [[nodiscard]] std::span<const TaskId> timed_dependencies(TaskId id) const {
    return dependencies(id).first(tasks_[id].timed_dependencies);
  }
  [[nodiscard]] const Placement& placement(PlacementId id) const { return placements_[id]; }
  [[nodiscard]] const Cost& cost(CostId id) const { return costs_[id]; }
  [[nodiscard]] const Kernel& kernel(KernelId id) const { return kernels_[id]; }
  [[nodiscard]] const TaskExtras& extras(TaskId id) const;  // empty ones when the task has none
  [[nodiscard]] std::optional<ArrayId> find_array(std::string_view name) const;
  [[nodiscard]] std::optional<TaskId> find_task(std::string_view name) const;
  /// numpy spelling, "A[0:4, 2]"; an index that the view drops is written as an integer.
  [[nodiscard]] std::string region_text(RegionId id, OperandView view = {}) const;
  /// The same for any box of an array's elements.
  [[nodiscard]] std::string box_text(ArrayId id, const Box& box, OperandView view = {}) const;

 private:
  struct Interning;
  bool check_accesses(const TaskSpec& spec, Faults& faults) const;
  void resolve_kernels(TaskSpec& spec) const;
  void check_kernels(const TaskSpec& spec, Faults& faults) const;
  void merge_accesses(TaskSpec& spec) const;
  void store_dependencies(Task& task, std::vector<TaskId> timed, std::vector<TaskId> ordering);

  std::string name_;
  DependencyMode mode_;
  bool is_closed_ = false;
  IdVector<ArrayId, Array> arrays_;
  IdVector<RegionId, Region> regions_;
  IdVector<TaskId, Task> tasks_;
  LongVector<Access> accesses_;
  LongVector<TaskId> dependencies_;
  IdVector<PlacementId, Placement> placements_;
  IdVector<CostId, Cost> costs_;
  IdVector<KernelId, Kernel> kernels_;
  std::string names_;
  std::optional<Factorization> factorization_;
  std::vector<std::unique_ptr<UserKernel>> user_kernels_;  // calls point to their signatures
  std::unique_ptr<Interning> interning_;
};

/// Bytes from one element of a region to the next along each dimension of its box, in a compact
/// replica (is_home_view false) or within the whole array's home slot (true). `out`: rank entries.
void operand_strides(const Program& program, RegionId region, bool is_home_view,
                     std::span<std::int64_t> out);

/// Offset in bytes of a region's first element within its array's home slot.
Bytes home_offset(const Program& program, RegionId region);

}  // namespace parley::core
