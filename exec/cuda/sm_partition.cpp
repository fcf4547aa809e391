#include "exec/cuda/sm_partition.h"

#include <string>

#include "exec/backend.h"

namespace parley::exec::cuda {
namespace {

constexpr unsigned kGreenContexts = 12040;  // the CUDA version that brought them
constexpr unsigned kStreams = 12050;        // and streams of their own

/// A function of the driver, which this program does not link: it is not there without a GPU.
template <class Function>
Function* driver_function(const char* name, unsigned version) {
  void* address = nullptr;
  cudaDriverEntryPointQueryResult found{};
  const cudaError_t status =
      cudaGetDriverEntryPointByVersion(name, &address, version, cudaEnableDefault, &found);
  if (status != cudaSuccess || found != cudaDriverEntryPointSuccess) return nullptr;
  return reinterpret_cast<Function*>(address);
}

CUgreenCtx make_context(CUdevResource& part, CUdevice device) {
  auto* generate = driver_function<decltype(cuDevResourceGenerateDesc)>("cuDevResourceGenerateDesc",
                                                                        kGreenContexts);
  auto* create = driver_function<decltype(cuGreenCtxCreate)>("cuGreenCtxCreate", kGreenContexts);
  CUdevResourceDesc description = nullptr;
  CUgreenCtx context = nullptr;
  if (generate == nullptr || create == nullptr) return nullptr;
  if (generate(&description, &part, 1) != CUDA_SUCCESS) return nullptr;
  if (create(&context, description, device, CU_GREEN_CTX_DEFAULT_STREAM) != CUDA_SUCCESS) {
    return nullptr;
  }
  return context;
}

}  // namespace

std::unique_ptr<SmPartition> SmPartition::create(int ordinal, std::uint32_t reserved) {
  auto* resources =
      driver_function<decltype(cuDeviceGetDevResource)>("cuDeviceGetDevResource", kGreenContexts);
  auto* split = driver_function<decltype(cuDevSmResourceSplitByCount)>(
      "cuDevSmResourceSplitByCount", kGreenContexts);
  if (resources == nullptr || split == nullptr) return nullptr;
  CUdevResource all{};
  CUdevResource part{};
  CUdevResource rest{};
  unsigned groups = 1;
  const CUdevice device = ordinal;
  if (resources(device, &all, CU_DEV_RESOURCE_TYPE_SM) != CUDA_SUCCESS) return nullptr;
  if (split(&part, &groups, &all, &rest, 0, reserved) != CUDA_SUCCESS || groups != 1) {
    return nullptr;
  }
  std::unique_ptr<SmPartition> partition(new SmPartition());
  partition->reserved_ = make_context(part, device);
  partition->rest_ = make_context(rest, device);
  if (partition->reserved_ == nullptr || partition->rest_ == nullptr) return nullptr;
  return partition;
}

SmPartition::~SmPartition() {
  auto* destroy = driver_function<decltype(cuGreenCtxDestroy)>("cuGreenCtxDestroy", kGreenContexts);
  if (destroy == nullptr) return;
  if (reserved_ != nullptr) (void)destroy(reserved_);
  if (rest_ != nullptr) (void)destroy(rest_);
}

cudaStream_t SmPartition::make_stream(bool is_reserved, int priority) const {
  auto* create =
      driver_function<decltype(cuGreenCtxStreamCreate)>("cuGreenCtxStreamCreate", kStreams);
  CUstream stream = nullptr;
  const CUgreenCtx context = is_reserved ? reserved_ : rest_;
  const CUresult status = create == nullptr
                              ? CUDA_ERROR_NOT_FOUND
                              : create(&stream, context, CU_STREAM_NON_BLOCKING, priority);
  if (status == CUDA_SUCCESS) return stream;
  throw EnvironmentFailure("making a stream of a part of a GPU: driver error " +
                           std::to_string(static_cast<int>(status)));
}

}  // namespace parley::exec::cuda
