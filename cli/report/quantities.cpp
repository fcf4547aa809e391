#include "cli/report/quantities.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace parley::cli {
namespace {

/// Three significant digits, of a value below 10,000.
std::string three_digits(double value) {
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return {text.data(), std::min(text.size() - 1, static_cast<std::size_t>(length))};
}

}  // namespace

std::string text_of(core::Duration duration) {
  const std::int64_t ns = duration.count();
  if (ns < 0) {  // the lowest number has no positive counterpart
    const std::int64_t positive = ns == INT64_MIN ? INT64_MAX : -ns;
    return "-" + text_of(core::Duration(positive));
  }
  if (ns < 1000) return std::to_string(ns) + " ns";
  const auto value = static_cast<double>(ns);
  // 999,500 and above would round to "1000 us".
  if (value < 999.5e3) return three_digits(value / 1e3) + " us";
  if (value < 999.5e6) return three_digits(value / 1e6) + " ms";
  return three_digits(value / 1e9) + " s";
}

std::string text_of(core::Time time) { return text_of(core::Duration(time.ns())); }

std::string text_of(core::Bytes bytes) {
  if (bytes.count() < 1024) return std::to_string(bytes.count()) + " B";
  constexpr std::array<std::string_view, 5> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes.count()) / 1024.0;
  std::size_t unit = 0;
  while (value >= 1023.5 && unit + 1 < kUnits.size()) {
    value /= 1024.0;
    ++unit;
  }
  return three_digits(value) + " " + std::string(kUnits[unit]);
}

std::string text_of_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

std::string text_of_share(double share) {
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.1f%%", share * 100.0);
  return {text.data(), std::min(text.size() - 1, static_cast<std::size_t>(length))};
}

std::string text_of_number(double number) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

std::string text_of_factor(double factor) {
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.2f x", factor);
  return {text.data(), std::min(text.size() - 1, static_cast<std::size_t>(length))};
}

std::string counted(std::uint64_t count, const std::string& noun) {
  return text_of_count(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace parley::cli
