#include "exec/cuda/stream_marks.h"

#include <cuda.h>

#include <algorithm>

#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {
namespace {

using WriteValue = decltype(cuStreamWriteValue32);

/// A function of the driver, which this program does not link: it is not there without a GPU.
WriteValue* write_value() {
  constexpr unsigned kVersion = 12000;
  void* address = nullptr;
  cudaDriverEntryPointQueryResult found{};
  const cudaError_t status = cudaGetDriverEntryPointByVersion("cuStreamWriteValue32", &address,
                                                              kVersion, cudaEnableDefault, &found);
  if (status != cudaSuccess || found != cudaDriverEntryPointSuccess) return nullptr;
  return reinterpret_cast<WriteValue*>(address);
}

}  // namespace

StreamMarks::StreamMarks(std::size_t streams) {
  if (write_value() == nullptr) return;
  void* memory = nullptr;
  check_cuda(cudaHostAlloc(&memory, 2 * streams * sizeof(std::uint32_t),
                           cudaHostAllocPortable | cudaHostAllocMapped),
             "allocating marks of streams");
  auto* marks = static_cast<std::uint32_t*>(memory);
  std::fill_n(marks, 2 * streams, 0U);
  marks_ = marks;
}

StreamMarks::~StreamMarks() {
  if (marks_ != nullptr) (void)cudaFreeHost(const_cast<std::uint32_t*>(marks_));
}

void StreamMarks::enqueue(std::size_t mark, cudaStream_t stream, std::uint32_t number) {
  static WriteValue* const kWrite = write_value();
  if (marks_ == nullptr || kWrite == nullptr) return;
  const auto address = reinterpret_cast<std::uintptr_t>(const_cast<std::uint32_t*>(marks_ + mark));
  if (kWrite(stream, address, number, CU_STREAM_WRITE_VALUE_DEFAULT) != CUDA_SUCCESS) {
    marks_ = nullptr;  // not on this system: what has ended is then known from events alone
  }
}

}  // namespace parley::exec::cuda
