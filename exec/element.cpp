#include "exec/element.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/graph/element.h"

namespace parley::exec {
namespace {

using core::DType;

template <class T>
T read(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
template <class T>
void write(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

// Real number to compute type.
template <class C, class T>
C widen(T value) {
  if constexpr (kIsComplex<C>) {
    return C(static_cast<typename C::value_type>(value));
  } else {
    return static_cast<C>(value);
  }
}

template <class C, class T>
C load_complex(const std::byte* at) {
  const T real = read<T>(at);
  if constexpr (kIsComplex<C>) {
    using Part = typename C::value_type;
    return C(static_cast<Part>(real), static_cast<Part>(read<T>(at + sizeof(T))));
  } else {
    return static_cast<C>(real);
  }
}

template <class C>
auto real_part(C value) {
  if constexpr (kIsComplex<C>) {
    return value.real();
  } else {
    return value;
  }
}

// Floating point to 64 bits: towards zero, clamped to what either signed or unsigned can hold.
std::uint64_t truncated(double value) {
  constexpr double kTwo63 = 9223372036854775808.0;
  if (std::isnan(value)) return 0;
  if (value >= 2.0 * kTwo63) return std::numeric_limits<std::uint64_t>::max();
  if (value >= kTwo63) return static_cast<std::uint64_t>(value);
  if (value < -kTwo63) value = -kTwo63;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
}

template <class T, class C>
void store_integer(std::byte* at, C value) {
  const auto real = real_part(value);
  if constexpr (std::is_integral_v<decltype(real)>) {
    write(at, static_cast<T>(real));
  } else {
    write(at, static_cast<T>(truncated(static_cast<double>(real))));
  }
}

template <class T, class C>
void store_complex(std::byte* at, C value) {
  write(at, static_cast<T>(real_part(value)));
  if constexpr (kIsComplex<C>) {
    write(at + sizeof(T), static_cast<T>(value.imag()));
  } else {
    write(at + sizeof(T), T{});
  }
}

int byte_width(DType dtype) { return static_cast<int>(core::element_bytes(dtype)); }
bool is_signed(DType dtype) { return dtype >= DType::kInt8 && dtype <= DType::kInt64; }

DType signed_of_width(int bytes) {
  switch (bytes) {
    case 1:
      return DType::kInt8;
    case 2:
      return DType::kInt16;
    case 4:
      return DType::kInt32;
    default:
      return DType::kInt64;
  }
}

DType promoted_integers(DType a, DType b) {
  if (a == DType::kBool) return b;
  if (b == DType::kBool) return a;
  if (is_signed(a) == is_signed(b)) return byte_width(a) >= byte_width(b) ? a : b;
  const DType with_sign = is_signed(a) ? a : b;
  const DType without = is_signed(a) ? b : a;
  if (byte_width(with_sign) > byte_width(without)) return with_sign;
  if (byte_width(without) == 8) return DType::kFloat64;
  return signed_of_width(2 * byte_width(without));
}

// The real floating-point type that holds an element type, as numpy's promotion with a small float.
DType float_for(DType dtype, DType small) {
  if (dtype == DType::kComplex64) return DType::kFloat32;
  if (dtype == DType::kComplex128) return DType::kFloat64;
  if (is_float(dtype)) return dtype;
  switch (byte_width(dtype)) {
    case 1:
      return small;
    case 2:
      return DType::kFloat32;
    default:
      return DType::kFloat64;
  }
}

}  // namespace

bool is_integral(DType dtype) { return dtype <= DType::kUint64; }
bool is_float(DType dtype) { return !is_integral(dtype) && !core::is_complex(dtype); }

bool are_equal_elements(DType dtype, std::span<const std::byte> a, std::span<const std::byte> b) {
  if (std::ranges::equal(a, b)) return true;
  if (is_integral(dtype)) return false;
  const auto are_equal = [](double x, double y) {
    return x == y || (std::isnan(x) && std::isnan(y));
  };
  const auto bytes = static_cast<std::size_t>(core::element_bytes(dtype));
  for (std::size_t at = 0; at < a.size(); at += bytes) {
    if (!are_equal(core::decode_element(dtype, &a[at]), core::decode_element(dtype, &b[at])) ||
        !are_equal(core::decode_imaginary(dtype, &a[at]), core::decode_imaginary(dtype, &b[at]))) {
      return false;
    }
  }
  return true;
}

DType promoted(DType a, DType b) {
  if (is_integral(a) && is_integral(b)) return promoted_integers(a, b);
  const DType small =
      a == DType::kBfloat16 || b == DType::kBfloat16 ? DType::kBfloat16 : DType::kFloat16;
  const DType left = float_for(a, small);
  const DType right = float_for(b, small);
  DType real = byte_width(left) >= byte_width(right) ? left : right;
  if (left != right && byte_width(left) == byte_width(right)) real = DType::kFloat32;
  if (!core::is_complex(a) && !core::is_complex(b)) return real;
  return real == DType::kFloat64 ? DType::kComplex128 : DType::kComplex64;
}

DType promoted_with_scalar(DType dtype, double value) {
  if (!is_integral(dtype)) return dtype;
  if (std::trunc(value) != value) return DType::kFloat64;
  return dtype == DType::kBool ? DType::kInt64 : dtype;
}

template <class C>
C load_element(DType dtype, const std::byte* at) {
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
      return widen<C>(core::decode_element(dtype, at));
    case DType::kBfloat16:
      return widen<C>(core::decode_element(dtype, at));
    case DType::kFloat32:
      return widen<C>(read<float>(at));
    case DType::kFloat64:
      return widen<C>(read<double>(at));
    case DType::kComplex64:
      return load_complex<C, float>(at);
    case DType::kComplex128:
      break;
  }
  return load_complex<C, double>(at);
}

template <class C>
void store_element(DType dtype, std::byte* at, C value) {
  switch (dtype) {
    case DType::kBool:
      return write<std::uint8_t>(at, value != C{} ? 1 : 0);
    case DType::kInt8:
      return store_integer<std::int8_t>(at, value);
    case DType::kInt16:
      return store_integer<std::int16_t>(at, value);
    case DType::kInt32:
      return store_integer<std::int32_t>(at, value);
    case DType::kInt64:
      return store_integer<std::int64_t>(at, value);
    case DType::kUint8:
      return store_integer<std::uint8_t>(at, value);
    case DType::kUint16:
      return store_integer<std::uint16_t>(at, value);
    case DType::kUint32:
      return store_integer<std::uint32_t>(at, value);
    case DType::kUint64:
      return store_integer<std::uint64_t>(at, value);
    case DType::kFloat16:
      return core::encode_element(dtype, static_cast<double>(real_part(value)), at);
    case DType::kBfloat16:
      return core::encode_element(dtype, static_cast<double>(real_part(value)), at);
    case DType::kFloat32:
      return write(at, static_cast<float>(real_part(value)));
    case DType::kFloat64:
      return write(at, static_cast<double>(real_part(value)));
    case DType::kComplex64:
      return store_complex<float>(at, value);
    case DType::kComplex128:
      break;
  }
  store_complex<double>(at, value);
}

#define PARLEY_COMPUTE_TYPE(C)                         \
  template C load_element<C>(DType, const std::byte*); \
  template void store_element<C>(DType, std::byte*, C);
PARLEY_COMPUTE_TYPE(std::int64_t)
PARLEY_COMPUTE_TYPE(std::uint64_t)
PARLEY_COMPUTE_TYPE(float)
PARLEY_COMPUTE_TYPE(double)
PARLEY_COMPUTE_TYPE(std::complex<float>)
PARLEY_COMPUTE_TYPE(std::complex<double>)
#undef PARLEY_COMPUTE_TYPE

void cast_element(DType from, const std::byte* source, DType to, std::byte* target) {
  if (from == to) {
    std::memmove(target, source, static_cast<std::size_t>(core::element_bytes(from)));
    return;
  }
  with_compute_type(from, [&](auto zero) {
    store_element(to, target, load_element<decltype(zero)>(from, source));
  });
}

}  // namespace parley::exec
