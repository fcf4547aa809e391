// CUDA bodies of kernels by name. Each file exec/cuda/kernels/NAME.cu (or .cpp) defines
//     void register_device_kernel_NAME(DeviceKernelRegistry&)
// and the build lists the files itself. Signatures are core's (core/graph/kernel.h).
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cusolverDn.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "core/graph/box.h"
#include "core/graph/dtype.h"
#include "core/graph/kernel.h"

namespace parley::exec::cuda {

/// An operand as a device kernel sees it: address of its first element (in view order), extents and
/// byte strides of the dimensions kept (a flipped dimension has a negative stride).
struct DeviceOperand {
  std::byte* data = nullptr;  // null while workspaces are being sized
  core::DType dtype = core::DType::kFloat64;
  core::ArgumentMode mode = core::ArgumentMode::kReadWrite;  // as the task declares it
  std::uint32_t rank = 0;
  std::int64_t shape[core::Box::kMaxRank] = {};
  std::int64_t strides[core::Box::kMaxRank] = {};  // bytes

  /// Product of the extents; 1 for no dimension.
  [[nodiscard]] std::int64_t size() const {
    std::int64_t elements = 1;
    for (std::uint32_t dim = 0; dim < rank; ++dim) elements *= shape[dim];
    return elements;
  }
};

/// What a launch may use. Work is enqueued on `stream`, in order, and nothing is waited for.
struct LaunchContext {
  cudaStream_t stream = nullptr;
  cublasHandle_t blas = nullptr;        // bound to `stream`
  cusolverDnHandle_t solver = nullptr;  // bound to `stream`
  std::byte* workspace = nullptr;       // device memory of this stream, 256-byte aligned
  std::size_t workspace_bytes = 0;      // at least what workspace_bytes() asked for
  std::span<std::byte> host_workspace;  // for libraries that want host memory
  int device = 0;                       // CUDA ordinal, current
};

using Operands = std::span<const DeviceOperand>;

struct DeviceKernel {
  /// Enqueues the call. Throws EnvironmentFailure when CUDA refuses.
  std::function<void(const core::KernelCall&, Operands, const LaunchContext&)> launch;
  /// Bytes of device workspace that such a call needs, asked before the run (operands without
  /// addresses; `context` has handles and no workspace); empty: none.
  std::function<std::size_t(const core::KernelCall&, Operands, const LaunchContext&)>
      workspace_bytes = {};
};

class DeviceKernelRegistry {
 public:
  DeviceKernelRegistry();  // all kernels of exec/cuda/kernels
  void add(std::string name, DeviceKernel kernel);
  /// The same, in place of one of that name; pointers to that stay valid and see the new one.
  void replace(std::string name, DeviceKernel kernel);
  [[nodiscard]] const DeviceKernel* find(std::string_view name) const;

 private:
  std::map<std::string, DeviceKernel, std::less<>> kernels_;
};

/// Name and description, in CUDA's own words.
std::string text_of(cudaError_t status);

/// Throws EnvironmentFailure with the library's own words and `what` was being done.
void check_cuda(cudaError_t status, std::string_view what);
void check_blas(cublasStatus_t status, std::string_view what);
void check_solver(cusolverStatus_t status, std::string_view what);

/// A thread that has used a GPU which failed since may be told of that when it turns to another
/// one; a new thread is told of the one that it chooses alone. Waits for its end; what it throws is
/// thrown.
void on_new_thread(const std::function<void()>& calls);

/// For destructors, which cannot throw: the first in a process that could not give something back
/// says so on standard error.
void check_released(cudaError_t status, std::string_view what) noexcept;
void check_released(cublasStatus_t status, std::string_view what) noexcept;
void check_released(cusolverStatus_t status, std::string_view what) noexcept;
/// A GPU has failed, which has been told: it refuses everything, and destructors of this process
/// say nothing more.
void expect_refused_releases() noexcept;

}  // namespace parley::exec::cuda
