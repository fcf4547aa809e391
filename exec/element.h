// Elements of arrays as numbers. Every element type is computed with in one of six C++ types (its
// "compute type"); results are rounded to the type that numpy's promotion gives and then cast to
// the type of the target, as `target[...] = a + b` does in numpy.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/graph/dtype.h"

namespace parley::exec {

/// numpy's result_type of two array types; bfloat16 behaves like float16, and both give float32.
core::DType promoted(core::DType a, core::DType b);
/// The type in which an array of `dtype` and a Python number `value` are combined.
core::DType promoted_with_scalar(core::DType dtype, double value);

bool is_integral(core::DType dtype);  // integers and bool
bool is_float(core::DType dtype);     // real floating point

/// Calls visit(C{}) with the compute type of `dtype`: int64, uint64, float, double or a complex.
template <class Visitor>
decltype(auto) with_compute_type(core::DType dtype, Visitor&& visit) {
  using core::DType;
  switch (dtype) {
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64:
      return visit(std::int64_t{});
    case DType::kBool:
    case DType::kUint8:
    case DType::kUint16:
    case DType::kUint32:
    case DType::kUint64:
      return visit(std::uint64_t{});
    case DType::kFloat16:
    case DType::kBfloat16:
    case DType::kFloat32:
      return visit(float{});
    case DType::kFloat64:
      return visit(double{});
    case DType::kComplex64:
      return visit(std::complex<float>{});
    case DType::kComplex128:
      break;
  }
  return visit(std::complex<double>{});
}

/// The element at `at`, which need not be aligned. A complex number read as a real one loses its
/// imaginary part. Instantiated for the six compute types.
template <class C>
C load_element(core::DType dtype, const std::byte* at);

/// Whether all elements are the same numbers: 0 and -0 are, and so is NaN and NaN. Requires: of one
/// size.
bool are_equal_elements(core::DType dtype, std::span<const std::byte> a,
                        std::span<const std::byte> b);

/// Stores with numpy's cast: towards zero and modulo 2^bits for integers, to nearest even for
/// floating point, "not zero" for bool; NaN becomes the integer 0.
template <class C>
void store_element(core::DType dtype, std::byte* at, C value);

void cast_element(core::DType from, const std::byte* source, core::DType to, std::byte* target);

/// Rounds `value` to `rounded_to`, then casts and stores it as `dtype`.
template <class C>
void store_rounded(core::DType rounded_to, core::DType dtype, std::byte* at, C value) {
  if (rounded_to == dtype) {
    store_element(dtype, at, value);
    return;
  }
  std::byte buffer[16];
  store_element(rounded_to, buffer, value);
  cast_element(rounded_to, buffer, dtype, at);
}

template <class C>
inline constexpr bool kIsComplex = !std::is_arithmetic_v<C>;

/// Sum and product; integers wrap around.
template <class C>
C plus(C a, C b) {
  if constexpr (std::is_integral_v<C>) {
    return static_cast<C>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  } else {
    return a + b;
  }
}
template <class C>
C times(C a, C b) {
  if constexpr (std::is_integral_v<C>) {
    return static_cast<C>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  } else {
    return a * b;
  }
}

/// Divided by a real number, part by part. Requires: not an integer.
template <class C>
C divided(C value, double by) {
  if constexpr (kIsComplex<C>) {
    return value / static_cast<typename C::value_type>(by);
  } else {
    return value / static_cast<C>(by);
  }
}

/// A parameter as a compute type; integers as store_element would cast them.
template <class C>
C from_number(double value) {
  if constexpr (std::is_same_v<C, std::int64_t>) {
    std::byte buffer[8];
    store_element(core::DType::kInt64, buffer, value);
    return load_element<C>(core::DType::kInt64, buffer);
  } else if constexpr (std::is_same_v<C, std::uint64_t>) {
    std::byte buffer[8];
    store_element(core::DType::kUint64, buffer, value);
    return load_element<C>(core::DType::kUint64, buffer);
  } else if constexpr (std::is_same_v<C, std::complex<float>>) {
    return C(static_cast<float>(value));
  } else {
    return static_cast<C>(value);
  }
}

}  // namespace parley::exec
