// Performs one command on host memory: copies as memcpy, kernels on the CPU. Used by the host
// backend for all commands, and by the CUDA backend for those of the host. Stateless apart from
// what it refers to; several threads may perform commands at once.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "core/base/ids.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "exec/driver/stored_command.h"
#include "exec/kernel_registry.h"
#include "exec/task_kernel.h"

namespace parley::exec {

/// The address of a byte of a space's slab.
using SlabAddress = std::function<std::byte*(core::SpaceId space, std::int64_t offset)>;

/// The cause of a failure when a kernel of a user throws what says nothing of itself.
inline constexpr const char* kThrewAnything = "threw what is not a std::exception";

class HostPerformer {
 public:
  /// All must outlive this. `spins_for_cost`: as HostOptions.
  HostPerformer(const core::Program& program, const core::Machine& machine,
                const KernelRegistry& kernels, SlabAddress address, bool spins_for_cost);

  /// Throws whatever the kernel throws.
  void perform(const StoredCommand& command) const;

 private:
  void copy(const StoredCommand& command, const StoredPart& part) const;
  void launch(const StoredCommand& command) const;
  [[nodiscard]] core::Duration spin_of(const StoredCommand& command) const;
  [[nodiscard]] std::vector<OperandMemory> operands(const StoredCommand& command) const;
  [[nodiscard]] std::vector<std::byte*> scratch(const StoredCommand& command) const;

  const core::Program* program_;
  const core::Machine* machine_;
  const KernelRegistry* kernels_;
  SlabAddress address_;
  bool spins_for_cost_;
};

}  // namespace parley::exec
