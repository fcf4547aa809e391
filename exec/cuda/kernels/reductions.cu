// Reductions, as exec/kernels/reductions.cpp. A line (the elements that one target element is made
// of) is cut into chunks, each reduced by a block or, where lines lie side by side, by a thread; a
// second launch puts the chunks together. Sums of integers, max and argmax equal the host's byte
// for byte; sums of floating point are taken in double in another order than the host's, one after
// the other, so they differ by rounding: at most (number of elements) * 2^-53 of the sum of
// magnitudes.
#include <cstdlib>
#include <optional>

#include "core/graph/element.h"
#include "exec/cuda/arithmetic.cuh"
#include "exec/cuda/views.cuh"

namespace parley::exec::cuda {
namespace {

using core::KernelCall;

constexpr int kThreads = 256;

// ---- what is reduced ----

template <class T>
struct Sum {
  using C = T;
  using State = T;
  double divisor = 0.0;  // 0: none

  __device__ static State empty() { return State{}; }
  __device__ static State with(State state, C value, std::int64_t) { return plus(state, value); }
  __device__ static State merged(State a, State b) { return plus(a, b); }
  __device__ void finish(State state, DType dtype, std::byte* at) const {
    if constexpr (!std::is_integral_v<T>) {
      if (divisor > 0.0) state = divided(state, divisor);
    }
    store(dtype, at, state);
  }
};

template <class C>
__device__ bool is_nan(C value) {
  if constexpr (kIsPair<C>) {
    return isnan(value.re) || isnan(value.im);
  } else if constexpr (std::is_floating_point_v<C>) {
    return isnan(value);
  } else {
    return false;
  }
}

template <class C>
__device__ bool is_greater(C a, C b) {
  if (is_nan(a) || is_nan(b)) return is_nan(a) && !is_nan(b);
  if constexpr (kIsPair<C>) {
    return a.re > b.re || (!(a.re < b.re) && a.im > b.im);
  } else {
    return a > b;
  }
}

template <class T>
struct Greatest {
  using C = T;
  struct State {
    std::int64_t position;  // negative: nothing yet
    C value;
  };
  bool wants_position = false;

  __device__ static State empty() { return {-1, C{}}; }
  __device__ static State with(State state, C value, std::int64_t position) {
    return merged(state, {position, value});
  }
  __device__ static State merged(State a, State b) {
    if (b.position < 0) return a;
    if (a.position < 0 || is_greater(b.value, a.value)) return b;
    return !is_greater(a.value, b.value) && b.position < a.position ? b : a;
  }
  __device__ void finish(State state, DType dtype, std::byte* at) const {
    if (wants_position) {
      store(dtype, at, state.position);
    } else {
      store(dtype, at, state.value);
    }
  }
};

// ---- how the source is cut ----

struct Plan {
  Views<2> lines;  // first element of each line in the source, and the target's element
  Views<1> line;   // offsets within a line
  std::int64_t chunks = 1;
  std::int64_t per_chunk = 0;  // elements
  bool is_thread_per_line = false;
  DType source, target;
};

// Lines lie side by side when walking along one takes longer steps than going to the next.
bool is_side_by_side(const Plan& plan) {
  if (plan.lines.rank == 0 || plan.line.rank == 0) return false;
  const auto next = std::abs(plan.lines.strides[plan.lines.rank - 1][0]);
  return next < std::abs(plan.line.strides[plan.line.rank - 1][0]);
}

// Enough chunks to fill a large device, none shorter than is worth a block or a thread.
void cut(Plan& plan) {
  const std::int64_t lines = plan.lines.size, size = plan.line.size;
  plan.is_thread_per_line = lines >= 256 && (is_side_by_side(plan) || size <= 16);
  const std::int64_t in_flight = plan.is_thread_per_line ? (lines + 127) / 128 : lines;
  const std::int64_t wanted = (1056 + in_flight - 1) / in_flight;
  const std::int64_t shortest = plan.is_thread_per_line ? 64 : 8 * kThreads;
  const std::int64_t most = std::max<std::int64_t>(size / shortest, 1);
  plan.chunks = std::min(wanted, most);
  plan.per_chunk = (size + plan.chunks - 1) / plan.chunks;
  plan.chunks = (size + plan.per_chunk - 1) / plan.per_chunk;
}

Plan plan_for(const KernelCall& call, Operands operands) {
  const DeviceOperand& source = operands[0];
  const DeviceOperand& target = operands[1];
  Plan plan;
  plan.source = source.dtype;
  plan.target = target.dtype;
  plan.lines.data[0] = source.data;
  plan.lines.data[1] = target.data;
  const std::optional<double> axis = core::parameter_of(call, "axis");
  if (!axis) {
    plan.line = views_of<1>({&source});
    cut(plan);
    return plan;
  }
  const auto reduced = static_cast<std::uint32_t>(*axis < 0 ? *axis + source.rank : *axis);
  std::uint32_t kept = 0;
  for (std::uint32_t dim = 0; dim < source.rank; ++dim) {
    if (dim == reduced) {
      add_dimension<1>(plan.line, source.shape[dim], {source.strides[dim]});
    } else {
      add_dimension<2>(plan.lines, source.shape[dim],
                       {source.strides[dim], target.strides[kept++]});
    }
  }
  cut(plan);
  return plan;
}

// ---- reducing ----

// Elements first, first + step, ... below `end` of the line that starts at `start`.
template <class R>
__device__ typename R::State reduce(const Plan& plan, const std::byte* start, std::int64_t first,
                                    std::int64_t end, std::int64_t step) {
  using C = typename R::C;
  constexpr int kAtOnce = 4;  // loads under way
  auto state = R::empty();
  std::int64_t i = first;
  for (; i + (kAtOnce - 1) * step < end; i += kAtOnce * step) {
    C values[kAtOnce];
#pragma unroll
    for (int k = 0; k < kAtOnce; ++k) {
      std::int64_t at[1];
      plan.line.locate(i + k * step, at);
      values[k] = load<C>(plan.source, start + at[0]);
    }
#pragma unroll
    for (int k = 0; k < kAtOnce; ++k) state = R::with(state, values[k], i + k * step);
  }
  for (; i < end; i += step) {
    std::int64_t at[1];
    plan.line.locate(i, at);
    state = R::with(state, load<C>(plan.source, start + at[0]), i);
  }
  return state;
}

template <class R>
__device__ typename R::State block_merged(typename R::State state) {
  __shared__ typename R::State parts[kThreads];
  parts[threadIdx.x] = state;
  __syncthreads();
  for (unsigned half = kThreads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) {
      parts[threadIdx.x] = R::merged(parts[threadIdx.x], parts[threadIdx.x + half]);
    }
    __syncthreads();
  }
  return parts[0];
}

// Chunks of lines, one after the other, to `partial`; or whole lines, when there is one chunk.
template <class R>
__device__ void put(const R& reducer, const Plan& plan, std::int64_t line, std::int64_t chunk,
                    typename R::State state, typename R::State* partial, std::int64_t target) {
  if (plan.chunks > 1) {
    partial[line * plan.chunks + chunk] = state;
  } else {
    reducer.finish(state, plan.target, plan.lines.data[1] + target);
  }
}

template <class R>
__global__ void reduce_by_blocks(R reducer, Plan plan, typename R::State* partial) {
  for (std::int64_t i = blockIdx.x; i < plan.lines.size * plan.chunks; i += gridDim.x) {
    const std::int64_t line = i / plan.chunks, chunk = i - line * plan.chunks;
    std::int64_t at[2];
    plan.lines.locate(line, at);
    const std::int64_t begin = chunk * plan.per_chunk;
    const std::int64_t end = min(begin + plan.per_chunk, plan.line.size);
    const auto state = block_merged<R>(
        reduce<R>(plan, plan.lines.data[0] + at[0], begin + threadIdx.x, end, blockDim.x));
    if (threadIdx.x == 0) put(reducer, plan, line, chunk, state, partial, at[1]);
    __syncthreads();  // the shared parts are used again
  }
}

template <class R>
__global__ void reduce_by_threads(R reducer, Plan plan, typename R::State* partial) {
  const std::int64_t begin = blockIdx.y * plan.per_chunk;
  const std::int64_t end = min(begin + plan.per_chunk, plan.line.size);
  for (std::int64_t line = global_thread(); line < plan.lines.size; line += grid_threads()) {
    std::int64_t at[2];
    plan.lines.locate(line, at);
    const auto state = reduce<R>(plan, plan.lines.data[0] + at[0], begin, end, 1);
    put(reducer, plan, line, blockIdx.y, state, partial, at[1]);
  }
}

// A block a line.
template <class R>
__global__ void put_together(R reducer, Plan plan, const typename R::State* partial) {
  for (std::int64_t line = blockIdx.x; line < plan.lines.size; line += gridDim.x) {
    auto state = R::empty();
    for (std::int64_t i = threadIdx.x; i < plan.chunks; i += blockDim.x) {
      state = R::merged(state, partial[line * plan.chunks + i]);
    }
    state = block_merged<R>(state);
    if (threadIdx.x == 0) {
      std::int64_t at[2];
      plan.lines.locate(line, at);
      reducer.finish(state, plan.target, plan.lines.data[1] + at[1]);
    }
    __syncthreads();
  }
}

// The same by single threads, for the few chunks of many lines.
template <class R>
__global__ void put_together_by_threads(R reducer, Plan plan, const typename R::State* partial) {
  for (std::int64_t line = global_thread(); line < plan.lines.size; line += grid_threads()) {
    auto state = R::empty();
    for (std::int64_t i = 0; i < plan.chunks; ++i) {
      state = R::merged(state, partial[line * plan.chunks + i]);
    }
    std::int64_t at[2];
    plan.lines.locate(line, at);
    reducer.finish(state, plan.target, plan.lines.data[1] + at[1]);
  }
}

template <class R>
void launch(const R& reducer, const Plan& plan, const LaunchContext& context) {
  if (plan.lines.size == 0) return;
  auto* partial = reinterpret_cast<typename R::State*>(context.workspace);
  const cudaStream_t stream = context.stream;
  if (plan.is_thread_per_line) {
    const dim3 blocks(blocks_for(plan.lines.size, 128), static_cast<unsigned>(plan.chunks));
    reduce_by_threads<R><<<blocks, 128, 0, stream>>>(reducer, plan, partial);
    if (plan.chunks > 1) {
      put_together_by_threads<R>
          <<<blocks_for(plan.lines.size, 128), 128, 0, stream>>>(reducer, plan, partial);
    }
  } else {
    reduce_by_blocks<R><<<blocks_for(plan.lines.size * plan.chunks, 1), kThreads, 0, stream>>>(
        reducer, plan, partial);
    if (plan.chunks > 1) {
      put_together<R>
          <<<blocks_for(plan.lines.size, 1), kThreads, 0, stream>>>(reducer, plan, partial);
    }
  }
  check_cuda(cudaGetLastError(), "reduction");
}

// ---- the kernels ----

void sum(const KernelCall& call, Operands operands, const LaunchContext& context) {
  const Plan plan = plan_for(call, operands);
  const DType dtype = operands[0].dtype;
  if (core::is_complex(dtype)) {
    launch(Sum<Complex<double>>{}, plan, context);
  } else if (is_float(dtype)) {
    launch(Sum<double>{}, plan, context);
  } else if (dtype == DType::kBool || dtype >= DType::kUint8) {
    launch(Sum<std::uint64_t>{}, plan, context);
  } else {
    launch(Sum<std::int64_t>{}, plan, context);
  }
}

void mean(const KernelCall& call, Operands operands, const LaunchContext& context) {
  const Plan plan = plan_for(call, operands);
  const auto divisor = static_cast<double>(plan.line.size);
  if (core::is_complex(operands[0].dtype)) {
    launch(Sum<Complex<double>>{divisor}, plan, context);
  } else {
    launch(Sum<double>{divisor}, plan, context);
  }
}

void greatest(const KernelCall& call, Operands operands, const LaunchContext& context,
              bool wants_position) {
  const Plan plan = plan_for(call, operands);
  with_device_type(operands[0].dtype, [&](auto zero) {
    launch(Greatest<decltype(zero)>{wants_position}, plan, context);
  });
}

// The largest state is a position with a complex number.
std::size_t workspace_bytes(const KernelCall& call, Operands operands, const LaunchContext&) {
  const Plan plan = plan_for(call, operands);
  if (plan.chunks == 1) return 0;
  return static_cast<std::size_t>(plan.lines.size * plan.chunks) *
         sizeof(Greatest<Complex<double>>::State);
}

}  // namespace

void register_device_kernel_reductions(DeviceKernelRegistry& registry);

void register_device_kernel_reductions(DeviceKernelRegistry& registry) {
  registry.add("sum", {sum, workspace_bytes});
  registry.add("mean", {mean, workspace_bytes});
  registry.add("max", {[](const KernelCall& call, Operands operands, const LaunchContext& context) {
                         greatest(call, operands, context, false);
                       },
                       workspace_bytes});
  registry.add("argmax",
               {[](const KernelCall& call, Operands operands, const LaunchContext& context) {
                  greatest(call, operands, context, true);
                },
                workspace_bytes});
}

}  // namespace parley::exec::cuda
