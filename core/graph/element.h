// Elements of every dtype to and from numbers, with numpy's casting: integers wrap, floats round to
// nearest even, bool is "not zero", a real becomes a complex with no imaginary part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/graph/dtype.h"

namespace parley::core {

bool is_integer(DType dtype);  // signed or unsigned, not bool
bool is_complex(DType dtype);

/// Writes element_bytes(dtype) bytes at `out`.
void encode_element(DType dtype, double value, std::byte* out);
void encode_element(DType dtype, std::int64_t value, std::byte* out);
/// The imaginary part of a complex element, the real one left as it is.
void encode_imaginary(DType dtype, double value, std::byte* out);
/// The real part; integers above 2^53 lose digits.
double decode_element(DType dtype, const std::byte* in);
double decode_imaginary(DType dtype, const std::byte* in);  // 0 unless complex
/// Exact for integers and bool.
std::int64_t decode_integer(DType dtype, const std::byte* in);

/// Element `index` of {"random": seed}: splitmix64 (Steele, Lea, Flood 2014) of seed + index;
/// integers take its low bytes, floats its high 53 bits as a number in [0, 1). `added` is added
/// before the one rounding to the type (integers add it without its fraction and wrap around; a
/// bool is whether the sum is not zero).
void random_element(DType dtype, std::uint64_t seed, std::uint64_t index, std::byte* out,
                    double added = 0.0);

/// Row-major indices of the elements whose indices are all equal, of an array of that shape: i times
/// `stride` for i below `count`.
struct Diagonal {
  std::int64_t count = 0, stride = 0;
};
Diagonal diagonal_of(std::span<const std::int64_t> shape);

}  // namespace parley::core
