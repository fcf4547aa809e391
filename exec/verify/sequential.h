// The meaning of a program: its tasks executed one after another on whole arrays in host memory, in
// submission order or, with explicit dependencies, in a topological order. Every driver, policy and
// window must give exactly these bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/graph/program.h"
#include "exec/kernel_registry.h"

namespace parley::exec {

/// The order in which tasks are executed: by id, or topological with the lowest id first.
/// Requires: no cycle.
std::vector<core::TaskId> sequential_order(const core::Program& program);

/// A task's kernel failed when it was executed once more: `task "t": kernel k returned 7`.
class SequentialFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Whole arrays, row-major, and the effect of tasks on them. Arrays without initial contents start
/// as a pattern of kUndefined. The program may grow while this exists.
class SequentialExecution {
 public:
  static constexpr std::byte kUndefined{0xd7};

  SequentialExecution(const core::Program& program, const KernelRegistry& registry);

  /// Executes one task; evictions do nothing. `observe`, if given, sees the compact bytes of each
  /// operand (in order of elements, as before the task; of one that is only written, undefined).
  using Observer = std::function<void(std::size_t access, std::span<const std::byte>)>;
  void run(core::TaskId task, std::uint16_t alternative = 0, const Observer& observe = {});

  [[nodiscard]] std::span<const std::byte> array(core::ArrayId array) const {
    return arrays_[array];
  }
  /// The region's elements, row-major without gaps.
  [[nodiscard]] std::vector<std::byte> elements(core::RegionId region) const;

 private:
  [[nodiscard]] std::byte* first_element(core::RegionId region);

  const core::Program* program_;
  const KernelRegistry* registry_;
  core::IdVector<core::ArrayId, std::vector<std::byte>> arrays_;
};

/// Contents of an array asked for by a task's `show`.
struct ShownValues {
  core::TaskId task;
  core::ArrayId array;
  bool is_print = false;
  std::vector<std::byte> bytes;
};

/// An `expect` that does not hold after its task.
struct FailedExpectation {
  core::TaskId task;
  core::RegionId region;
  std::vector<std::byte> expected, found;
};

struct SequentialResult {
  core::IdVector<core::ArrayId, std::vector<std::byte>> arrays;  // final contents
  std::vector<ShownValues> shown;                                // in order of execution
  std::vector<FailedExpectation> failed;
};

/// Which of its alternatives each task takes; alternatives may have kernels of their own.
using AlternativeOf = std::function<std::uint16_t(core::TaskId)>;

/// Executes the whole program. Without `alternative_of` every task takes its first alternative.
SequentialResult execute_sequentially(const core::Program& program, const KernelRegistry& registry,
                                      const AlternativeOf& alternative_of = {});

/// Element number `element` (row-major) of both, as "A[1, 2]: found bytes 00 01, expected 00 00".
/// Requires: both are whole arrays.
std::string difference_text(const core::Program& program, core::ArrayId array, std::size_t element,
                            std::span<const std::byte> expected, std::span<const std::byte> found);

/// "A[1, 2]": that element of the array.
std::string element_text(const core::Program& program, core::ArrayId array, std::size_t element);

/// The first element in which `found` differs from `expected`, as
/// "A[1, 2]: found bytes 00 01, expected 00 00"; nothing when there is none.
std::optional<std::string> first_difference(const core::Program& program, core::ArrayId array,
                                            std::span<const std::byte> expected,
                                            std::span<const std::byte> found);

}  // namespace parley::exec
