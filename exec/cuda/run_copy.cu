// The kernels of copies: of one run, and strided, where threads walk over words of the widest size
// that all addresses, strides and the run's length allow.
#include <algorithm>
#include <cstdint>

#include "exec/cuda/device_kernel.h"
#include "exec/cuda/strided_copy.h"

namespace parley::exec::cuda {
namespace {

template <class Word, class Shape>
__device__ void walk_runs(const Shape& shape, const std::byte* source, std::byte* target,
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

template <class Word>
__global__ void copy_runs(RunShape shape, const std::byte* source, std::byte* target,
                          std::int64_t words_of_run, std::int64_t words) {
  walk_runs<Word>(shape, source, target, words_of_run, words);
}

/// One of several parts that one launch copies.
struct JoinedPart {
  std::int64_t count[kMaxJoinedRank];
  std::int64_t source_stride[kMaxJoinedRank];
  std::int64_t target_stride[kMaxJoinedRank];
  const std::byte* source;
  std::byte* target;
  std::int64_t words_of_run, words;
  std::uint32_t rank;
  std::uint32_t word_bytes;
};

struct JoinedParts {
  JoinedPart part[kMostJoinedParts];
};

/// A row of blocks a part.
__global__ void copy_joined(JoinedParts parts) {
  const JoinedPart& part = parts.part[blockIdx.y];
  const auto walk = [&]<class Word>(Word) {
    walk_runs<Word>(part, part.source, part.target, part.words_of_run, part.words);
  };
  switch (part.word_bytes) {
    case 16:
      return walk(uint4());
    case 8:
      return walk(std::uint64_t());
    case 4:
      return walk(std::uint32_t());
    case 2:
      return walk(std::uint16_t());
    default:
      return walk(std::uint8_t());
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

/// The widest word, up to 16 bytes, that all addresses, strides and the run's length are multiples
/// of.
std::uint32_t word_bytes_of(const RunShape& shape, const std::byte* source,
                            const std::byte* target) {
  std::uint64_t bits = reinterpret_cast<std::uintptr_t>(source) |
                       reinterpret_cast<std::uintptr_t>(target) |
                       static_cast<std::uint64_t>(shape.run_bytes) | 16U;
  for (std::uint32_t dim = 0; dim < shape.rank; ++dim) {
    bits |= static_cast<std::uint64_t>(shape.source_stride[dim] | shape.target_stride[dim]);
  }
  return static_cast<std::uint32_t>(bits & -bits);
}

std::int64_t runs_of(const RunShape& shape) {
  std::int64_t runs = 1;
  for (std::uint32_t dim = 0; dim < shape.rank; ++dim) runs *= shape.count[dim];
  return runs;
}

}  // namespace

void launch_run_copy(const RunShape& shape, const std::byte* source, std::byte* target,
                     cudaStream_t stream, unsigned most_blocks) {
  const std::int64_t runs = runs_of(shape);
  if (runs == 0 || shape.run_bytes == 0) return;
  switch (word_bytes_of(shape, source, target)) {
    case 16:
      launch<uint4>(shape, source, target, runs, stream, most_blocks);
      break;
    case 8:
      launch<std::uint64_t>(shape, source, target, runs, stream, most_blocks);
      break;
    case 4:
      launch<std::uint32_t>(shape, source, target, runs, stream, most_blocks);
      break;
    case 2:
      launch<std::uint16_t>(shape, source, target, runs, stream, most_blocks);
      break;
    default:
      launch<std::uint8_t>(shape, source, target, runs, stream, most_blocks);
  }
  check_cuda(cudaGetLastError(), "a strided copy");
}

void launch_joined_copies(std::span<const RunCopy> copies, cudaStream_t stream) {
  if (copies.size() == 1) {
    return launch_run_copy(copies[0].shape, copies[0].source, copies[0].target, stream);
  }
  constexpr std::int64_t kThreads = 256;
  JoinedParts parts = {};
  unsigned count = 0;
  std::int64_t most_words = 0;
  for (const RunCopy& copy : copies) {
    const RunShape& shape = copy.shape;
    JoinedPart& part = parts.part[count];
    part.rank = shape.rank;
    part.word_bytes = word_bytes_of(shape, copy.source, copy.target);
    part.words_of_run = shape.run_bytes / part.word_bytes;
    part.words = part.words_of_run * runs_of(shape);
    if (part.words == 0) continue;
    part.source = copy.source;
    part.target = copy.target;
    std::copy_n(shape.count, shape.rank, part.count);
    std::copy_n(shape.source_stride, shape.rank, part.source_stride);
    std::copy_n(shape.target_stride, shape.rank, part.target_stride);
    most_words = std::max(most_words, part.words);
    ++count;
  }
  if (count == 0) return;
  constexpr auto kMostBlocks = static_cast<std::int64_t>(kMostCopyBlocks);
  const auto blocks =
      static_cast<unsigned>(std::min(kMostBlocks, (most_words + kThreads - 1) / kThreads));
  copy_joined<<<dim3(blocks, count), static_cast<unsigned>(kThreads), 0, stream>>>(parts);
  check_cuda(cudaGetLastError(), "joined copies");
}

}  // namespace parley::exec::cuda
