#include "core/graph/element.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace parley::core {
namespace {

template <class T>
void put(std::byte* out, T value) {
  std::memcpy(out, &value, sizeof value);
}

template <class T>
T get(const std::byte* in) {
  T value;
  std::memcpy(&value, in, sizeof value);
  return value;
}

/// IEEE 754 binary16, round to nearest even (by the float's own rounding of the scaled
/// significand).
std::uint16_t to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16U & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  if (magnitude > 0x7f800000U) return static_cast<std::uint16_t>(sign | 0x7e00U);
  if (magnitude >= 0x47800000U) return static_cast<std::uint16_t>(sign | 0x7c00U);
  if (magnitude < 0x38800000U) {  // subnormal: adding 0.5 aligns the significand's last bit
    const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000U));
  }
  const std::uint32_t odd = magnitude >> 13U & 1U;
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000U + 0xfffU + odd) >> 13U));
}

float from_half(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16U;
  const std::uint32_t exponent = half >> 10U & 0x1fU;
  const std::uint32_t fraction = half & 0x3ffU;
  if (exponent == 0) {
    const float value = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -value : value;
  }
  const std::uint32_t wide = exponent == 31U ? 0x7f800000U : (exponent + 112U) << 23U;
  return std::bit_cast<float>(sign | wide | fraction << 13U);
}

std::uint16_t to_bfloat(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return static_cast<std::uint16_t>(bits >> 16U | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16U & 1U)) >> 16U);
}

float from_bfloat(std::uint16_t value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16U);
}

/// numpy casts a float to an integer by truncation; out of range wraps through 64 bits.
std::int64_t truncated(double value) {
  if (!(value > -9.3e18 && value < 1.85e19)) return 0;
  if (value >= 9223372036854775808.0)
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(value));
  if (value < -9223372036854775808.0) return 0;
  return static_cast<std::int64_t>(value);
}

}  // namespace

bool is_integer(DType dtype) { return dtype >= DType::kInt8 && dtype <= DType::kUint64; }

bool is_complex(DType dtype) { return dtype >= DType::kComplex64; }

void encode_element(DType dtype, std::int64_t value, std::byte* out) {
  if (dtype == DType::kBool) {
    put(out, static_cast<std::uint8_t>(value != 0));
  } else if (is_integer(dtype)) {
    std::memcpy(out, &value, static_cast<std::size_t>(element_bytes(dtype)));
  } else {
    encode_element(dtype, static_cast<double>(value), out);
  }
}

void encode_element(DType dtype, double value, std::byte* out) {
  switch (dtype) {
    case DType::kBool:
      put(out, static_cast<std::uint8_t>(value != 0.0));
      return;
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64:
    case DType::kUint8:
    case DType::kUint16:
    case DType::kUint32:
    case DType::kUint64:
      encode_element(dtype, truncated(value), out);
      return;
    case DType::kFloat16:
      put(out, to_half(static_cast<float>(value)));
      return;
    case DType::kBfloat16:
      put(out, to_bfloat(static_cast<float>(value)));
      return;
    case DType::kFloat32:
      put(out, static_cast<float>(value));
      return;
    case DType::kFloat64:
      put(out, value);
      return;
    case DType::kComplex64:
      put(out, static_cast<float>(value));
      put(out + 4, 0.0F);
      return;
    case DType::kComplex128:
      put(out, value);
      put(out + 8, 0.0);
      return;
  }
}

void encode_imaginary(DType dtype, double value, std::byte* out) {
  if (dtype == DType::kComplex64) put(out + 4, static_cast<float>(value));
  if (dtype == DType::kComplex128) put(out + 8, value);
}

std::int64_t decode_integer(DType dtype, const std::byte* in) {
  switch (dtype) {
    case DType::kBool:
      return get<std::uint8_t>(in);
    case DType::kInt8:
      return get<std::int8_t>(in);
    case DType::kInt16:
      return get<std::int16_t>(in);
    case DType::kInt32:
      return get<std::int32_t>(in);
    case DType::kInt64:
      return get<std::int64_t>(in);
    case DType::kUint8:
      return get<std::uint8_t>(in);
    case DType::kUint16:
      return get<std::uint16_t>(in);
    case DType::kUint32:
      return get<std::uint32_t>(in);
    case DType::kUint64:
      return static_cast<std::int64_t>(get<std::uint64_t>(in));
    case DType::kFloat16:
    case DType::kBfloat16:
    case DType::kFloat32:
    case DType::kFloat64:
    case DType::kComplex64:
    case DType::kComplex128:
      return truncated(decode_element(dtype, in));
  }
  return 0;
}

double decode_element(DType dtype, const std::byte* in) {
  switch (dtype) {
    case DType::kBool:
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64:
    case DType::kUint8:
    case DType::kUint16:
    case DType::kUint32:
      return static_cast<double>(decode_integer(dtype, in));
    case DType::kUint64:
      return static_cast<double>(get<std::uint64_t>(in));
    case DType::kFloat16:
      return static_cast<double>(from_half(get<std::uint16_t>(in)));
    case DType::kBfloat16:
      return static_cast<double>(from_bfloat(get<std::uint16_t>(in)));
    case DType::kFloat32:
    case DType::kComplex64:
      return static_cast<double>(get<float>(in));
    case DType::kFloat64:
    case DType::kComplex128:
      return get<double>(in);
  }
  return 0.0;
}

double decode_imaginary(DType dtype, const std::byte* in) {
  if (dtype == DType::kComplex64) return static_cast<double>(get<float>(in + 4));
  if (dtype == DType::kComplex128) return get<double>(in + 8);
  return 0.0;
}

}  // namespace parley::core
