#include "exec/cuda/strided_copy.h"

#include <cuda_runtime.h>

#include <algorithm>
#include <span>

#include "exec/cuda/cuda_backend.h"
#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {
namespace {

/// Bytes from the first to the last of one side.
std::int64_t extent_of(const RunShape& shape, const std::int64_t* strides) {
  std::int64_t bytes = shape.run_bytes;
  for (std::uint32_t dim = 0; dim < shape.rank; ++dim) {
    bytes += (shape.count[dim] - 1) * strides[dim];
  }
  return bytes;
}

RunShape shape_of(const StoredCommand& copy, const StoredPart& part) {
  RunShape shape;
  shape.run_bytes = part.run_bytes;
  const auto dimensions =
      std::span(copy.dimensions).subspan(part.first_dimension, part.dimension_count);
  for (const core::CopyDimension& dimension : dimensions) {
    shape.count[shape.rank] = dimension.count;
    shape.source_stride[shape.rank] = dimension.source_stride;
    shape.target_stride[shape.rank] = dimension.target_stride;
    ++shape.rank;
  }
  return shape;
}

RunCopy run_copy_of(const StoredCommand& copy, const StoredPart& part, const CudaSlabs& slabs) {
  return {shape_of(copy, part), slabs.at(copy.from, part.source_offset),
          slabs.at(copy.to, part.target_offset)};
}

void copy_run(const RunCopy& part, std::int64_t bytes, cudaStream_t stream) {
  check_cuda(cudaMemcpyAsync(part.target, part.source, static_cast<std::size_t>(bytes),
                             cudaMemcpyDefault, stream),
             "a copy");
}

/// One contiguous run, not across the border of two pinned chunks of the host slab.
void copy_contiguous(RunCopy part, std::int64_t host_offset, bool touches_host,
                     cudaStream_t stream) {
  std::int64_t left = part.shape.run_bytes;
  while (left > 0) {
    const std::int64_t bytes =
        touches_host ? std::min(left, CudaSlabs::to_chunk_end(host_offset)) : left;
    copy_run(part, bytes, stream);
    part.source += bytes;
    part.target += bytes;
    host_offset += bytes;
    left -= bytes;
  }
}

void copy_rows(const RunCopy& part, cudaStream_t stream) {
  const RunShape& shape = part.shape;
  check_cuda(cudaMemcpy2DAsync(part.target, static_cast<std::size_t>(shape.target_stride[0]),
                               part.source, static_cast<std::size_t>(shape.source_stride[0]),
                               static_cast<std::size_t>(shape.run_bytes),
                               static_cast<std::size_t>(shape.count[0]), cudaMemcpyDefault, stream),
             "a 2-D copy");
}

/// Whether the outer of two dimensions is a whole number of the inner's rows, as a 3-D copy needs.
bool is_box_of_rows(const RunShape& shape) {
  const auto is_multiple = [](const std::int64_t* strides) {
    return strides[1] >= 1 && strides[0] % strides[1] == 0;
  };
  return is_multiple(shape.source_stride) && is_multiple(shape.target_stride);
}

void copy_box(const RunCopy& part, cudaStream_t stream) {
  const RunShape& shape = part.shape;
  const auto pitched = [&](const std::byte* data, const std::int64_t* strides) {
    // The runtime's type for sources has no const.
    return make_cudaPitchedPtr(const_cast<std::byte*>(data), static_cast<std::size_t>(strides[1]),
                               static_cast<std::size_t>(shape.run_bytes),
                               static_cast<std::size_t>(strides[0] / strides[1]));
  };
  cudaMemcpy3DParms parameters = {};
  parameters.srcPtr = pitched(part.source, shape.source_stride);
  parameters.dstPtr = pitched(part.target, shape.target_stride);
  parameters.extent = make_cudaExtent(static_cast<std::size_t>(shape.run_bytes),
                                      static_cast<std::size_t>(shape.count[1]),
                                      static_cast<std::size_t>(shape.count[0]));
  parameters.kind = cudaMemcpyDefault;
  check_cuda(cudaMemcpy3DAsync(&parameters, stream), "a 3-D copy");
}

/// Slow, and all there is between GPUs that do not reach each other.
void copy_run_by_run(const RunCopy& part, cudaStream_t stream) {
  const RunShape& shape = part.shape;
  std::int64_t runs = 1;
  for (std::uint32_t dim = 0; dim < shape.rank; ++dim) runs *= shape.count[dim];
  for (std::int64_t run = 0; run < runs; ++run) {
    RunCopy one = part;
    std::int64_t rest = run;
    for (std::uint32_t dim = shape.rank; dim-- > 0;) {
      one.source += rest % shape.count[dim] * shape.source_stride[dim];
      one.target += rest % shape.count[dim] * shape.target_stride[dim];
      rest /= shape.count[dim];
    }
    copy_run(one, shape.run_bytes, stream);
  }
}

/// Whether the copy engines do it well: they take a row at a time, so short rows are slow.
bool suits_copy_engine(const RunShape& shape) {
  constexpr std::int64_t kWorthARow = 512;
  constexpr std::int64_t kMostPitch = std::int64_t{1} << 30U;
  if (shape.run_bytes < kWorthARow) return false;
  if (shape.rank > 2 || (shape.rank == 2 && !is_box_of_rows(shape))) return false;
  const std::uint32_t row = shape.rank - 1;
  return shape.source_stride[row] <= kMostPitch && shape.target_stride[row] <= kMostPitch;
}

bool is_small_within_gpu(const StoredCommand& copy, const CudaSlabs& slabs) {
  return copy.from == copy.to && !slabs.is_host(copy.from) && copy.bytes <= kInlineCopyBytes;
}

}  // namespace

bool may_join(const StoredCommand& copy, const CudaSlabs& slabs) {
  return is_small_within_gpu(copy, slabs) && copy.parts.size() <= kMostJoinedParts &&
         std::ranges::all_of(copy.parts, [](const StoredPart& part) {
           return part.dimension_count <= kMaxJoinedRank;
         });
}

void join_copy(const StoredCommand& copy, const CudaSlabs& slabs, std::vector<RunCopy>& parts) {
  for (const StoredPart& part : copy.parts) parts.push_back(run_copy_of(copy, part, slabs));
}

CopyBy way_of_copying(const StoredCommand& copy, const CudaSlabs& slabs, bool reaches_peers) {
  // The driver makes a copy within a GPU a kernel, too, and takes twice as long to issue it.
  if (is_small_within_gpu(copy, slabs)) return CopyBy::kKernel;
  const bool is_between_gpus =
      !slabs.is_host(copy.from) && !slabs.is_host(copy.to) && copy.from != copy.to;
  return is_between_gpus && !reaches_peers ? CopyBy::kEngine : CopyBy::kBestSuited;
}

void enqueue_copy(const StoredCommand& copy, CudaSlabs& slabs, cudaStream_t stream, CopyBy by) {
  for (const StoredPart& stored : copy.parts) {
    const RunCopy part = run_copy_of(copy, stored, slabs);
    bool crosses_chunks = false;
    const auto pin = [&](core::SpaceId space, std::int64_t offset, const std::int64_t* strides) {
      if (!slabs.is_host(space)) return;
      const std::int64_t bytes = extent_of(part.shape, strides);
      slabs.pin(offset, bytes);
      crosses_chunks = crosses_chunks || bytes > CudaSlabs::to_chunk_end(offset);
    };
    pin(copy.from, stored.source_offset, part.shape.source_stride);
    pin(copy.to, stored.target_offset, part.shape.target_stride);
    if (by == CopyBy::kKernel) {
      const bool touches_host = slabs.is_host(copy.from) || slabs.is_host(copy.to);
      launch_run_copy(part.shape, part.source, part.target, stream,
                      touches_host ? kMostCopyBlocksOfHost : kMostCopyBlocks);
    } else if (part.shape.rank == 0) {
      const bool from_host = slabs.is_host(copy.from);
      copy_contiguous(part, from_host ? stored.source_offset : stored.target_offset,
                      from_host || slabs.is_host(copy.to), stream);
    } else if (by == CopyBy::kEngine && !suits_copy_engine(part.shape)) {
      copy_run_by_run(part, stream);
    } else if (crosses_chunks || !suits_copy_engine(part.shape)) {
      launch_run_copy(part.shape, part.source, part.target, stream);
    } else if (part.shape.rank == 1) {
      copy_rows(part, stream);
    } else {
      copy_box(part, stream);
    }
  }
}

}  // namespace parley::exec::cuda
