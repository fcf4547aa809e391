#include "sim/copy_timing.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace parley::sim {

CopyTiming copy_timing(const core::Machine& machine, core::RouteId id, core::Bytes bytes) {
  const core::Route& route = machine.route(id);
  constexpr double kUnlimited = std::numeric_limits<double>::infinity();
  if (route.curve.empty()) {
    const double limit = route.rate_cap.is_unlimited() ? kUnlimited : route.rate_cap.bytes_per_s();
    return {route.latency, limit, bytes <= core::Bytes(0)};
  }
  const core::Duration whole = machine.copy_duration(id, bytes);
  const core::Duration fixed = std::min(machine.copy_duration(id, core::Bytes(0)), whole);
  if (whole == fixed) return {fixed, kUnlimited, true};
  const auto count = static_cast<double>(bytes.count());
  const double limit = count * 1e9 / static_cast<double>((whole - fixed).count());
  if (route.shared_cap.is_unlimited() || limit <= route.shared_cap.bytes_per_s()) {
    return {fixed, limit, false};
  }
  const double carried = route.shared_cap.bytes_per_s();
  const core::Duration flowing = std::min(flow_duration(count, carried), whole);
  return {whole - flowing, carried, false};
}

core::Duration flow_duration(double bytes, double bytes_per_s) {
  // Relative error of a remainder after a few thousand changes of rate: some 1e-13.
  constexpr double kRelativeSlack = 1e-12;
  constexpr double kSlackNs = 1e-6;
  const auto longest = static_cast<double>(core::kLongestDuration.count());
  const double ns = std::max(bytes, 0.0) * 1e9 / bytes_per_s;
  const double whole = std::ceil(ns - kSlackNs - ns * kRelativeSlack);
  return core::Duration(static_cast<std::int64_t>(std::min(whole, longest)));
}

}  // namespace parley::sim
