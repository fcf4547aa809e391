// Random factors on durations, for studies of how much a schedule depends on what was believed. A
// factor is a function of (distribution, seed, what it is for) and of nothing else: a task has the
// same factor under every policy, whenever it starts, so that runs of one seed can be compared pair
// by pair. Mean 1 (a normal one that is cut at 0: a little more).
//
// The numbers are SplitMix64's (Steele, Lea, Flood 2014) of seed and number, made a draw by
// inversion; std::normal_distribution would give other numbers with every standard library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/units.h"

namespace parley::sim {

enum class NoiseKind : std::uint8_t { kNone, kNormal, kLognormal, kPareto };

/// What a factor is for; tasks and copies of one number have unrelated factors.
enum class NoiseStream : std::uint8_t { kTasks, kCopies };

class Noise {
 public:
  Noise() = default;  // every factor is 1

  /// "normal:sigma=0.1" (1 + sigma z, at least 0), "lognormal:sigma=0.1" (exp(sigma z -
  /// sigma^2 / 2)) or "pareto:alpha=3" ((alpha - 1) / alpha u^(-1 / alpha): P(factor > x) falls as
  /// x^-alpha); "" is none. Parameters have defaults. Faults name the nearest match.
  static core::Result<Noise> parse(std::string_view text);

  [[nodiscard]] bool is_none() const { return kind_ == NoiseKind::kNone; }
  /// As parse() reads it.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] double factor(std::uint64_t seed, NoiseStream stream, std::uint64_t number) const;

 private:
  NoiseKind kind_ = NoiseKind::kNone;
  double parameter_ = 0.0;
};

/// Rounded to nanoseconds, at most core::kTooLong.
core::Duration scaled(core::Duration duration, double factor);

}  // namespace parley::sim
