// The kernels of copies: of one run, and strided, where threads walk over words of the widest size
// that all addresses, strides and the run's length allow.
#include <algorithm>
#include <cstdint>

#include "exec/cuda/device_kernel.h"
#include "exec/cuda/strided_copy.h"

namespace parley::exec::cuda {
namespace {

template <class Word>
__global__ void copy_runs(RunShape shape, const std::byte* source, std::byte* target,
                          std::int64_t words_of_run, std::int64_t words) {
  const std::int64_t threads = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < words;
       i += threads) {
    std::int64_t run = i / words_of_run;
    const std::int64_t within = (i % words_of_run) * static_cast<std::int64_t>(sizeof(Word));
    std::int64_t from = within;
    std::int64_t to = within;
    for (std::uint32_t dim = shape.rank; dim-- > 0;) {
      const std::int64_t position = run % shape.count[dim];
      run /= shape.count[dim];
      from += position * shape.source_stride[dim];
      to += position * shape.target_stride[dim];
    }
    *reinterpret_cast<Word*>(target + to) = *reinterpret_cast<const Word*>(source + from);
  }
}

/// One run. A thread has several words under way, since each takes as long as a link's round trip.
template <class Word>
__global__ void copy_run(const Word* __restrict__ source, Word* __restrict__ target,
                         std::int64_t words) {
  constexpr int kUnderWay = 4;
  const std::int64_t threads = std::int64_t{gridDim.x} * blockDim.x;
  std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  for (; i + (kUnderWay - 1) * threads < words; i += kUnderWay * threads) {
    Word held[kUnderWay];
#pragma unroll
    for (int k = 0; k < kUnderWay; ++k) held[k] = source[i + k * threads];
#pragma unroll
    for (int k = 0; k < kUnderWay; ++k) target[i + k * threads] = held[k];
  }
  for (; i < words; i += threads) target[i] = source[i];
}

template <class Word>
void launch(const RunShape& shape, const std::byte* source, std::byte* target, std::int64_t runs,
            cudaStream_t stream, std::int64_t most_blocks) {
  constexpr std::int64_t kThreads = 256;
  const std::int64_t of_run = shape.run_bytes / static_cast<std::int64_t>(sizeof(Word));
  const std::int64_t words = of_run * runs;
  const auto blocks =
      static_cast<unsigned>(std::min(most_blocks, (words + kThreads - 1) / kThreads));
  if (shape.rank == 0) {
    copy_run<<<blocks, static_cast<unsigned>(kThreads), 0, stream>>>(
        reinterpret_cast<const Word*>(source), reinterpret_cast<Word*>(target), words);
    return;
  }
  copy_runs<Word><<<blocks, static_cast<unsigned>(kThreads), 0, stream>>>(shape, source, target,
                                                                          of_run, words);
}

}  // namespace

void launch_run_copy(const RunShape& shape, const std::byte* source, std::byte* target,
                     cudaStream_t stream, unsigned most_blocks) {
  std::uint64_t bits = reinterpret_cast<std::uintptr_t>(source) |
                       reinterpret_cast<std::uintptr_t>(target) |
                       static_cast<std::uint64_t>(shape.run_bytes);
  std::int64_t runs = 1;
  for (std::uint32_t dim = 0; dim < shape.rank; ++dim) {
    bits |= static_cast<std::uint64_t>(shape.source_stride[dim] | shape.target_stride[dim]);
    runs *= shape.count[dim];
  }
  if (runs == 0 || shape.run_bytes == 0) return;
  if (bits % 16 == 0) {
    launch<uint4>(shape, source, target, runs, stream, most_blocks);
  } else if (bits % 8 == 0) {
    launch<std::uint64_t>(shape, source, target, runs, stream, most_blocks);
  } else if (bits % 4 == 0) {
    launch<std::uint32_t>(shape, source, target, runs, stream, most_blocks);
  } else if (bits % 2 == 0) {
    launch<std::uint16_t>(shape, source, target, runs, stream, most_blocks);
  } else {
    launch<std::uint8_t>(shape, source, target, runs, stream, most_blocks);
  }
  check_cuda(cudaGetLastError(), "a strided copy");
}

}  // namespace parley::exec::cuda
