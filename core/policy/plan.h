// A plan: decisions of another run, or of a scheduler of one's own, to be imposed on a run. Plain
// data, in ids of the program and machine of the run that follows it. The engine checks it when it
// is created; policies read it through View: mapper `fixed`, order `strict`, prefetch `on_produce`,
// and, where the plan tells of copies and evictions, prefetch, evict and source `planned`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/graph/box.h"

namespace parley::core {

struct PlannedTask {
  TaskId task;
  std::vector<DeviceId> devices;             // by member
  std::optional<std::uint16_t> alternative;  // none: the first that runs on these devices
};

/// A replica that was asked for early. `position`, here and below: how many tasks had been
/// launched.
struct PlannedPrefetch {
  std::uint32_t position = 0;
  RegionId region;
  SpaceId space;
  TaskId task;  // on whose behalf
  bool operator==(const PlannedPrefetch&) const = default;
};

/// Where a copy came from: of elements in `boxes`, to the replica of `region` in `to` (of the whole
/// array: its home slot, if that is there).
struct PlannedCopy {
  std::uint32_t position = 0;
  RegionId region;
  std::vector<Box> boxes;
  SpaceId from, to;
};

struct PlannedEviction {
  std::uint32_t position = 0;
  RegionId region;
  SpaceId space;
};

/// Lists are in the order of the decisions; positions never decrease.
struct Plan {
  std::vector<PlannedTask> tasks;  // in the order of issue; every task but evictions, once
  bool has_copies = false;         // the three lists below say all that was copied and evicted
  std::vector<PlannedPrefetch> prefetches;
  std::vector<PlannedCopy> copies;
  std::vector<PlannedEviction> evictions;
  /// The decisions are those of a run that wrote back early (EngineOptions::writes_back_early):
  /// its evictions found clean what a run that does not has to write back then.
  bool writes_back_early = false;
  std::string workload;  // that was run, if known: told when the plan does not fit another
};

}  // namespace parley::core
