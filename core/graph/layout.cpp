// Layout of regions in replicas, and contents of arrays at the start.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/check.h"
#include "core/graph/element.h"
#include "core/graph/program.h"

namespace parley::core {

void operand_strides(const Program& program, RegionId id, bool is_home_view,
                     std::span<std::int64_t> out) {
  const Region& region = program.region(id);
  const Array& array = program.array(region.array);
  std::int64_t stride = array.element_bytes;
  for (std::size_t d = region.box.rank(); d-- > 0;) {
    out[d] = is_home_view ? stride * region.box[d].step : stride;
    stride *= is_home_view ? array.spec.shape[d] : region.box[d].count;
  }
}

Bytes home_offset(const Program& program, RegionId id) {
  const Region& region = program.region(id);
  const Array& array = program.array(region.array);
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < region.box.rank(); ++d) {
    offset = offset * array.spec.shape[d] + region.box[d].start;
  }
  return Bytes(offset * array.element_bytes);
}

namespace {

std::uint64_t splitmix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

/// 53 random bits as a number in [0, 1).
double uniform(std::uint64_t bits) { return static_cast<double>(bits >> 11U) * 0x1.0p-53; }

}  // namespace

void random_element(DType dtype, std::uint64_t seed, std::uint64_t index, std::byte* out,
                    double added) {
  const std::uint64_t bits = splitmix64(seed + index);
  if (is_integer(dtype)) {
    const std::uint64_t sum = bits + static_cast<std::uint64_t>(static_cast<std::int64_t>(added));
    std::memcpy(out, &sum, static_cast<std::size_t>(element_bytes(dtype)));
    return;
  }
  if (dtype == DType::kBool) {
    encode_element(dtype, static_cast<double>(bits & 1U) + added, out);
    return;
  }
  encode_element(dtype, uniform(bits) + added, out);
  if (is_complex(dtype)) encode_imaginary(dtype, uniform(splitmix64(bits)), out);
}

Diagonal diagonal_of(std::span<const std::int64_t> shape) {
  Diagonal diagonal{1, 0};
  std::int64_t stride = 1;
  for (std::size_t d = shape.size(); d-- > 0;) {
    const bool is_last = d + 1 == shape.size();
    diagonal.count = is_last ? shape[d] : std::min(diagonal.count, shape[d]);
    diagonal.stride += stride;
    stride *= shape[d];
  }
  return diagonal;
}

namespace {

/// As random_element for each, of the type that large matrices have: three times as fast.
void fill_random_float64(std::uint64_t seed, std::span<std::byte> out) {
  const std::size_t count = out.size() / sizeof(double);
  for (std::size_t i = 0; i < count; ++i) {
    const double value = uniform(splitmix64(seed + i));
    std::memcpy(out.data() + i * sizeof value, &value, sizeof value);
  }
}

void fill_random(const ArraySpec& spec, std::int64_t first, std::span<std::byte> out) {
  const Initial& initial = spec.initial;
  const auto element = static_cast<std::size_t>(element_bytes(spec.dtype));
  const auto count = static_cast<std::int64_t>(out.size() / element);
  const auto start = static_cast<std::uint64_t>(first);
  if (spec.dtype == DType::kFloat64) {
    fill_random_float64(initial.seed + start, out);
  } else {
    for (std::size_t i = 0; i < out.size() / element; ++i) {
      random_element(spec.dtype, initial.seed, start + i, out.data() + i * element);
    }
  }
  if (std::fpclassify(initial.diagonal) == FP_ZERO || count == 0) return;
  const Diagonal diagonal = diagonal_of(spec.shape);
  const std::int64_t step = std::max<std::int64_t>(diagonal.stride, 1);
  for (std::int64_t i = (first + step - 1) / step; i < diagonal.count; ++i) {
    const std::int64_t at = i * diagonal.stride;
    if (at >= first + count) break;
    random_element(spec.dtype, initial.seed, static_cast<std::uint64_t>(at),
                   out.data() + static_cast<std::size_t>(at - first) * element, initial.diagonal);
  }
}

}  // namespace

void initial_elements(const ArraySpec& spec, std::int64_t first, std::span<std::byte> out) {
  const auto element = static_cast<std::size_t>(element_bytes(spec.dtype));
  const std::size_t count = out.size() / element;
  switch (spec.initial.kind) {
    case Initial::Kind::kNone:
      PARLEY_CHECK(false, "contents of \"" + spec.name + "\" are undefined");
      break;
    case Initial::Kind::kFill:
      // What is there is copied behind itself, twice as much each time.
      if (count > 0) std::memcpy(out.data(), spec.initial.data.data(), element);
      for (std::size_t done = element; done < count * element;) {
        const std::size_t more = std::min(done, count * element - done);
        std::memcpy(out.data() + done, out.data(), more);
        done += more;
      }
      break;
    case Initial::Kind::kValues: {
      const std::size_t offset = static_cast<std::size_t>(first) * element;
      PARLEY_CHECK(offset + out.size() <= spec.initial.data.size(),
                   "values of \"" + spec.name + "\"");
      if (!out.empty()) std::memcpy(out.data(), spec.initial.data.data() + offset, out.size());
      break;
    }
    case Initial::Kind::kArange:
      for (std::size_t i = 0; i < count; ++i) {
        encode_element(spec.dtype, first + static_cast<std::int64_t>(i), out.data() + i * element);
      }
      break;
    case Initial::Kind::kRandom:
      fill_random(spec, first, out);
      break;
  }
}

void initial_bytes(const ArraySpec& spec, std::span<std::byte> out) {
  initial_elements(spec, 0, out);
}

}  // namespace parley::core
