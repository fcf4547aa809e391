#include "exec/cuda/stream_values.h"

#include <cuda.h>

#include <algorithm>

#include "exec/backend.h"
#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {
namespace {

/// Functions of the driver, which this program does not link: it is not there without a GPU.
template <class Function>
Function* driver_function(const char* name) {
  constexpr unsigned kVersion = 12000;
  void* address = nullptr;
  cudaDriverEntryPointQueryResult found{};
  const cudaError_t status =
      cudaGetDriverEntryPointByVersion(name, &address, kVersion, cudaEnableDefault, &found);
  if (status != cudaSuccess || found != cudaDriverEntryPointSuccess) {
    (void)cudaGetLastError();
    return nullptr;
  }
  return reinterpret_cast<Function*>(address);
}

using WriteValue = decltype(cuStreamWriteValue32);
using WaitValue = decltype(cuStreamWaitValue32);

WriteValue* write_value() {
  static WriteValue* const kFunction = driver_function<WriteValue>("cuStreamWriteValue32");
  return kFunction;
}

WaitValue* wait_value() {
  static WaitValue* const kFunction = driver_function<WaitValue>("cuStreamWaitValue32");
  return kFunction;
}

CUdeviceptr address_of(const volatile std::uint32_t* value) {
  return reinterpret_cast<std::uintptr_t>(const_cast<const std::uint32_t*>(value));
}

}  // namespace

StreamValues::StreamValues(std::size_t count) {
  if (write_value() == nullptr || wait_value() == nullptr) return;
  void* memory = nullptr;
  check_cuda(cudaHostAlloc(&memory, kApart * count * sizeof(std::uint32_t),
                           cudaHostAllocPortable | cudaHostAllocMapped),
             "allocating marks of streams");
  auto* values = static_cast<std::uint32_t*>(memory);
  std::fill_n(values, kApart * count, 0U);
  values_ = values;
}

StreamValues::~StreamValues() {
  if (values_ == nullptr) return;
  check_released(cudaFreeHost(const_cast<std::uint32_t*>(values_)), "marks of streams");
}

bool StreamValues::enqueue_write(std::size_t index, cudaStream_t stream, std::uint32_t value) {
  if (values_ == nullptr) return false;
  return write_value()(stream, address_of(values_ + index * kApart), value,
                       CU_STREAM_WRITE_VALUE_DEFAULT) == CUDA_SUCCESS;
}

void StreamValues::enqueue_wait(std::size_t index, cudaStream_t stream, std::uint32_t value) const {
  const CUresult status =
      wait_value()(stream, address_of(values_ + index * kApart), value, CU_STREAM_WAIT_VALUE_GEQ);
  if (status != CUDA_SUCCESS) {
    throw EnvironmentFailure("waiting for another stream: error " +
                             std::to_string(static_cast<int>(status)) + " of the driver");
  }
}

}  // namespace parley::exec::cuda
