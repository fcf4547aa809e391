// Layout of regions in replicas, and contents of arrays at the start.
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

}  // namespace

void random_element(DType dtype, std::uint64_t seed, std::uint64_t index, std::byte* out) {
  const std::uint64_t bits = splitmix64(seed + index);
  if (is_integer(dtype)) {
    std::memcpy(out, &bits, static_cast<std::size_t>(element_bytes(dtype)));
    return;
  }
  // 53 random bits: uniform in [0, 1); the imaginary part from a second draw.
  const auto uniform = [](std::uint64_t x) { return static_cast<double>(x >> 11U) * 0x1.0p-53; };
  encode_element(dtype, uniform(bits), out);
  if (dtype == DType::kBool) encode_element(dtype, static_cast<double>(bits & 1U), out);
  if (is_complex(dtype)) encode_imaginary(dtype, uniform(splitmix64(bits)), out);
}

void initial_bytes(const ArraySpec& spec, std::span<std::byte> out) {
  const auto element = static_cast<std::size_t>(element_bytes(spec.dtype));
  const std::size_t count = out.size() / element;
  switch (spec.initial.kind) {
    case Initial::Kind::kNone:
      PARLEY_CHECK(false, "contents of \"" + spec.name + "\" are undefined");
      break;
    case Initial::Kind::kFill:
      for (std::size_t i = 0; i < count; ++i) {
        std::memcpy(out.data() + i * element, spec.initial.data.data(), element);
      }
      break;
    case Initial::Kind::kValues:
      PARLEY_CHECK(spec.initial.data.size() == out.size(), "values of \"" + spec.name + "\"");
      if (!out.empty()) std::memcpy(out.data(), spec.initial.data.data(), out.size());
      break;
    case Initial::Kind::kArange:
      for (std::size_t i = 0; i < count; ++i) {
        encode_element(spec.dtype, static_cast<std::int64_t>(i), out.data() + i * element);
      }
      break;
    case Initial::Kind::kRandom:
      for (std::size_t i = 0; i < count; ++i) {
        random_element(spec.dtype, spec.initial.seed, i, out.data() + i * element);
      }
      break;
  }
}

}  // namespace parley::core
