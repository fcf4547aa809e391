// Elementwise kernels, as the host's (exec/elementwise.h). Operands of one type without gaps take a
// path of 16 bytes at a time; anything else walks its strides with the type looked up at every
// element.
#include <utility>

#include "exec/cuda/arithmetic.cuh"
#include "exec/cuda/elementwise.h"
#include "exec/cuda/views.cuh"

namespace parley::exec::cuda {
namespace {

// The parameter `value` in all compute types.
struct Scalar {
  std::int64_t as_signed;
  std::uint64_t as_unsigned;
  double number;

  template <class C>
  __device__ C as() const {
    if constexpr (std::is_same_v<C, std::int64_t>) {
      return as_signed;
    } else if constexpr (std::is_same_v<C, std::uint64_t>) {
      return as_unsigned;
    } else {
      return widen<C>(number);
    }
  }
};

Scalar scalar(double value) {
  return {from_number<std::int64_t>(value), from_number<std::uint64_t>(value), value};
}

template <class C>
__device__ C apply(Elementwise op, C first, C second, Scalar value) {
  switch (op) {
    case Elementwise::kAdd:
      return plus(first, second);
    case Elementwise::kMultiply:
      return times(first, second);
    case Elementwise::kAddScalar:
      return plus(first, value.as<C>());
    case Elementwise::kScale:
      return times(first, value.as<C>());
    case Elementwise::kAxpy:
      return plus(times(value.as<C>(), first), second);
    case Elementwise::kRoot:
      return root(first);
    case Elementwise::kCopy:
      break;
  }
  return first;
}

constexpr bool reads_two(Elementwise op) {
  return op == Elementwise::kAdd || op == Elementwise::kMultiply || op == Elementwise::kAxpy;
}

// ---- any types, any strides ----

struct Types {
  DType first, second, target;
  DType computed;  // what the result is rounded to before it is cast to the target's type
};

// Operands: first, second, target. A single thread visits the elements in row-major order.
template <class C>
__global__ void walk(Views<3> views, Types types, Elementwise op, Scalar value) {
  const std::int64_t step = grid_threads();
  for (std::int64_t i = global_thread(); i < views.size; i += step) {
    std::int64_t at[3];
    views.locate(i, at);
    const C first = load<C>(types.first, views.data[0] + at[0]);
    const C second = reads_two(op) ? load<C>(types.second, views.data[1] + at[1]) : C{};
    store(types.target, views.data[2] + at[2],
          rounded(types.computed, apply(op, first, second, value)));
  }
}

// ---- one type, no gaps ----

template <class T>
struct Storage {  // numbers that are computed with as they are stored
  using Computed = T;
  __device__ static T load(T value) { return value; }
  __device__ static T store(T value) { return value; }
};
template <class T>
struct NarrowInteger {  // modulo the width, whatever the sign
  using Computed = std::uint64_t;
  __device__ static std::uint64_t load(T value) { return value; }
  __device__ static T store(std::uint64_t value) { return static_cast<T>(value); }
};
template <>
struct Storage<std::uint8_t> : NarrowInteger<std::uint8_t> {};
template <>
struct Storage<std::uint16_t> : NarrowInteger<std::uint16_t> {};
template <>
struct Storage<std::uint32_t> : NarrowInteger<std::uint32_t> {};
template <>
struct Storage<Half> {
  using Computed = float;
  __device__ static float load(Half value) { return widened(value); }
  __device__ static Half store(float value) { return to_half(value); }
};
template <>
struct Storage<Bfloat> {
  using Computed = float;
  __device__ static float load(Bfloat value) { return widened(value); }
  __device__ static Bfloat store(float value) { return to_bfloat(value); }
};

template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  T items[N];
};

template <class T, int N>
__global__ void stream(const T* first, const T* second, T* target, std::int64_t size,
                       Elementwise op, Scalar value) {
  using C = typename Storage<T>::Computed;
  const std::int64_t step = grid_threads();
  const auto one = [&](T a, T b) {
    return Storage<T>::store(apply<C>(op, Storage<T>::load(a), Storage<T>::load(b), value));
  };
  for (std::int64_t i = global_thread(); i < size / N; i += step) {
    const auto a = reinterpret_cast<const Pack<T, N>*>(first)[i];
    const auto b = reads_two(op) ? reinterpret_cast<const Pack<T, N>*>(second)[i] : a;
    Pack<T, N> result;
#pragma unroll
    for (int k = 0; k < N; ++k) result.items[k] = one(a.items[k], b.items[k]);
    reinterpret_cast<Pack<T, N>*>(target)[i] = result;
  }
  for (std::int64_t i = size / N * N + global_thread(); i < size; i += step) {
    target[i] = one(first[i], reads_two(op) ? second[i] : first[i]);
  }
}

template <class T>
void launch_stream(const Views<3>& views, Elementwise op, Scalar value, cudaStream_t on) {
  constexpr int kItems = 16 / static_cast<int>(sizeof(T));
  constexpr int kThreads = 256;
  stream<T, kItems><<<blocks_for(views.size, kThreads * kItems), kThreads, 0, on>>>(
      reinterpret_cast<const T*>(views.data[0]), reinterpret_cast<const T*>(views.data[1]),
      reinterpret_cast<T*>(views.data[2]), views.size, op, value);
}

void launch_stream(DType dtype, const Views<3>& views, Elementwise op, Scalar value,
                   cudaStream_t on) {
  switch (dtype) {
    case DType::kInt8:
    case DType::kUint8:
      return launch_stream<std::uint8_t>(views, op, value, on);
    case DType::kInt16:
    case DType::kUint16:
      return launch_stream<std::uint16_t>(views, op, value, on);
    case DType::kInt32:
    case DType::kUint32:
      return launch_stream<std::uint32_t>(views, op, value, on);
    case DType::kInt64:
    case DType::kUint64:
      return launch_stream<std::uint64_t>(views, op, value, on);
    case DType::kFloat16:
      return launch_stream<Half>(views, op, value, on);
    case DType::kBfloat16:
      return launch_stream<Bfloat>(views, op, value, on);
    case DType::kFloat32:
      return launch_stream<float>(views, op, value, on);
    case DType::kFloat64:
      return launch_stream<double>(views, op, value, on);
    case DType::kComplex64:
      return launch_stream<Complex<float>>(views, op, value, on);
    case DType::kBool:  // never: sums and products of bool are not its bytes'
    case DType::kComplex128:
      break;
  }
  launch_stream<Complex<double>>(views, op, value, on);
}

// ---- choosing ----

bool is_one_type_without_gaps(const Views<3>& views, const Types& types) {
  const DType dtype = types.computed;
  if (dtype == DType::kBool || types.first != dtype || types.second != dtype ||
      types.target != dtype) {
    return false;
  }
  for (int i = 0; i < 3; ++i) {
    if (!views.is_contiguous(i, core::element_bytes(dtype)) || !views.is_aligned(i, 16)) {
      return false;
    }
  }
  return true;
}

// The target's elements are also read, at other places: results depend on the order of visits.
bool needs_order(const Views<3>& views, const Types& types) {
  const std::array<DType, 3> dtypes = {types.first, types.second, types.target};
  const auto ends = [&](int i) {
    auto reached = views.reach(i, core::element_bytes(dtypes[static_cast<std::size_t>(i)]));
    for (std::int64_t& end : reached) end += reinterpret_cast<std::intptr_t>(views.data[i]);
    return reached;
  };
  const auto target = ends(2);
  for (int i = 0; i < 2; ++i) {
    bool is_same = views.data[i] == views.data[2];
    for (std::uint32_t dim = 0; dim < views.rank; ++dim) {
      is_same = is_same && views.strides[dim][i] == views.strides[dim][2];
    }
    const auto source = ends(i);
    if (!is_same && source[0] < target[1] && target[0] < source[1]) return true;
  }
  return false;
}

}  // namespace

void launch_elementwise(Elementwise op, const DeviceOperand& first, const DeviceOperand& second,
                        const DeviceOperand& target, DType computed, double value,
                        const LaunchContext& context) {
  const Views<3> views = views_of<3>({&first, &second, &target});
  if (views.size == 0) return;
  const Types types{first.dtype, second.dtype, target.dtype, computed};
  if (needs_order(views, types)) {
    with_device_type(computed, [&](auto zero) {
      walk<decltype(zero)><<<1, 1, 0, context.stream>>>(views, types, op, scalar(value));
    });
  } else if (is_one_type_without_gaps(views, types)) {
    launch_stream(computed, views, op, scalar(value), context.stream);
  } else {
    with_device_type(computed, [&](auto zero) {
      walk<decltype(zero)><<<blocks_for(views.size, 256), 256, 0, context.stream>>>(
          views, types, op, scalar(value));
    });
  }
  check_cuda(cudaGetLastError(), "elementwise kernel");
}

// Without gaps and of one type the driver's own copy is fastest.
void copy_elements(Operands operands, const LaunchContext& context) {
  const DeviceOperand& source = operands[0];
  const DeviceOperand& target = operands[1];
  const std::int64_t bytes = core::element_bytes(source.dtype);
  const Views<2> views = views_of<2>({&source, &target});
  const bool is_plain = source.dtype == target.dtype && views.is_contiguous(0, bytes) &&
                        views.is_contiguous(1, bytes);
  if (!is_plain) {
    launch_elementwise(Elementwise::kCopy, source, source, target, source.dtype, 0.0, context);
  } else if (views.size > 0 && views.data[0] != views.data[1]) {
    check_cuda(
        cudaMemcpyAsync(views.data[1], views.data[0], static_cast<std::size_t>(views.size * bytes),
                        cudaMemcpyDeviceToDevice, context.stream),
        "copy");
  }
}

}  // namespace parley::exec::cuda
