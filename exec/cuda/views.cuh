// Several operands of equal shape as a kernel walks over them: dimensions of extent 1 are left out
// and dimensions that follow one another in memory, in all operands, are one. Passed by value.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {

template <int N>
struct Views {
  std::byte* data[N] = {};
  std::int64_t size = 1;  // elements
  std::uint32_t rank = 0;
  std::int64_t shape[core::Box::kMaxRank] = {};
  std::int64_t strides[core::Box::kMaxRank][N] = {};  // bytes

  /// Elements of operand `i` follow one another without gaps.
  [[nodiscard]] bool is_contiguous(int i, std::int64_t element_bytes) const {
    return rank == 0 || (rank == 1 && strides[0][i] == element_bytes);
  }
  [[nodiscard]] bool is_aligned(int i, std::size_t bytes) const {
    return reinterpret_cast<std::uintptr_t>(data[i]) % bytes == 0;
  }
  /// The bytes from the lowest address to behind the highest one, relative to `data`.
  [[nodiscard]] std::array<std::int64_t, 2> reach(int i, std::int64_t element_bytes) const {
    std::array<std::int64_t, 2> reached = {0, element_bytes};
    for (std::uint32_t dim = 0; dim < rank; ++dim) {
      const std::int64_t span = strides[dim][i] * (shape[dim] - 1);
      reached[span < 0 ? 0 : 1] += span;
    }
    return reached;
  }

  /// Byte offsets of the element `index`, counted in row-major order.
  __device__ void locate(std::int64_t index, std::int64_t (&offset)[N]) const {
    for (int i = 0; i < N; ++i) offset[i] = 0;
    if (size <= 0x7fffffff) {
      auto rest = static_cast<std::uint32_t>(index);
      for (std::uint32_t dim = rank; dim-- > 1;) {
        const auto extent = static_cast<std::uint32_t>(shape[dim]);
        const std::uint32_t quotient = rest / extent;
        advance(dim, rest - quotient * extent, offset);
        rest = quotient;
      }
      if (rank > 0) advance(0, rest, offset);
      return;
    }
    for (std::uint32_t dim = rank; dim-- > 1;) {
      const std::int64_t quotient = index / shape[dim];
      advance(dim, index - quotient * shape[dim], offset);
      index = quotient;
    }
    if (rank > 0) advance(0, index, offset);
  }

 private:
  __device__ void advance(std::uint32_t dim, std::int64_t steps, std::int64_t (&offset)[N]) const {
    for (int i = 0; i < N; ++i) offset[i] += steps * strides[dim][i];
  }
};

/// Adds the dimension inside all others.
template <int N>
void add_dimension(Views<N>& views, std::int64_t extent, const std::array<std::int64_t, N>& bytes) {
  views.size *= extent;
  if (extent == 1) return;
  if (views.rank > 0) {
    const std::uint32_t last = views.rank - 1;
    bool continues = true;
    for (std::size_t i = 0; i < N; ++i) {
      continues = continues && views.strides[last][i] == bytes[i] * extent;
    }
    if (continues) {
      views.shape[last] *= extent;
      for (std::size_t i = 0; i < N; ++i) views.strides[last][i] = bytes[i];
      return;
    }
  }
  views.shape[views.rank] = extent;
  for (std::size_t i = 0; i < N; ++i) views.strides[views.rank][i] = bytes[i];
  ++views.rank;
}

/// Requires: equal shapes.
template <int N>
Views<N> views_of(const std::array<const DeviceOperand*, N>& operands) {
  Views<N> views;
  for (std::size_t i = 0; i < N; ++i) views.data[i] = operands[i]->data;
  for (std::uint32_t dim = 0; dim < operands[0]->rank; ++dim) {
    std::array<std::int64_t, N> bytes;
    for (std::size_t i = 0; i < N; ++i) bytes[i] = operands[i]->strides[dim];
    add_dimension<N>(views, operands[0]->shape[dim], bytes);
  }
  return views;
}

/// Blocks for `items` with so many to a block; loops with a grid stride do the rest.
inline unsigned blocks_for(std::int64_t items, std::int64_t per_block) {
  constexpr std::int64_t kMost = 8192;  // several waves on today's largest devices
  return static_cast<unsigned>(
      std::clamp((items + per_block - 1) / per_block, std::int64_t{1}, kMost));
}

__device__ inline std::int64_t global_thread() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ inline std::int64_t grid_threads() {
  return static_cast<std::int64_t>(gridDim.x) * blockDim.x;
}

}  // namespace parley::exec::cuda
