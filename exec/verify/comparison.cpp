#include "exec/verify/comparison.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>

#include "core/graph/element.h"
#include "exec/element.h"

namespace parley::exec {
namespace {

using Method = ArrayVerdict::Method;

/// One element as an expected and a found number; real and imaginary part.
struct Numbers {
  double expected[2];
  double found[2];

  Numbers(core::DType dtype, const std::byte* expected_at, const std::byte* found_at)
      : expected{core::decode_element(dtype, expected_at),
                 core::decode_imaginary(dtype, expected_at)},
        found{core::decode_element(dtype, found_at), core::decode_imaginary(dtype, found_at)} {}

  /// Greatest distance of the parts; infinite when one is finite and the other is not.
  [[nodiscard]] double distance() const {
    double most = 0.0;
    for (const int part : {0, 1}) {
      const double x = expected[part], y = found[part];
      if (std::isnan(x) && std::isnan(y)) continue;
      if (std::isinf(x) && std::isinf(y) && std::signbit(x) == std::signbit(y)) continue;
      const double distance = std::abs(x - y);
      if (!std::isfinite(distance)) return HUGE_VAL;
      most = std::max(most, distance);
    }
    return most;
  }
  [[nodiscard]] bool are_both_nan() const {
    return (std::isnan(expected[0]) || std::isnan(expected[1])) && !(distance() > 0.0);
  }
};

class ElementComparison {
 public:
  ElementComparison(const core::Program& program, core::ArrayId array,
                    std::span<const std::byte> expected, std::span<const std::byte> found,
                    const Tolerance& tolerance)
      : program_(program),
        spec_(program.array(array).spec),
        expected_(expected),
        found_(found),
        tolerance_(tolerance),
        bytes_(static_cast<std::size_t>(program.array(array).element_bytes)) {
    verdict_.array = array;
  }

  ArrayVerdict run() {
    const std::size_t count = expected_.size() / bytes_;
    for (std::size_t i = 0; i < count && verdict_.holds; ++i) {
      if (std::memcmp(expected_.data() + i * bytes_, found_.data() + i * bytes_, bytes_) != 0) {
        judge(i);
      }
    }
    return verdict_;
  }

 private:
  /// An element whose bytes differ.
  void judge(std::size_t i) {
    const Certainty certainty =
        tolerance_.certainties.empty() ? Certainty::kExact : tolerance_.certainties[i];
    switch (certainty) {
      case Certainty::kUnknown:
        ++verdict_.unknown;
        return;
      case Certainty::kExact:
        // The payload of a NaN is nobody's to choose.
        if (is_integral(spec_.dtype) || !numbers(i).are_both_nan()) {
          refuse(difference_text(program_, verdict_.array, i, expected_, found_));
        }
        return;
      case Certainty::kRounded:
        judge_rounded(i);
        return;
    }
  }

  void judge_rounded(std::size_t i) {
    const Numbers pair = numbers(i);
    const double distance = pair.distance();
    const double allowed = tolerance_.rounding.allowed();
    verdict_.method = Method::kRounding;
    verdict_.allowed = allowed;
    verdict_.error = std::max(verdict_.error, distance);
    if (distance <= allowed) return;
    const bool is_complex = core::is_complex(spec_.dtype);
    const auto text = [&](const double(&parts)[2]) {
      return number_text(parts[0]) + (is_complex ? " + " + number_text(parts[1]) + "i" : "");
    };
    refuse(element_text(program_, verdict_.array, i) + ": found " + text(pair.found) +
           ", expected " + text(pair.expected) + "; rounding explains " + number_text(allowed));
  }

  [[nodiscard]] Numbers numbers(std::size_t i) const {
    return {spec_.dtype, expected_.data() + i * bytes_, found_.data() + i * bytes_};
  }

  void refuse(std::string text) {
    verdict_.holds = false;
    verdict_.text = std::move(text);
  }

  const core::Program& program_;
  const core::ArraySpec& spec_;
  std::span<const std::byte> expected_, found_;
  const Tolerance& tolerance_;
  std::size_t bytes_;
  ArrayVerdict verdict_;
};

/// Of the real and the imaginary part.
core::DType part_type(core::DType dtype) {
  if (dtype == core::DType::kComplex64) return core::DType::kFloat32;
  return dtype == core::DType::kComplex128 ? core::DType::kFloat64 : dtype;
}

/// Bits of the exponent all set: infinite, or not a number. `Bits`: the element's as an integer.
template <class Bits>
std::size_t next_with_exponent(Bits exponent, std::span<const std::byte> contents,
                               std::size_t from) {
  const std::size_t count = contents.size() / sizeof(Bits);
  for (; from < count; ++from) {
    Bits bits;
    std::memcpy(&bits, contents.data() + from * sizeof bits, sizeof bits);
    if ((bits & exponent) == exponent) return from;
  }
  return count;
}

/// The first element from `from` on that is not finite; the number of elements if there is none.
std::size_t next_not_finite(core::DType dtype, std::span<const std::byte> contents,
                            std::size_t from) {
  switch (dtype) {
    case core::DType::kFloat16:
      return next_with_exponent<std::uint16_t>(0x7c00U, contents, from);
    case core::DType::kBfloat16:
      return next_with_exponent<std::uint16_t>(0x7f80U, contents, from);
    case core::DType::kFloat32:
      return next_with_exponent<std::uint32_t>(0x7f800000U, contents, from);
    default:
      return next_with_exponent<std::uint64_t>(0x7ff0000000000000U, contents, from);
  }
}

}  // namespace

std::string number_text(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.9g", value);
  return text.data();
}

ArrayVerdict compare(const core::Program& program, core::ArrayId array,
                     std::span<const std::byte> expected, std::span<const std::byte> found,
                     const Tolerance& tolerance) {
  ArrayVerdict verdict;
  verdict.array = array;
  if (expected.size() != found.size()) {
    verdict.holds = false;
    verdict.text = program.array(array).spec.name + ": found " + std::to_string(found.size()) +
                   " bytes, expected " + std::to_string(expected.size());
    return verdict;
  }
  if (expected.empty() || std::memcmp(expected.data(), found.data(), expected.size()) == 0) {
    return verdict;
  }
  return ElementComparison(program, array, expected, found, tolerance).run();
}

std::string not_finite_text(const core::Program& program, core::ArrayId array,
                            std::span<const std::byte> contents,
                            std::span<const Certainty> certainties) {
  const core::DType dtype = program.array(array).spec.dtype;
  if (is_integral(dtype)) return "";
  const auto bytes = static_cast<std::size_t>(program.array(array).element_bytes);
  const std::size_t part_bytes = core::is_complex(dtype) ? bytes / 2 : bytes;
  for (std::size_t part = 0;; ++part) {
    part = next_not_finite(part_type(dtype), contents, part);
    const std::size_t i = part * part_bytes / bytes;
    if (i >= contents.size() / bytes) return "";
    if (!certainties.empty() && certainties[i] == Certainty::kUnknown) continue;
    const double value =
        core::decode_element(part_type(dtype), contents.data() + part * part_bytes);
    return element_text(program, array, i) + ": " + (std::isnan(value) ? "nan" : "inf");
  }
}

}  // namespace parley::exec
