// The machine of a run for real: what is here, described by a machine file (rates for the policies'
// beliefs, for bounds and predictions) or by defaults, and never with more memory than there is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/units.h"
#include "core/machine/machine.h"

namespace parley::cli {

/// What a run can use.
struct Computer {
  core::Bytes host_memory;  // that programs may still take
  std::int32_t processors = 1;
  std::vector<core::Bytes> gpu_memory;  // free, by GPU that a run may have; host backend: none
  bool is_cuda = false;
  std::string gpus;                   // what the first one is, with its driver
  std::uint32_t devices_per_gpu = 1;  // of gpu_memory, on one real GPU
};

struct MachineRequest {
  std::string name;  // a shipped name or a file; "": by code
  std::optional<std::uint32_t> gpus;
  std::vector<std::string> limits;
  std::optional<std::uint32_t> streams;  // of a GPU; each has workspaces
};

/// GPU memory that is left to libraries and kernels (cuBLAS and cuSOLVER workspaces, code, the
/// driver's own), for every four streams.
inline constexpr core::Bytes kGpuReserve{std::int64_t{2} << 30U};

/// The machine to run on. Requested ones lose the GPUs beyond `gpus`. GPU memory is lowered to what
/// is free less kGpuReserve, host memory to nine tenths of what is free; on the host backend, where
/// all spaces share one memory, the host gets half of it and the virtual GPUs share the other half.
/// Faults: more GPUs than there are, limits, whatever is wrong with the file.
core::Result<core::Machine> choose_machine(const MachineRequest& request, const Computer& computer);

/// The machine to simulate: as the file says, with its first GPUs only where fewer are asked for.
/// Faults: more GPUs than it has, limits, whatever is wrong with the file.
core::Result<core::Machine> described_machine(const MachineRequest& request);

/// The computer as the operating system describes it, without GPUs.
Computer this_computer();

/// The same with its GPUs. Faults as exec::cuda::find_gpus().
core::Result<Computer> computer_with_gpus();

/// `computer` with `count` GPUs for each of its own, with equal parts of its memory; those of one
/// number modulo the computer's are on one GPU. Requires: count is 1 or more.
Computer with_devices_per_gpu(Computer computer, std::uint32_t count);

/// `spec` with its first `count` GPU spaces only, and without what leads nowhere then.
/// Requires: it has at least as many.
core::MachineSpec with_first_gpus(const core::MachineSpec& spec, std::uint32_t count);

}  // namespace parley::cli
