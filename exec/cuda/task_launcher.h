// Enqueues the work of one task on a stream: its kernel's calls in order, with operands as the
// device sees them. What is looked up by name is looked up once, before the run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/engine/command.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"
#include "exec/cuda/cuda_slabs.h"
#include "exec/cuda/device_kernel.h"
#include "exec/driver/stored_command.h"

namespace parley::exec::cuda {

class TaskLauncher {
 public:
  /// Kernels of the program's tasks that may run on a GPU and have no body there.
  static core::Faults check(const core::Program& program, const DeviceKernelRegistry& kernels);

  /// All must outlive this.
  TaskLauncher(const core::Program& program, const core::Machine& machine,
               const DeviceKernelRegistry& kernels, CudaSlabs& slabs);

  [[nodiscard]] const core::Program& program() const { return *program_; }
  /// A number for all that its launches are made of, apart from addresses: kernels, parameters,
  /// operands, times. Two programs of one number launch the same.
  [[nodiscard]] std::uint64_t fingerprint() const;
  /// Whether the launch is on a device of the host.
  [[nodiscard]] bool runs_on_host(const StoredCommand& command) const {
    return gpu_of(command) < 0;
  }
  /// The GPU of a launch, of a group its first GPU; -1: none of its devices is one.
  [[nodiscard]] int gpu_of(const StoredCommand& command) const;
  /// Pins operands in host memory of a group of the host and a GPU, which works on them in place.
  void pin_host_operands(const StoredCommand& command) const;
  /// Whether the launch is what the rest of a factorisation waits for, and leaves most of a GPU to
  /// others: the factorisation or inversion of a tile, a triangular solve.
  [[nodiscard]] bool is_of_panel(const StoredCommand& command) const {
    return calls_of(command.task, command.alternative).is_of_panel;
  }
  /// Whether any task wants the libraries' handles.
  [[nodiscard]] bool uses_libraries() const { return uses_libraries_; }
  /// The largest workspace that a task of the program asks for, of those of panels or of the
  /// others; `context` has handles.
  [[nodiscard]] std::size_t workspace_bytes(const LaunchContext& context, bool is_of_panel) const;
  /// May be called by several threads at once. Throws EnvironmentFailure.
  void launch(const StoredCommand& command, const LaunchContext& context) const;

 private:
  /// Calls of one kernel with their bodies.
  struct Calls {
    std::vector<std::pair<const core::KernelCall*, const DeviceKernel*>> calls;
    bool spins = false;
    bool is_of_panel = false;
  };

  using Asked = std::set<std::tuple<std::string, std::vector<std::pair<std::string, double>>,
                                    std::vector<std::int64_t>>>;

  void resolve(const core::Kernel& kernel, Calls& calls) const;
  void find_spin_times(const core::Machine& machine);
  [[nodiscard]] const Calls& calls_of(core::TaskId task, std::uint16_t alternative) const;
  [[nodiscard]] DeviceOperand operand(const core::KernelArgument& argument,
                                      const StoredCommand& command,
                                      bool is_home_view = false) const;
  [[nodiscard]] DeviceOperand scratch(std::uint16_t index, const StoredCommand& command) const;
  std::size_t workspace_of(const core::KernelCall& call, const DeviceKernel* kernel,
                           const StoredCommand& command, bool is_home_view,
                           const LaunchContext& context, Asked& asked) const;
  void call(const core::KernelCall& call, const DeviceKernel& kernel, const StoredCommand& command,
            const LaunchContext& context) const;

  const core::Program* program_;
  const core::Machine* machine_;
  const DeviceKernelRegistry* kernels_;
  CudaSlabs* slabs_;
  const DeviceKernel* spin_;
  const DeviceKernel* hash_mix_;
  bool uses_libraries_ = false;
  core::IdVector<core::KernelId, Calls> calls_;
  std::vector<std::vector<Calls>> alternative_calls_;       // by placement, then alternative
  core::IdVector<core::TaskId, std::uint32_t> first_spin_;  // of spins_, one for each alternative
  std::vector<std::uint32_t> spins_;                        // index into spin_calls_; 0: no time
  std::vector<core::KernelCall> spin_calls_;
};

}  // namespace parley::exec::cuda
