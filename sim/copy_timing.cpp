#include "sim/copy_timing.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace parley::sim {

namespace {

/// Whether resources on the way notice a copy that takes as long as one of nothing: one of a few
/// bytes they do not.
bool is_noticeable(double bytes, core::Duration whole, const core::Route& route) {
  constexpr double kPart = 1.0 / 4096.0;
  if (bytes <= 0.0 || route.shared_cap.is_unlimited()) return false;
  const double carried = route.shared_cap.bytes_per_s() * static_cast<double>(whole.count()) * 1e-9;
  return bytes >= kPart * carried;
}

}  // namespace

CopyTiming copy_timing(const core::Machine& machine, core::RouteId id, core::Bytes bytes) {
  const core::Route& route = machine.route(id);
  constexpr double kUnlimited = std::numeric_limits<double>::infinity();
  if (route.curve.empty()) {
    const double limit = route.rate_cap.is_unlimited() ? kUnlimited : route.rate_cap.bytes_per_s();
    return {route.latency, limit, bytes <= core::Bytes(0)};
  }
  const core::Duration whole = machine.copy_duration(id, bytes);
  const core::Duration fixed = std::min(machine.copy_duration(id, core::Bytes(0)), whole);
  const auto count = static_cast<double>(bytes.count());
  const bool is_flat = whole == fixed;
  if (is_flat && !is_noticeable(count, whole, route)) return {fixed, kUnlimited, true};
  const core::Duration start = is_flat ? core::Duration(0) : fixed;
  const double limit = count * 1e9 / static_cast<double>((whole - start).count());
  if (route.shared_cap.is_unlimited() || limit <= route.shared_cap.bytes_per_s()) {
    return {start, limit, false};
  }
  const double carried = route.shared_cap.bytes_per_s();
  const core::Duration flowing = std::min(flow_duration(count, carried), whole);
  return {whole - flowing, carried, false};
}

core::Duration flow_duration(double bytes, double bytes_per_s) {
  // Relative error of a remainder after a few thousand changes of rate: some 1e-13.
  constexpr double kRelativeSlack = 1e-12;
  constexpr double kSlackNs = 1e-6;
  const auto longest = static_cast<double>(core::kLongestRun.count());
  const double ns = std::max(bytes, 0.0) * 1e9 / bytes_per_s;
  const double whole = std::ceil(ns - kSlackNs - ns * kRelativeSlack);
  return core::Duration(static_cast<std::int64_t>(std::min(whole, longest)));
}

}  // namespace parley::sim
