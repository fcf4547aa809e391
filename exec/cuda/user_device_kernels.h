// Kernels of a program's own on GPUs: CUDA sources compiled before the run, and launchers of shared
// objects.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/graph/program.h"
#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {

/// Compiles the CUDA sources that the program's kernels name, for the current device, and opens
/// their shared objects for launchers; adds (or replaces) the bodies. A kernel without either gets
/// none. All devices of a run must be of one kind. Faults: a file that is missing, what the
/// compiler says, a function that is not there or does not take the operands and parameters.
core::Faults add_user_kernels(const core::Program& program, DeviceKernelRegistry& registry);

/// Machine code of a CUDA source for an architecture such as "sm_90"; needs no GPU.
/// Faults: the file is missing; the compiler's log.
core::Result<std::vector<char>> compile_cuda(const std::string& where, const std::string& path,
                                             const std::string& architecture);

}  // namespace parley::exec::cuda
