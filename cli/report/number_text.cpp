#include "cli/report/number_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstdlib>

#include "exec/element.h"

namespace parley::cli {
namespace {

using core::DType;

constexpr int kPrecision = 8;  // digits after the point, at most

/// A number whose text is the shortest that reads back as the same element of its type.
struct Real {
  double value = 0.0;
  DType dtype = DType::kFloat64;  // a real floating-point type
};

template <class Number>
std::string chars_of(Number number, std::chars_format form) {
  char digits[400];  // the longest is 1.8e308 in fixed form
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number, form);
  return {digits, end};
}

std::string chars_of(double number, std::chars_format form, int precision) {
  char digits[400];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number, form, precision);
  return {digits, end};
}

/// The shortest decimal that rounds to the same 16-bit number.
double shortest_of_half(const Real& real) {
  constexpr int kMostDigits = 9;
  for (int digits = 0; digits < kMostDigits; ++digits) {
    const std::string text = chars_of(real.value, std::chars_format::scientific, digits);
    const double candidate = std::strtod(text.c_str(), nullptr);
    std::byte rounded[2];
    exec::store_element(real.dtype, rounded, static_cast<float>(candidate));
    const auto back = static_cast<double>(exec::load_element<float>(real.dtype, rounded));
    if (back >= real.value && back <= real.value) return candidate;
  }
  return real.value;
}

std::string shortest(const Real& real, std::chars_format form) {
  if (real.dtype == DType::kFloat32) return chars_of(static_cast<float>(real.value), form);
  if (real.dtype == DType::kFloat64) return chars_of(real.value, form);
  // Whole numbers keep all their digits in fixed form; every 16-bit number from 2048 on is one.
  const bool is_whole = form == std::chars_format::fixed && std::abs(real.value) >= 2048.0;
  return chars_of(is_whole ? real.value : shortest_of_half(real), form);
}

/// Integer part, digits after the point, and exponent with its sign ("" where there is none).
struct Decimal {
  std::string whole, fraction, exponent;
};

Decimal split(const std::string& text) {
  const std::size_t e = std::min(text.find('e'), text.size());
  const std::size_t point = std::min(text.find('.'), e);
  return {text.substr(0, point), point < e ? text.substr(point + 1, e - point - 1) : "",
          e < text.size() ? text.substr(e + 1) : ""};
}

void trim_zeros(std::string& digits) { digits.erase(digits.find_last_not_of('0') + 1); }

/// The shortest text, rounded where that has more than kPrecision digits after the point.
Decimal decimal(const Real& real, std::chars_format form) {
  Decimal parts = split(shortest(real, form));
  if (parts.fraction.size() > kPrecision) parts = split(chars_of(real.value, form, kPrecision));
  trim_zeros(parts.fraction);
  return parts;
}

std::string padded_left(std::string text, std::size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

/// Chooses the form for all numbers of an array, then formats them one by one.
class FloatFormat {
 public:
  FloatFormat(const std::vector<Real>& reals, bool always_signed) : is_signed_(always_signed) {
    choose_form(reals);
    std::size_t special = 0;
    for (const Real& real : reals) {
      if (!std::isfinite(real.value)) {
        special = std::max(special, special_text(real.value).size());
        continue;
      }
      const Decimal parts = decimal(real, form_);
      before_ = std::max(before_, signed_whole(parts, real.value).size());
      after_ = std::max(after_, parts.fraction.size());
      exponent_ = std::max(exponent_, parts.exponent.size());
    }
    const std::size_t width_after = point_and_after();
    if (special > width_after) before_ = std::max(before_, special - width_after);
  }

  [[nodiscard]] std::string text(const Real& real) const {
    if (!std::isfinite(real.value)) {
      return padded_left(special_text(real.value), before_ + point_and_after());
    }
    Decimal parts = decimal(real, form_);
    const bool has_exponent = form_ == std::chars_format::scientific;
    if (has_exponent && parts.fraction.size() < after_) {
      // numpy goes on with digits of the exact value, not with zeros.
      parts = split(chars_of(real.value, form_, static_cast<int>(after_)));
    }
    parts.fraction.resize(after_, ' ');
    return padded_left(signed_whole(parts, real.value), before_) + "." + parts.fraction +
           (has_exponent ? "e" + parts.exponent : "");
  }

 private:
  void choose_form(const std::vector<Real>& reals) {
    double least = 0.0;
    double most = 0.0;
    for (const Real& real : reals) {
      const double size = std::abs(real.value);
      if (!std::isfinite(size) || size <= 0.0) continue;
      least = least > 0.0 ? std::min(least, size) : size;
      most = std::max(most, size);
    }
    const bool is_wide = most >= 1e8 || (least > 0.0 && (least < 1e-4 || most / least > 1000.0));
    if (is_wide) form_ = std::chars_format::scientific;
  }

  [[nodiscard]] std::size_t point_and_after() const {
    return 1 + after_ + (exponent_ > 0 ? exponent_ + 1 : 0);
  }
  [[nodiscard]] std::string signed_whole(const Decimal& parts, double value) const {
    return is_signed_ && !std::signbit(value) ? "+" + parts.whole : parts.whole;
  }
  [[nodiscard]] std::string special_text(double value) const {
    if (std::isnan(value)) return is_signed_ ? "+nan" : "nan";
    return std::signbit(value) ? "-inf" : (is_signed_ ? "+inf" : "inf");
  }

  bool is_signed_;
  std::chars_format form_ = std::chars_format::fixed;
  std::size_t before_ = 0, after_ = 0, exponent_ = 0;
};

/// Element type of the parts of a complex type; the type itself otherwise.
DType part_type(DType dtype) {
  if (dtype == DType::kComplex64) return DType::kFloat32;
  return dtype == DType::kComplex128 ? DType::kFloat64 : dtype;
}

std::vector<std::string> float_texts(DType dtype, std::span<const std::byte* const> elements) {
  std::vector<Real> reals;
  for (const std::byte* element : elements) {
    reals.push_back({exec::load_element<double>(dtype, element), dtype});
  }
  const FloatFormat format(reals, false);
  std::vector<std::string> texts;
  for (const Real& real : reals) texts.push_back(format.text(real));
  return texts;
}

std::vector<std::string> complex_texts(DType dtype, std::span<const std::byte* const> elements) {
  std::vector<Real> reals;
  std::vector<Real> imaginaries;
  for (const std::byte* element : elements) {
    const auto value = exec::load_element<std::complex<double>>(dtype, element);
    reals.push_back({value.real(), part_type(dtype)});
    imaginaries.push_back({value.imag(), part_type(dtype)});
  }
  const FloatFormat real_format(reals, false);
  const FloatFormat imaginary_format(imaginaries, true);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < reals.size(); ++i) {
    std::string imaginary = imaginary_format.text(imaginaries[i]);
    imaginary.insert(imaginary.find_last_not_of(' ') + 1, "j");
    texts.push_back(real_format.text(reals[i]) + imaginary);
  }
  return texts;
}

std::string whole_text(DType dtype, const std::byte* element) {
  if (dtype == DType::kBool) {
    return exec::load_element<std::uint64_t>(dtype, element) != 0 ? "True" : "False";
  }
  const bool is_unsigned = dtype >= DType::kUint8 && dtype <= DType::kUint64;
  return is_unsigned ? std::to_string(exec::load_element<std::uint64_t>(dtype, element))
                     : std::to_string(exec::load_element<std::int64_t>(dtype, element));
}

std::vector<std::string> whole_texts(DType dtype, std::span<const std::byte* const> elements) {
  std::vector<std::string> texts;
  std::size_t width = dtype == DType::kBool ? 5 : 0;  // of "False"
  for (const std::byte* element : elements) {
    texts.push_back(whole_text(dtype, element));
    width = std::max(width, texts.back().size());
  }
  for (std::string& text : texts) text = padded_left(std::move(text), width);
  return texts;
}

bool is_complex(DType dtype) { return part_type(dtype) != dtype; }

std::string real_scalar_text(const Real& real) {
  if (!std::isfinite(real.value)) {
    return std::isnan(real.value) ? "nan" : (real.value < 0 ? "-inf" : "inf");
  }
  const double size = std::abs(real.value);
  const bool is_fixed = size <= 0.0 || (size >= 1e-4 && size < 1e16);
  std::string text =
      shortest(real, is_fixed ? std::chars_format::fixed : std::chars_format::scientific);
  if (is_fixed && text.find('.') == std::string::npos) text += ".0";
  return text;
}

/// "(1+2j)", and "2j" where there is no real part.
std::string complex_scalar_text(std::complex<double> value, DType part) {
  const auto without_point = [part](double number) {
    std::string text = real_scalar_text({number, part});
    return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
  };
  const std::string imaginary = without_point(value.imag()) + "j";
  if (std::fpclassify(value.real()) == FP_ZERO && !std::signbit(value.real())) return imaginary;
  const char* sign = imaginary.starts_with('-') ? "" : "+";
  return "(" + without_point(value.real()) + sign + imaginary + ")";
}

}  // namespace

std::vector<std::string> number_texts(DType dtype, std::span<const std::byte* const> elements) {
  if (is_complex(dtype)) return complex_texts(dtype, elements);
  return exec::is_float(dtype) ? float_texts(dtype, elements) : whole_texts(dtype, elements);
}

std::string scalar_text(DType dtype, const std::byte* element) {
  if (is_complex(dtype)) {
    return complex_scalar_text(exec::load_element<std::complex<double>>(dtype, element),
                               part_type(dtype));
  }
  if (!exec::is_float(dtype)) return whole_text(dtype, element);
  return real_scalar_text({exec::load_element<double>(dtype, element), dtype});
}

}  // namespace parley::cli
