// Elements as numbers on a GPU: the same compute types, casts and arithmetic as exec/element.h, so
// that results equal the host's byte for byte (the bits of a NaN excepted). Compiled without
// contraction to fused operations.
#pragma once

#include <cuda_fp16.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/graph/dtype.h"
#include "exec/element.h"

namespace parley::exec::cuda {

using core::DType;

template <class T>
struct Complex {
  using Part = T;
  T re, im;
};

template <class C>
inline constexpr bool kIsPair = !std::is_arithmetic_v<C>;

/// Calls visit(C{}) with the compute type of `dtype` (exec::with_compute_type, with our Complex).
template <class Visitor>
void with_device_type(DType dtype, Visitor&& visit) {
  with_compute_type(dtype, [&](auto zero) {
    using C = decltype(zero);
    if constexpr (std::is_arithmetic_v<C>) {
      visit(C{});
    } else {
      visit(Complex<typename C::value_type>{});
    }
  });
}

// ---- numbers of 16 bits ----

struct Half {
  std::uint16_t bits;
};
struct Bfloat {
  std::uint16_t bits;
};

__device__ inline float widened(Half value) { return __half2float(__ushort_as_half(value.bits)); }
__device__ inline float widened(Bfloat value) {
  return __uint_as_float(static_cast<std::uint32_t>(value.bits) << 16U);
}
__device__ inline Half to_half(float value) {
  if (isnan(value)) {
    const std::uint32_t sign = __float_as_uint(value) >> 16U & 0x8000U;
    return {static_cast<std::uint16_t>(sign | 0x7e00U)};
  }
  return {__half_as_ushort(__float2half_rn(value))};
}
__device__ inline Bfloat to_bfloat(float value) {
  const std::uint32_t bits = __float_as_uint(value);
  if (isnan(value)) return {static_cast<std::uint16_t>(bits >> 16U | 0x40U)};
  return {static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16U & 1U)) >> 16U)};
}

// ---- loading ----

template <class C, class T>
__device__ C widen(T value) {
  if constexpr (kIsPair<C>) {
    return {static_cast<typename C::Part>(value), typename C::Part{}};
  } else {
    return static_cast<C>(value);
  }
}

template <class T>
__device__ T read(const std::byte* at) {
  return *reinterpret_cast<const T*>(at);
}
template <class T>
__device__ void write(std::byte* at, T value) {
  *reinterpret_cast<T*>(at) = value;
}

template <class C, class T>
__device__ C load_pair(const std::byte* at) {
  if constexpr (kIsPair<C>) {
    using Part = typename C::Part;
    return {static_cast<Part>(read<T>(at)), static_cast<Part>(read<T>(at + sizeof(T)))};
  } else {
    return static_cast<C>(read<T>(at));
  }
}

/// The element at `at`, aligned for its number type.
template <class C>
__device__ C load(DType dtype, const std::byte* at) {
  switch (dtype) {
    case DType::kBool:
      return widen<C>(read<std::uint8_t>(at) != 0 ? 1 : 0);
    case DType::kInt8:
      return widen<C>(read<std::int8_t>(at));
    case DType::kInt16:
      return widen<C>(read<std::int16_t>(at));
    case DType::kInt32:
      return widen<C>(read<std::int32_t>(at));
    case DType::kInt64:
      return widen<C>(read<std::int64_t>(at));
    case DType::kUint8:
      return widen<C>(read<std::uint8_t>(at));
    case DType::kUint16:
      return widen<C>(read<std::uint16_t>(at));
    case DType::kUint32:
      return widen<C>(read<std::uint32_t>(at));
    case DType::kUint64:
      return widen<C>(read<std::uint64_t>(at));
    case DType::kFloat16:
      return widen<C>(widened(read<Half>(at)));
    case DType::kBfloat16:
      return widen<C>(widened(read<Bfloat>(at)));
    case DType::kFloat32:
      return widen<C>(read<float>(at));
    case DType::kFloat64:
      return widen<C>(read<double>(at));
    case DType::kComplex64:
      return load_pair<C, float>(at);
    case DType::kComplex128:
      break;
  }
  return load_pair<C, double>(at);
}

// ---- storing ----

template <class C>
__device__ auto real_part(C value) {
  if constexpr (kIsPair<C>) {
    return value.re;
  } else {
    return value;
  }
}

template <class C>
__device__ bool is_not_zero(C value) {
  if constexpr (kIsPair<C>) {
    return value.re != 0 || value.im != 0;
  } else {
    return value != 0;
  }
}

// Towards zero, clamped to what either signed or unsigned 64 bits can hold; NaN becomes 0.
__device__ inline std::uint64_t truncated(double value) {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (isnan(value)) return 0;
  if (value >= 2.0 * kTwo63) return ~std::uint64_t{0};
  if (value >= kTwo63) return static_cast<std::uint64_t>(value);
  if (value < -kTwo63) value = -kTwo63;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
}

template <class C>
__device__ std::uint64_t integer_bits(C value) {
  const auto real = real_part(value);
  if constexpr (std::is_integral_v<decltype(real)>) {
    return static_cast<std::uint64_t>(real);
  } else {
    return truncated(static_cast<double>(real));
  }
}

template <class T, class C>
__device__ void store_pair(std::byte* at, C value) {
  write(at, static_cast<T>(real_part(value)));
  if constexpr (kIsPair<C>) {
    write(at + sizeof(T), static_cast<T>(value.im));
  } else {
    write(at + sizeof(T), T{});
  }
}

// By way of double, as the host does: integers above 2^53 are rounded twice.
template <class C>
__device__ float narrowed(C value) {
  return static_cast<float>(static_cast<double>(real_part(value)));
}

template <class C>
__device__ void store(DType dtype, std::byte* at, C value) {
  switch (dtype) {
    case DType::kBool:
      return write<std::uint8_t>(at, is_not_zero(value) ? 1 : 0);
    case DType::kInt8:
    case DType::kUint8:
      return write(at, static_cast<std::uint8_t>(integer_bits(value)));
    case DType::kInt16:
    case DType::kUint16:
      return write(at, static_cast<std::uint16_t>(integer_bits(value)));
    case DType::kInt32:
    case DType::kUint32:
      return write(at, static_cast<std::uint32_t>(integer_bits(value)));
    case DType::kInt64:
    case DType::kUint64:
      return write(at, integer_bits(value));
    case DType::kFloat16:
      return write(at, to_half(narrowed(value)));
    case DType::kBfloat16:
      return write(at, to_bfloat(narrowed(value)));
    case DType::kFloat32:
      return write(at, static_cast<float>(real_part(value)));
    case DType::kFloat64:
      return write(at, static_cast<double>(real_part(value)));
    case DType::kComplex64:
      return store_pair<float>(at, value);
    case DType::kComplex128:
      break;
  }
  store_pair<double>(at, value);
}

/// `value` as an element of `dtype` would hold it. Requires: C is the compute type of `dtype`.
template <class C>
__device__ C rounded(DType dtype, C value) {
  if constexpr (std::is_same_v<C, std::int64_t>) {
    if (dtype == DType::kInt8) return static_cast<std::int8_t>(value);
    if (dtype == DType::kInt16) return static_cast<std::int16_t>(value);
    if (dtype == DType::kInt32) return static_cast<std::int32_t>(value);
  } else if constexpr (std::is_same_v<C, std::uint64_t>) {
    if (dtype == DType::kBool) return value != 0 ? 1 : 0;
    if (dtype == DType::kUint8) return static_cast<std::uint8_t>(value);
    if (dtype == DType::kUint16) return static_cast<std::uint16_t>(value);
    if (dtype == DType::kUint32) return static_cast<std::uint32_t>(value);
  } else if constexpr (std::is_same_v<C, float>) {
    if (dtype == DType::kFloat16) return widened(to_half(value));
    if (dtype == DType::kBfloat16) return widened(to_bfloat(value));
  }
  return value;
}

}  // namespace parley::exec::cuda
