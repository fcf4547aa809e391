#include "sim/reach.h"

#include <algorithm>
#include <cmath>

namespace parley::sim {

void SpaceSet::insert(core::SpaceId space) {
  if (has_[space.index()]) return;
  has_[space.index()] = true;
  if (count_++ == 0) first_ = space;
}

core::Duration rounded_bound(double ns) {
  constexpr double kGivenWay = 1e-6;
  const auto longest = static_cast<double>(core::kLongestRun.count());
  const double rounded = std::ceil(ns * (1.0 - kGivenWay));
  return core::Duration(static_cast<std::int64_t>(std::min(rounded, longest)));
}

Reach::Reach(const core::Program& program, const core::Machine& machine, Durations& durations)
    : program_(program),
      machine_(machine),
      durations_(durations),
      places_(program.placement_count()),
      nowhere_(machine.space_count()) {}

Reach::Place& Reach::place(core::PlacementId id) {
  Place& place = places_[id];
  if (place.is_resolved) return place;
  place.is_resolved = true;
  place.candidates = core::resolve(program_.placement(id), machine_, nullptr);
  for (const core::Candidate& candidate : place.candidates) {
    if (candidate.devices.size() > place.spaces.size()) {
      place.spaces.resize(candidate.devices.size(), nowhere_);
    }
    for (std::size_t member = 0; member < candidate.devices.size(); ++member) {
      place.spaces[member].insert(machine_.device(candidate.devices[member]).space);
    }
  }
  return place;
}

const std::vector<core::Candidate>& Reach::candidates(core::PlacementId placement) {
  return place(placement).candidates;
}

const SpaceSet& Reach::spaces(core::PlacementId placement, std::size_t member) {
  const Place& found = place(placement);
  return member < found.spaces.size() ? found.spaces[member] : nowhere_;
}

core::Duration Reach::duration(TaskClassId id, const core::Candidate& candidate) {
  core::Duration longest;
  for (const core::DeviceId device : candidate.devices) {
    longest = std::max(longest, durations_.of_class(id, candidate.alternative, device));
  }
  return longest;
}

core::Duration Reach::fastest(core::TaskId task) {
  const TaskClassId id = durations_.class_of(task);
  if (id.index() >= fastest_.size()) {
    fastest_.resize(std::max(id.index() + 1, durations_.class_count()), kNotAsked);
  }
  if (fastest_[id] != kNotAsked) return core::Duration(fastest_[id]);
  core::Duration least = core::Duration::max();
  for (const core::Candidate& candidate : candidates(program_.task(task).placement)) {
    least = std::min(least, duration(id, candidate));
  }
  if (least == core::Duration::max()) least = core::Duration(0);
  fastest_[id] = least.count();
  return least;
}

}  // namespace parley::sim
