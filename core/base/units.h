// Bytes, times and rates as distinct types. Time is integer nanoseconds since the start of the run,
// Duration a difference of two times, Bandwidth bytes per second.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace parley::core {

template <class Tag>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(std::int64_t count) : count_(count) {}

  static constexpr Quantity max() { return Quantity(std::numeric_limits<std::int64_t>::max()); }
  [[nodiscard]] constexpr std::int64_t count() const { return count_; }
  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity operator+(Quantity other) const { return Quantity(count_ + other.count_); }
  constexpr Quantity operator-(Quantity other) const { return Quantity(count_ - other.count_); }
  constexpr Quantity operator*(std::int64_t factor) const { return Quantity(count_ * factor); }
  constexpr Quantity& operator+=(Quantity other) {
    count_ += other.count_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity other) {
    count_ -= other.count_;
    return *this;
  }

 private:
  std::int64_t count_ = 0;
};

using Bytes = Quantity<struct BytesTag>;
using Duration = Quantity<struct DurationTag>;

/// Limits of what may be stated, far enough from 2^63 that sums of thousands stay below: 1 PiB for
/// an array or scratch, 11.5 days for a duration.
inline constexpr Bytes kMostBytes{std::int64_t{1} << 50U};
inline constexpr Duration kLongestDuration{1'000'000'000'000'000};
/// What is computed and would be longer counts as this; simulations refuse it.
inline constexpr Duration kTooLong{kLongestDuration.count() + 1};
/// Of a whole run: 31 years. What is under way then may still be added to it.
inline constexpr Duration kLongestRun{1'000'000'000'000'000'000};

/// A point of time of a run: nanoseconds from its start.
class Time {
 public:
  constexpr Time() = default;
  constexpr explicit Time(std::int64_t ns) : ns_(ns) {}

  static constexpr Time max() { return Time(std::numeric_limits<std::int64_t>::max()); }
  [[nodiscard]] constexpr std::int64_t ns() const { return ns_; }
  constexpr auto operator<=>(const Time&) const = default;
  constexpr Time operator+(Duration d) const { return Time(ns_ + d.count()); }
  constexpr Time operator-(Duration d) const { return Time(ns_ - d.count()); }
  constexpr Duration operator-(Time other) const { return Duration(ns_ - other.ns_); }

 private:
  std::int64_t ns_ = 0;
};

/// Bytes per second; 0 means unlimited where a limit is optional.
class Bandwidth {
 public:
  constexpr Bandwidth() = default;
  constexpr explicit Bandwidth(double bytes_per_s) : bytes_per_s_(bytes_per_s) {}
  [[nodiscard]] constexpr double bytes_per_s() const { return bytes_per_s_; }
  [[nodiscard]] constexpr bool is_unlimited() const { return bytes_per_s_ <= 0.0; }

 private:
  double bytes_per_s_ = 0.0;
};

}  // namespace parley::core
