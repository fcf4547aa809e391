// Element types of arrays, with numpy's names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace parley::core {

enum class DType : std::uint8_t {
  kBool, kInt8, kInt16, kInt32, kInt64, kUint8, kUint16, kUint32, kUint64,
  kFloat16, kBfloat16, kFloat32, kFloat64, kComplex64, kComplex128,
};

inline constexpr std::array<std::string_view, 15> kDTypeNames = {
    "bool",    "int8",    "int16",    "int32",   "int64",   "uint8",     "uint16",    "uint32",
    "uint64",  "float16", "bfloat16", "float32", "float64", "complex64", "complex128"};

/// numpy's name, as in the workload format.
constexpr std::string_view name_of(DType dtype) {
  return kDTypeNames[static_cast<std::size_t>(dtype)];
}

/// The type of that name, or nothing.
constexpr std::optional<DType> dtype_named(std::string_view name) {
  for (std::size_t i = 0; i < kDTypeNames.size(); ++i) {
    if (kDTypeNames[i] == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

/// Bytes of one element.
constexpr std::int64_t element_bytes(DType dtype) {
  constexpr std::array<std::int64_t, 15> kSizes = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 8, 16};
  return kSizes[static_cast<std::size_t>(dtype)];
}

}  // namespace parley::core
