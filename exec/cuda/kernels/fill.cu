// fill and random: operands that are only written, byte for byte as on the host.
#include <cmath>
#include <vector>

#include "core/graph/element.h"
#include "exec/cuda/element.cuh"
#include "exec/cuda/views.cuh"
#include "exec/hash.h"

namespace parley::exec::cuda {
namespace {

using core::KernelCall;

constexpr int kThreads = 256;

struct alignas(16) Pattern {
  std::byte bytes[16];
};

__global__ void fill_packed(Pattern* target, std::int64_t count, Pattern pattern) {
  for (std::int64_t i = global_thread(); i < count; i += grid_threads()) target[i] = pattern;
}

template <class Unit>
__global__ void fill_elements(Views<1> view, Pattern pattern, std::uint32_t units) {
  const auto* source = reinterpret_cast<const Unit*>(pattern.bytes);
  for (std::int64_t i = global_thread(); i < view.size; i += grid_threads()) {
    std::int64_t at[1];
    view.locate(i, at);
    auto* target = reinterpret_cast<Unit*>(view.data[0] + at[0]);
    for (std::uint32_t k = 0; k < units; ++k) target[k] = source[k];
  }
}

void launch_elements(const Views<1>& view, const Pattern& pattern, DType dtype,
                     cudaStream_t stream) {
  const unsigned blocks = blocks_for(view.size, kThreads);
  switch (core::element_bytes(dtype)) {
    case 1:
      fill_elements<std::uint8_t><<<blocks, kThreads, 0, stream>>>(view, pattern, 1);
      return;
    case 2:
      fill_elements<std::uint16_t><<<blocks, kThreads, 0, stream>>>(view, pattern, 1);
      return;
    case 4:
      fill_elements<std::uint32_t><<<blocks, kThreads, 0, stream>>>(view, pattern, 1);
      return;
    default:
      break;
  }
  const auto units = static_cast<std::uint32_t>(core::element_bytes(dtype) / 4);
  fill_elements<std::uint32_t><<<blocks, kThreads, 0, stream>>>(view, pattern, units);
}

void fill(const KernelCall& call, Operands operands, const LaunchContext& context) {
  const DeviceOperand& target = operands[0];
  const Views<1> view = views_of<1>({&target});
  if (view.size == 0) return;
  const std::int64_t bytes = core::element_bytes(target.dtype);
  Pattern pattern;
  store_element(target.dtype, pattern.bytes, *core::parameter_of(call, "value"));
  for (std::int64_t i = bytes; i < 16; ++i) pattern.bytes[i] = pattern.bytes[i - bytes];
  Views<1> rest = view;
  if (view.is_contiguous(0, bytes) && view.is_aligned(0, 16)) {
    const std::int64_t packs = view.size * bytes / 16;
    if (packs > 0) {
      fill_packed<<<blocks_for(packs, kThreads * 4), kThreads, 0, context.stream>>>(
          reinterpret_cast<Pattern*>(view.data[0]), packs, pattern);
    }
    rest.data[0] += packs * 16;
    rest.size -= packs * (16 / bytes);
    rest.shape[0] = rest.size;
  }
  if (rest.size > 0) launch_elements(rest, pattern, target.dtype, context.stream);
  check_cuda(cudaGetLastError(), "fill");
}

// ---- random ----

__device__ double uniform(std::uint64_t bits) { return static_cast<double>(bits >> 11U) * 0x1p-53; }

// core::random_element.
__device__ void write_random(DType dtype, std::uint64_t seed, std::uint64_t index, std::byte* out,
                             double added) {
  const std::uint64_t bits = hash::mix(seed + index);
  if (dtype >= DType::kInt8 && dtype <= DType::kUint64) {
    store(dtype, out, bits + static_cast<std::uint64_t>(static_cast<std::int64_t>(added)));
  } else if (dtype == DType::kBool) {
    store(dtype, out, static_cast<double>(bits & 1U) + added);
  } else if (dtype >= DType::kComplex64) {
    store(dtype, out, Complex<double>{uniform(bits) + added, uniform(hash::mix(bits))});
  } else {
    store(dtype, out, uniform(bits) + added);
  }
}

__global__ void random_elements(Views<1> view, DType dtype, std::uint64_t seed, double added,
                                core::Diagonal diagonal) {
  for (std::int64_t i = global_thread(); i < view.size; i += grid_threads()) {
    std::int64_t at[1];
    view.locate(i, at);
    const bool is_on_diagonal =
        added != 0.0 &&
        (diagonal.stride == 0 ? i == 0
                              : i % diagonal.stride == 0 && i / diagonal.stride < diagonal.count);
    write_random(dtype, seed, static_cast<std::uint64_t>(i), view.data[0] + at[0],
                 is_on_diagonal ? added : 0.0);
  }
}

void random(const KernelCall& call, Operands operands, const LaunchContext& context) {
  const DeviceOperand& target = operands[0];
  const Views<1> view = views_of<1>({&target});
  if (view.size == 0) return;
  random_elements<<<blocks_for(view.size, kThreads), kThreads, 0, context.stream>>>(
      view, target.dtype, static_cast<std::uint64_t>(*core::parameter_of(call, "seed")),
      *core::parameter_of(call, "diagonal"),
      core::diagonal_of({target.shape, static_cast<std::size_t>(target.rank)}));
  check_cuda(cudaGetLastError(), "random");
}

}  // namespace

void register_device_kernel_fill(DeviceKernelRegistry& registry);

void register_device_kernel_fill(DeviceKernelRegistry& registry) {
  registry.add("fill", {fill});
  registry.add("random", {random});
}

}  // namespace parley::exec::cuda
