#include "sim/noise.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "core/base/quantile.h"

namespace parley::sim {
namespace {

struct Distribution {
  NoiseKind kind;
  std::string_view name;
  std::string_view parameter;
  double lowest, highest, default_value;
};

// Above the highest sigma most of a normal factor's draws would be cut at 0, and a lognormal one's
// mean would be made by draws that no run sees; below the lowest alpha a mean would not settle.
constexpr std::array<Distribution, 3> kDistributions = {{
    {NoiseKind::kNormal, "normal", "sigma", 0.0, 1.0, 0.1},
    {NoiseKind::kLognormal, "lognormal", "sigma", 0.0, 2.0, 0.1},
    {NoiseKind::kPareto, "pareto", "alpha", 1.1, 1000.0, 3.0},
}};

std::string number_text(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

std::string range_text(const Distribution& distribution) {
  return number_text(distribution.lowest) + " to " + number_text(distribution.highest);
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

core::Result<double> parse_parameter(const Distribution& distribution, std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string name(text.substr(0, equals));
  const std::string expected(distribution.parameter);
  if (name != expected || equals == std::string_view::npos) {
    return core::Fault{"", "found \"" + std::string(text) + "\" after " +
                               std::string(distribution.name) + "; allowed: " + expected + "=" +
                               range_text(distribution)};
  }
  const std::string_view number = text.substr(equals + 1);
  const std::optional<double> value = parse_number(number);
  if (!value || !(*value >= distribution.lowest && *value <= distribution.highest)) {
    return core::Fault{"", expected + "=" + std::string(number) + "; allowed: a number from " +
                               range_text(distribution)};
  }
  return *value;
}

/// Uniform in (0, 1), 53 bits.
double uniform(std::uint64_t seed, NoiseStream stream, std::uint64_t number) {
  const auto next = [](std::uint64_t x) {
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
  };
  const std::uint64_t bits = next(next(next(seed) ^ static_cast<std::uint64_t>(stream)) + number);
  constexpr double kStep = 0x1p-53;
  return (static_cast<double>(bits >> 11) + 0.5) * kStep;
}

}  // namespace

core::Result<Noise> Noise::parse(std::string_view text) {
  Noise noise;
  if (text.empty()) return noise;
  const std::size_t colon = text.find(':');
  const std::string name(text.substr(0, colon));
  const auto* known = std::ranges::find(kDistributions, name, &Distribution::name);
  if (known == kDistributions.end()) {
    std::vector<std::string> names;
    for (const Distribution& distribution : kDistributions) names.emplace_back(distribution.name);
    return core::Fault{"", "unknown distribution \"" + name +
                               "\"; allowed: normal, lognormal, pareto" +
                               core::did_you_mean(name, names)};
  }
  noise.kind_ = known->kind;
  noise.parameter_ = known->default_value;
  if (colon == std::string_view::npos) return noise;
  const core::Result<double> value = parse_parameter(*known, text.substr(colon + 1));
  if (!value) return value.faults();
  noise.parameter_ = *value;
  return noise;
}

std::string Noise::text() const {
  if (is_none()) return "";
  const auto* known = std::ranges::find(kDistributions, kind_, &Distribution::kind);
  return std::string(known->name) + ":" + std::string(known->parameter) + "=" +
         number_text(parameter_);
}

double Noise::factor(std::uint64_t seed, NoiseStream stream, std::uint64_t number) const {
  switch (kind_) {
    case NoiseKind::kNone:
      return 1.0;
    case NoiseKind::kNormal:
      return std::max(0.0, 1.0 + parameter_ * core::normal_quantile(uniform(seed, stream, number)));
    case NoiseKind::kLognormal: {
      const double z = core::normal_quantile(uniform(seed, stream, number));
      return std::exp(parameter_ * (z - parameter_ / 2.0));
    }
    case NoiseKind::kPareto:
      return (parameter_ - 1.0) / parameter_ *
             std::pow(uniform(seed, stream, number), -1.0 / parameter_);
  }
  return 1.0;
}

core::Duration scaled(core::Duration duration, double factor) {
  const double ns = static_cast<double>(duration.count()) * factor;
  const auto longest = static_cast<double>(core::kTooLong.count());
  return core::Duration(std::llround(std::min(ns, longest)));
}

}  // namespace parley::sim
