// How a copy spends its time: a fixed part, in which it holds its engines and takes no bandwidth,
// then a flow of its bytes with a limit of its own. Alone on its route it takes exactly
// Machine::copy_duration, rounded up to whole nanoseconds, unless a resource is slower.
//
// With latency and rate these are the fixed part and the limit. With a curve T(n) of the
// uncontended time, the fixed part is T(0) and the limit n / (T(n) - T(0)): a small copy is a slow
// flow over its whole time rather than a fast one after a long start, as small copies that run side
// by side share a link without slowing each other. Where the curve is flat, T(n) = T(0), that is
// the whole copy, but for one of so few bytes that no resource on the way notices. Where the
// resources on the way could not carry that flow, though it is alone, it has the rate that they
// can, and the fixed part is longer.
#pragma once

#include "core/base/units.h"
#include "core/machine/machine.h"

namespace parley::sim {

struct CopyTiming {
  core::Duration fixed;
  double rate_limit = 0.0;     // bytes/s; infinity: as fast as resources allow
  bool is_fixed_only = false;  // the whole copy is its fixed part: no flow follows
};

CopyTiming copy_timing(const core::Machine& machine, core::RouteId route, core::Bytes bytes);

/// Bytes over rate in nanoseconds, rounded up; values that exceed a whole number by rounding error
/// only count as that number; at most core::kLongestRun. Rate in bytes/s, > 0; infinity takes
/// no time.
core::Duration flow_duration(double bytes, double bytes_per_s);

}  // namespace parley::sim
