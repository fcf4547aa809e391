// What mappers take a copy to cost: alone, from the owner, directly or through the host.
#pragma once

#include "core/base/ids.h"
#include "core/base/units.h"
#include "core/machine/machine.h"
#include "core/policy/view.h"

namespace parley::core {

/// Uncontended time of copying what of `region` is missing in `to` from its owner; 0 when nothing
/// is, or nobody owns it.
inline Duration transfer_time(const View& view, RegionId region, SpaceId to) {
  const Bytes missing = view.missing_bytes(region, to);
  const SpaceId from = view.owner(region);
  if (missing == Bytes(0) || from.is_none() || from == to) return Duration(0);
  const Machine& machine = view.machine();
  const RouteId direct = machine.route_id(from, to);
  if (!direct.is_none()) return machine.copy_duration(direct, missing);
  const SpaceId host = machine.host_of(to);
  return machine.copy_duration(machine.route_id(from, host), missing) +
         machine.copy_duration(machine.route_id(host, to), missing);
}

/// Of all that the candidate's devices would read, one copy after the other.
inline Duration transfer_time(const View& view, TaskId task, const Candidate& candidate) {
  Duration sum;
  for (const Access& access : view.program().accesses(task)) {
    if (!reads(access.mode)) continue;
    const SpaceId space = view.machine().device(candidate.devices[access.member]).space;
    sum += transfer_time(view, access.region, space);
  }
  return sum;
}

}  // namespace parley::core
