// Running the kernel of one task on host memory, wherever its operands lie. Stateless; may be
// called from several threads at once for tasks whose written memory is disjoint.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/graph/program.h"
#include "exec/kernel_registry.h"

namespace parley::exec {

/// Where an operand lies: the address of its region's first element, and the bytes from one element
/// to the next along each dimension of the region's box.
struct OperandMemory {
  std::byte* data = nullptr;
  std::vector<std::int64_t> strides;
};

/// The operand as a kernel sees it: integer indices drop dimensions, negative steps walk backwards.
HostOperand seen_operand(const core::Program& program, core::RegionId region,
                         core::OperandView view, const OperandMemory& memory);

/// What the alternative executes: its own kernel, else the task's.
const core::Kernel& kernel_of(const core::Program& program, core::TaskId task,
                              std::uint16_t alternative);

/// The call that a task without a kernel makes: hash_mix of all its operands, seeded by its name.
core::KernelCall hash_of_all(const core::Program& program, core::TaskId task);
/// The same into a call that was used before: allocates nothing once that has been as large.
void hash_of_all(const core::Program& program, core::TaskId task, core::KernelCall& call);

/// Executes what alternative `alternative` of the task computes; a task without a kernel computes
/// hash_mix of all its operands, seeded by its name. `operands` are by access index, `scratch` has
/// the address of each scratch array of the alternative. Throws std::invalid_argument when a kernel
/// has no host body or its operands' shapes do not fit.
void run_task(const KernelRegistry& registry, const core::Program& program, core::TaskId task,
              std::uint16_t alternative, std::span<const OperandMemory> operands,
              std::span<std::byte* const> scratch);

}  // namespace parley::exec
