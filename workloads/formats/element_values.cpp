#include "workloads/formats/element_values.h"

#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "core/graph/element.h"

namespace parley::workloads {
namespace {

using core::DType;

struct IntegerRange {
  std::int64_t lowest = 0;
  std::uint64_t highest = 0;
};

IntegerRange range_of(DType dtype) {
  const auto bits = static_cast<unsigned>(core::element_bytes(dtype)) * 8U;
  if (dtype >= DType::kUint8 && dtype <= DType::kUint64) {
    return {0, std::numeric_limits<std::uint64_t>::max() >> (64U - bits)};
  }
  const std::uint64_t highest = std::numeric_limits<std::uint64_t>::max() >> (65U - bits);
  return {-static_cast<std::int64_t>(highest) - 1, highest};
}

std::string quoted(DType dtype) { return "\"" + std::string(core::name_of(dtype)) + "\""; }

bool out_of_range(JsonReader& reader, JsonValue value, DType dtype) {
  const IntegerRange range = range_of(dtype);
  reader.fault(value, describe(value) + " does not fit " + quoted(dtype) + " (" +
                          std::to_string(range.lowest) + " to " + std::to_string(range.highest) +
                          ")");
  return false;
}

bool read_integer(JsonReader& reader, JsonValue value, DType dtype, std::byte* out) {
  const IntegerRange range = range_of(dtype);
  std::int64_t bits = 0;
  if (value.kind() == JsonKind::kFloat) {
    const double number = value.number();
    if (!is_whole(number)) {
      reader.wrong_type(value, "an integer for " + quoted(dtype));
      return false;
    }
    if (std::fabs(number) > static_cast<double>(kLargestExact)) {
      reader.fault(value, "found " + describe(value) +
                              ": an integer spelled as a float is exact only up to 2^53; write all "
                              "its digits");
      return false;
    }
    bits = static_cast<std::int64_t>(number);
  } else if (value.kind() == JsonKind::kInteger) {
    bits = value.integer();
  } else if (value.kind() == JsonKind::kUnsigned && range.highest >= value.unsigned_integer()) {
    core::encode_element(dtype, static_cast<std::int64_t>(value.unsigned_integer()), out);
    return true;
  } else {
    return out_of_range(reader, value, dtype);
  }
  const bool fits =
      bits >= range.lowest && (bits < 0 || static_cast<std::uint64_t>(bits) <= range.highest);
  if (!fits) return out_of_range(reader, value, dtype);
  core::encode_element(dtype, bits, out);
  return true;
}

/// Whether an integer literal is a double without rounding.
bool is_exact_double(JsonValue value) {
  const double number = value.number();
  if (value.kind() == JsonKind::kInteger) {
    return number < 0x1p63 && static_cast<std::int64_t>(number) == value.integer();
  }
  return value.kind() == JsonKind::kUnsigned && number < 0x1p64 &&
         static_cast<std::uint64_t>(number) == value.unsigned_integer();
}

/// A JSON number, or "nan", "inf", "-inf", as a number that the dtype can hold.
std::optional<double> read_real(JsonReader& reader, JsonValue value, DType dtype) {
  if (value.is_string()) {
    const std::string_view text = value.text();
    if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
    if (text == "inf") return std::numeric_limits<double>::infinity();
    if (text == "-inf") return -std::numeric_limits<double>::infinity();
  }
  if (!value.is_number()) {
    reader.wrong_type(value, "a number (or \"nan\", \"inf\", \"-inf\") for " + quoted(dtype));
    return std::nullopt;
  }
  const double number = value.number();
  std::array<std::byte, 16> element{};
  core::encode_element(dtype, number, element.data());
  const double stored = core::decode_element(dtype, element.data());
  if (!std::isfinite(stored)) {
    reader.fault(value, describe(value) + " is too large for " + quoted(dtype));
    return std::nullopt;
  }
  const bool is_exact = is_exact_double(value) && stored >= number && stored <= number;
  if (value.kind() != JsonKind::kFloat && !is_exact) {
    reader.fault(value, "the integer " + describe(value) + " is not exact in " + quoted(dtype) +
                            "; spell it as a float (with a \".0\") to round it");
    return std::nullopt;
  }
  return number;
}

bool read_bool(JsonReader& reader, JsonValue value, std::byte* out) {
  const bool is_bit =
      value.kind() == JsonKind::kInteger && (value.integer() == 0 || value.integer() == 1);
  if (value.kind() != JsonKind::kBool && !is_bit) {
    reader.wrong_type(value, "true, false, 0 or 1 for \"bool\"");
    return false;
  }
  const bool is_true = is_bit ? value.integer() == 1 : value.boolean();
  core::encode_element(DType::kBool, static_cast<std::int64_t>(is_true ? 1 : 0), out);
  return true;
}

bool read_complex(JsonReader& reader, JsonValue value, DType dtype, std::byte* out) {
  if (!value.is_list()) {
    const std::optional<double> real = read_real(reader, value, dtype);
    if (real) core::encode_element(dtype, *real, out);
    return real.has_value();
  }
  if (value.size() != 2) {
    reader.wrong_type(value, "a number or [real, imaginary] for " + quoted(dtype));
    return false;
  }
  JsonValue::Iterator part = value.begin();
  const std::optional<double> real = read_real(reader, *part, dtype);
  const std::optional<double> imaginary = read_real(reader, *++part, dtype);
  if (!real || !imaginary) return false;
  core::encode_element(dtype, *real, out);
  core::encode_imaginary(dtype, *imaginary, out);
  return true;
}

}  // namespace

bool read_element(JsonReader& reader, JsonValue value, DType dtype, std::byte* out) {
  if (dtype == DType::kBool) return read_bool(reader, value, out);
  if (core::is_complex(dtype)) return read_complex(reader, value, dtype, out);
  if (core::is_integer(dtype)) {
    if (value.is_number()) return read_integer(reader, value, dtype, out);
    reader.wrong_type(value, "an integer for " + quoted(dtype));
    return false;
  }
  const std::optional<double> real = read_real(reader, value, dtype);
  if (real) core::encode_element(dtype, *real, out);
  return real.has_value();
}

bool read_elements(JsonReader& reader, JsonValue value, DType dtype,
                   std::span<const std::int64_t> shape, std::vector<std::byte>& out) {
  if (shape.empty()) {
    std::array<std::byte, 16> element{};
    const bool is_good = read_element(reader, value, dtype, element.data());
    out.insert(out.end(), element.begin(), element.begin() + core::element_bytes(dtype));
    return is_good;
  }
  const std::string wanted =
      "a list of " + std::to_string(shape.front()) + (shape.size() > 1 ? " lists" : " values");
  if (!reader.expect_list(value, wanted)) return false;
  if (value.size() != static_cast<std::size_t>(shape.front())) {
    reader.fault(value, "expected " + wanted + ", found " + std::to_string(value.size()));
    return false;
  }
  bool is_good = true;
  for (const JsonValue inner : value) {
    is_good = read_elements(reader, inner, dtype, shape.subspan(1), out) && is_good;
  }
  return is_good;
}

// ---- writing ----

namespace {

void append_real(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "\"nan\"";
  } else if (std::isinf(value)) {
    out += value > 0 ? "\"inf\"" : "\"-inf\"";
  } else {
    append_float(out, value);
  }
}

}  // namespace

void append_element(std::string& out, DType dtype, const std::byte* element) {
  if (dtype == DType::kBool) {
    out += core::decode_integer(dtype, element) != 0 ? "true" : "false";
  } else if (dtype == DType::kUint64) {
    out += std::to_string(static_cast<std::uint64_t>(core::decode_integer(dtype, element)));
  } else if (core::is_integer(dtype)) {
    out += std::to_string(core::decode_integer(dtype, element));
  } else if (core::is_complex(dtype)) {
    out += '[';
    append_real(out, core::decode_element(dtype, element));
    out += ", ";
    append_real(out, core::decode_imaginary(dtype, element));
    out += ']';
  } else {
    append_real(out, core::decode_element(dtype, element));
  }
}

void append_elements(std::string& out, DType dtype, std::span<const std::int64_t> shape,
                     std::span<const std::byte> bytes) {
  if (shape.empty()) {
    append_element(out, dtype, bytes.data());
    return;
  }
  out += '[';
  const std::size_t row =
      shape.front() == 0 ? 0 : bytes.size() / static_cast<std::size_t>(shape.front());
  for (std::int64_t i = 0; i < shape.front(); ++i) {
    if (i > 0) out += ", ";
    append_elements(out, dtype, shape.subspan(1),
                    bytes.subspan(static_cast<std::size_t>(i) * row, row));
  }
  out += ']';
}

}  // namespace parley::workloads
