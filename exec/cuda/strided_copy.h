// Copies of boxes between slabs: by the copy engines where runs are long enough to be worth their
// while, else by a kernel that gathers and scatters.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "exec/cuda/cuda_slabs.h"
#include "exec/driver/stored_command.h"

namespace parley::exec::cuda {

/// Up to this many dimensions of runs.
inline constexpr std::uint32_t kMaxCopyRank = 8;

/// Runs of `run_bytes` along `rank` dimensions, outermost first.
struct RunShape {
  std::int64_t run_bytes = 0;
  std::uint32_t rank = 0;
  std::int64_t count[kMaxCopyRank] = {};
  std::int64_t source_stride[kMaxCopyRank] = {};
  std::int64_t target_stride[kMaxCopyRank] = {};
};

/// A part of a copy with addresses.
struct RunCopy {
  RunShape shape;
  const std::byte* source = nullptr;
  std::byte* target = nullptr;
};

/// Copy engines leave the multiprocessors to others; a kernel starts sooner.
/// Where GPUs do not reach each other's memory, a kernel cannot.
enum class CopyBy : std::uint8_t { kBestSuited, kKernel, kEngine };

/// How a copy may be made, given whether GPUs reach each other's memory.
CopyBy way_of_copying(const StoredCommand& copy, const CudaSlabs& slabs, bool reaches_peers);

/// Enqueues all parts of a copy. Host memory is pinned first. Throws EnvironmentFailure.
void enqueue_copy(const StoredCommand& copy, CudaSlabs& slabs, cudaStream_t stream,
                  CopyBy by = CopyBy::kBestSuited);

/// Small copies within a GPU may share a launch, which takes longer than they do: as many parts, of
/// as many dimensions of runs.
inline constexpr std::size_t kMostJoinedParts = 16;
inline constexpr std::uint32_t kMaxJoinedRank = 4;

/// Whether the copy is one that a kernel does within a GPU, and fits such a launch.
bool may_join(const StoredCommand& copy, const CudaSlabs& slabs);
/// Adds its parts to those of a launch. Requires: may_join.
void join_copy(const StoredCommand& copy, const CudaSlabs& slabs, std::vector<RunCopy>& parts);

inline constexpr unsigned kMostCopyBlocks = 1024;
inline constexpr unsigned kMostCopyBlocksOfHost = 32;  // already as fast as the link is

/// The kernel: reads and writes through pointers that the current device can reach.
void launch_run_copy(const RunShape& shape, const std::byte* source, std::byte* target,
                     cudaStream_t stream, unsigned most_blocks = kMostCopyBlocks);
/// One kernel for all of them. Requires: at most kMostJoinedParts, of kMaxJoinedRank each.
void launch_joined_copies(std::span<const RunCopy> parts, cudaStream_t stream);

}  // namespace parley::exec::cuda
