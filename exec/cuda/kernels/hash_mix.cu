// hash_mix, byte for byte as on the host (exec/hash.h). Little data is one launch of one block;
// more is summed by many blocks, which leave their parts in the workspace, and written by a second
// launch, whose blocks each add up all parts. Operands without gaps are read and written 16 bytes
// at a time.
#include <algorithm>
#include <vector>

#include "exec/cuda/views.cuh"
#include "exec/hash.h"

namespace parley::exec::cuda {
namespace {

using core::KernelCall;

constexpr int kThreads = 256;
constexpr std::int64_t kSmallBytes = 64 * 1024;  // at most: one block
constexpr unsigned kMostReading = 1024;          // blocks of an operand: each leaves one part
constexpr unsigned kMostWriting = 2048;
constexpr std::size_t kMostOperands = 8;         // of a launch: parameters stay below 4 KiB

struct Operand {
  Views<1> view;
  std::uint64_t key = 0;    // of places, when read
  std::uint64_t index = 0;  // among the task's operands, when written
  hash::Legal legal;
  std::uint8_t bytes = 0;  // of an element
  std::uint8_t part = 0;   // of a word read, or a number written
  bool is_packed = false;  // no gaps, and aligned to 16 bytes
};

struct Batch {
  std::uint32_t count = 0;
  std::uint32_t blocks = 0;  // of all operands, each as many as it has work for
  std::uint32_t end_block[kMostOperands] = {};
  Operand operands[kMostOperands];
};

// What a block works on in a launch for all operands: its thread `first` begins there.
struct Place {
  std::uint32_t operand = 0;
  std::int64_t first = 0, step = 0;
};

__device__ Place place_in(const Batch& batch) {
  Place place;
  while (blockIdx.x >= batch.end_block[place.operand]) ++place.operand;
  const std::uint32_t begin = place.operand == 0 ? 0 : batch.end_block[place.operand - 1];
  place.first = static_cast<std::int64_t>(blockIdx.x - begin) * blockDim.x + threadIdx.x;
  place.step = static_cast<std::int64_t>(batch.end_block[place.operand] - begin) * blockDim.x;
  return place;
}

// ---- reading ----

__device__ std::uint64_t word(const std::byte* at, std::uint32_t bytes) {
  switch (bytes) {
    case 1:
      return *reinterpret_cast<const std::uint8_t*>(at);
    case 2:
      return *reinterpret_cast<const std::uint16_t*>(at);
    case 4:
      return *reinterpret_cast<const std::uint32_t*>(at);
    default:  // of complex64, aligned to 4
      break;
  }
  const auto* halves = reinterpret_cast<const std::uint32_t*>(at);
  return halves[0] | static_cast<std::uint64_t>(halves[1]) << 32U;
}

template <class Word>
__device__ std::uint64_t sum_packed(const Operand& operand, std::int64_t first, std::int64_t step) {
  constexpr int kWords = 16 / static_cast<int>(sizeof(Word));
  const std::int64_t words = operand.view.size * operand.bytes / static_cast<int>(sizeof(Word));
  std::uint64_t sum = 0;
  for (std::int64_t i = first; i < words / kWords; i += step) {
    const uint4 pack = reinterpret_cast<const uint4*>(operand.view.data[0])[i];
    const std::uint32_t lanes[4] = {pack.x, pack.y, pack.z, pack.w};
#pragma unroll
    for (int k = 0; k < kWords; ++k) {
      std::uint64_t bits = 0;
      if constexpr (sizeof(Word) == 8) {
        bits = lanes[2 * k] | static_cast<std::uint64_t>(lanes[2 * k + 1]) << 32U;
      } else {
        constexpr int kPerLane = 4 / static_cast<int>(sizeof(Word));
        bits = static_cast<Word>(lanes[k / kPerLane] >> (8 * sizeof(Word) * (k % kPerLane)));
      }
      sum += hash::summand(operand.key, static_cast<std::uint64_t>(i * kWords + k), bits);
    }
  }
  for (std::int64_t i = words / kWords * kWords + first; i < words; i += step) {
    sum += hash::summand(operand.key, static_cast<std::uint64_t>(i),
                         word(operand.view.data[0] + i * sizeof(Word), sizeof(Word)));
  }
  return sum;
}

__device__ std::uint64_t sum_of(const Operand& operand, std::int64_t first, std::int64_t step) {
  if (operand.is_packed) {
    if (operand.part == 8) return sum_packed<std::uint64_t>(operand, first, step);
    if (operand.part == 4) return sum_packed<std::uint32_t>(operand, first, step);
    if (operand.part == 2) return sum_packed<std::uint16_t>(operand, first, step);
    return sum_packed<std::uint8_t>(operand, first, step);
  }
  const std::uint32_t parts = operand.bytes / operand.part;
  std::uint64_t sum = 0;
  for (std::int64_t i = first; i < operand.view.size; i += step) {
    std::int64_t at[1];
    operand.view.locate(i, at);
    for (std::uint32_t k = 0; k < parts; ++k) {
      sum += hash::summand(operand.key, static_cast<std::uint64_t>(i) * parts + k,
                           word(operand.view.data[0] + at[0] + k * operand.part, operand.part));
    }
  }
  return sum;
}

__device__ std::uint64_t warp_sum(std::uint64_t value) {
  for (int distance = 16; distance > 0; distance /= 2) {
    value += __shfl_down_sync(0xffffffffU, value, distance);
  }
  return value;
}

// The sum over all threads of the block, in its first thread.
__device__ std::uint64_t block_sum(std::uint64_t value) {
  __shared__ std::uint64_t parts[32];
  value = warp_sum(value);
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x >= 32) return 0;
  return warp_sum(threadIdx.x < blockDim.x / 32 ? parts[threadIdx.x] : 0);
}

__global__ void add_up(Batch read, std::uint64_t* parts) {
  const Place place = place_in(read);
  std::uint64_t mine = sum_of(read.operands[place.operand], place.first, place.step);
  mine = block_sum(mine);
  if (threadIdx.x == 0) parts[blockIdx.x] = mine;
}

// ---- writing ----

__device__ void put(std::byte* at, std::uint32_t bytes, std::uint64_t value) {
  switch (bytes) {
    case 1:
      *reinterpret_cast<std::uint8_t*>(at) = static_cast<std::uint8_t>(value);
      return;
    case 2:
      *reinterpret_cast<std::uint16_t*>(at) = static_cast<std::uint16_t>(value);
      return;
    case 4:
      *reinterpret_cast<std::uint32_t*>(at) = static_cast<std::uint32_t>(value);
      return;
    default:
      *reinterpret_cast<std::uint64_t*>(at) = value;
  }
}

template <class Number>
__device__ void write_packed(const Operand& operand, std::uint64_t key, std::int64_t first,
                             std::int64_t step) {
  constexpr int kNumbers = 16 / static_cast<int>(sizeof(Number));
  struct alignas(16) Pack {
    Number items[kNumbers];
  };
  const std::int64_t numbers = operand.view.size * operand.bytes / static_cast<int>(sizeof(Number));
  auto* target = reinterpret_cast<Number*>(operand.view.data[0]);
  for (std::int64_t i = first; i < numbers / kNumbers; i += step) {
    Pack pack;
#pragma unroll
    for (int k = 0; k < kNumbers; ++k) {
      pack.items[k] = static_cast<Number>(
          operand.legal(hash::drawn(key, static_cast<std::uint64_t>(i * kNumbers + k))));
    }
    reinterpret_cast<Pack*>(target)[i] = pack;
  }
  for (std::int64_t i = numbers / kNumbers * kNumbers + first; i < numbers; i += step) {
    target[i] = static_cast<Number>(operand.legal(hash::drawn(key, static_cast<std::uint64_t>(i))));
  }
}

__device__ void write_hash(const Operand& operand, std::uint64_t total, std::int64_t first,
                           std::int64_t step) {
  const std::uint64_t key = hash::written_key(total, operand.index);
  if (operand.is_packed) {
    if (operand.part == 8) return write_packed<std::uint64_t>(operand, key, first, step);
    if (operand.part == 4) return write_packed<std::uint32_t>(operand, key, first, step);
    if (operand.part == 2) return write_packed<std::uint16_t>(operand, key, first, step);
    return write_packed<std::uint8_t>(operand, key, first, step);
  }
  const std::uint32_t parts = operand.bytes / operand.part;
  for (std::int64_t i = first; i < operand.view.size; i += step) {
    std::int64_t at[1];
    operand.view.locate(i, at);
    for (std::uint32_t k = 0; k < parts; ++k) {
      const std::uint64_t drawn = hash::drawn(key, static_cast<std::uint64_t>(i) * parts + k);
      put(operand.view.data[0] + at[0] + k * operand.part, operand.part, operand.legal(drawn));
    }
  }
}

__global__ void draw(Batch written, std::uint64_t seed, const std::uint64_t* parts,
                     std::uint32_t count) {
  __shared__ std::uint64_t total;
  std::uint64_t mine = 0;
  for (std::uint32_t i = threadIdx.x; i < count; i += blockDim.x) mine += parts[i];
  mine = block_sum(mine);
  if (threadIdx.x == 0) total = hash::total_key(seed, mine);
  __syncthreads();
  const Place place = place_in(written);
  write_hash(written.operands[place.operand], total, place.first, place.step);
}

static_assert(2 * sizeof(Batch) + sizeof(std::uint64_t) <= 4096, "parameters of mix_small");

// One block does it all.
__global__ void mix_small(Batch read, Batch written, std::uint64_t seed) {
  __shared__ std::uint64_t total;
  std::uint64_t mine = 0;
  for (std::uint32_t k = 0; k < read.count; ++k) {
    mine += sum_of(read.operands[k], threadIdx.x, blockDim.x);
  }
  mine = block_sum(mine);
  if (threadIdx.x == 0) total = hash::total_key(seed, mine);
  __syncthreads();
  for (std::uint32_t k = 0; k < written.count; ++k) {
    write_hash(written.operands[k], total, threadIdx.x, blockDim.x);
  }
}

// ---- launching ----

Operand described(const DeviceOperand& given, std::uint64_t seed, std::size_t index, bool is_read) {
  Operand operand;
  operand.view = views_of<1>({&given});
  operand.key = hash::operand_key(seed, index);
  operand.index = index;
  operand.legal = hash::legal(given.dtype);
  const auto bytes = static_cast<std::size_t>(core::element_bytes(given.dtype));
  operand.bytes = static_cast<std::uint8_t>(bytes);
  operand.part = static_cast<std::uint8_t>(
      bytes / (is_read ? hash::words_read(bytes) : hash::numbers_written(given.dtype)));
  operand.is_packed =
      operand.view.is_contiguous(0, operand.bytes) && operand.view.is_aligned(0, 16);
  return operand;
}

/// As many as an operand has work for.
std::uint32_t blocks_of(std::int64_t bytes, unsigned most) {
  return std::min(most, blocks_for(bytes / 16, kThreads * 4));
}

struct Batches {
  unsigned most_blocks;  // of an operand
  std::vector<Batch> batches;
  std::int64_t bytes = 0;

  void push_back(const Operand& operand) {
    if (batches.empty() || batches.back().count == kMostOperands) batches.emplace_back();
    Batch& last = batches.back();
    const std::int64_t own_bytes = operand.view.size * operand.bytes;
    last.blocks += blocks_of(own_bytes, most_blocks);
    last.end_block[last.count] = last.blocks;
    last.operands[last.count++] = operand;
    bytes += own_bytes;
  }
};

void launch_large(const Batches& read, const Batches& written, std::uint64_t seed,
                  const LaunchContext& context) {
  auto* parts = reinterpret_cast<std::uint64_t*>(context.workspace);
  std::uint32_t count = 0;
  for (const Batch& batch : read.batches) {
    add_up<<<batch.blocks, kThreads, 0, context.stream>>>(batch, parts + count);
    count += batch.blocks;
  }
  for (const Batch& batch : written.batches) {
    draw<<<batch.blocks, kThreads, 0, context.stream>>>(batch, seed, parts, count);
  }
}

// Operands come in order, so that a batch of every kind fits on the stack.
void hash_mix(const KernelCall& call, Operands operands, const LaunchContext& context) {
  const auto seed = static_cast<std::uint64_t>(core::parameter_of(call, "seed").value_or(0.0));
  Batches read{kMostReading, {}, 0}, written{kMostWriting, {}, 0};
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].size() == 0) continue;
    if (operands[i].mode != core::ArgumentMode::kWrite) {
      read.push_back(described(operands[i], seed, i, true));
    }
    if (operands[i].mode != core::ArgumentMode::kRead) {
      written.push_back(described(operands[i], seed, i, false));
    }
  }
  if (written.batches.empty()) return;
  const bool is_small = read.bytes + written.bytes <= kSmallBytes && read.batches.size() <= 1 &&
                        written.batches.size() == 1;
  if (is_small) {
    const Batch nothing;
    mix_small<<<1, 2 * kThreads, 0, context.stream>>>(
        read.batches.empty() ? nothing : read.batches.front(), written.batches.front(), seed);
  } else {
    launch_large(read, written, seed, context);
  }
  check_cuda(cudaGetLastError(), "hash_mix");
}

std::size_t workspace_bytes(const KernelCall&, Operands operands, const LaunchContext&) {
  std::size_t parts = 0;
  for (const DeviceOperand& operand : operands) {
    if (operand.mode == core::ArgumentMode::kWrite) continue;
    parts += blocks_of(operand.size() * core::element_bytes(operand.dtype), kMostReading);
  }
  return parts * sizeof(std::uint64_t);
}

}  // namespace

void register_device_kernel_hash_mix(DeviceKernelRegistry& registry);

void register_device_kernel_hash_mix(DeviceKernelRegistry& registry) {
  registry.add("hash_mix", {hash_mix, workspace_bytes});
}

}  // namespace parley::exec::cuda
