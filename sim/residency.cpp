#include "sim/residency.h"

#include <algorithm>
#include <tuple>

namespace parley::sim {

using core::Bytes;
using core::ReplicaId;
using core::SpaceId;
using core::Time;

Residency::Residency(std::size_t space_count, bool is_recorded)
    : is_recorded_(is_recorded), current_(space_count), peak_(space_count) {}

void Residency::change(Time now, SpaceId space, Bytes by) {
  current_[space] += by;
  peak_[space] = std::max(peak_[space], current_[space]);
  if (!is_recorded_) return;
  if (!samples_.empty() && samples_.back().at == now && samples_.back().space == space) {
    samples_.back().bytes = current_[space];
  } else {
    samples_.push_back({now, space, current_[space]});
  }
}

void Residency::reserve_home(SpaceId space, Bytes bytes) { change(Time(0), space, bytes); }

void Residency::place_initial(SpaceId space, Bytes offset, Bytes bytes) {
  const auto place = std::ranges::upper_bound(
      initial_, std::tuple(space, offset), {},
      [](const Initial& initial) { return std::tuple(initial.space, initial.offset); });
  initial_.insert(place, {space, offset, bytes, false});
  change(Time(0), space, bytes);
}

/// The initial replica in whose block the offset lies, if it is still there.
Residency::Initial* Residency::find_initial(SpaceId space, Bytes offset) {
  const auto after = std::ranges::upper_bound(
      initial_, std::tuple(space, offset), {},
      [](const Initial& initial) { return std::tuple(initial.space, initial.offset); });
  if (after == initial_.begin()) return nullptr;
  Initial& found = *std::prev(after);
  const bool is_inside = found.space == space && offset < found.offset + found.bytes;
  return is_inside && !found.is_dropped ? &found : nullptr;
}

Residency::Use& Residency::use_of(ReplicaId replica) {
  if (replica.index() >= uses_.size()) {
    uses_.resize(std::max(replica.index() + 1, uses_.size() * 2));
  }
  return uses_[replica];
}

std::uint32_t Residency::use(ReplicaId replica, SpaceId space, Bytes offset, std::uint32_t chain) {
  Use& use = use_of(replica);
  if (use.is_live) return chain;
  use.is_live = true;
  if (!initial_.empty() && find_initial(space, offset) != nullptr) return chain;
  std::uint32_t number = free_arrival_;
  if (number == kNone) {
    number = static_cast<std::uint32_t>(arrivals_.size());
    arrivals_.emplace_back();
  } else {
    free_arrival_ = arrivals_[number].next;
  }
  arrivals_[number] = {space, Bytes(0), chain};
  use.unsized_arrival = number;
  unsized_.push_back(replica);
  return number;
}

std::uint32_t Residency::drop(const core::DropReplica& drop) {
  Use& use = use_of(drop.replica);
  Bytes bytes = drop.bytes;
  Initial* initial = initial_.empty() ? nullptr : find_initial(drop.space, drop.offset);
  if (initial != nullptr) {
    initial->is_dropped = true;
    bytes = initial->bytes;
  } else if (!use.is_live || use.is_home) {
    bytes = Bytes(0);
  } else if (use.unsized_arrival != kNone) {
    arrivals_[use.unsized_arrival].bytes = bytes;
  }
  if (!use.is_home) use = Use();
  if (free_drops_.empty()) {
    drops_.push_back({drop.space, bytes});
    return static_cast<std::uint32_t>(drops_.size() - 1);
  }
  const std::uint32_t number = free_drops_.back();
  free_drops_.pop_back();
  drops_[number] = {drop.space, bytes};
  return number;
}

void Residency::end_of_step(const std::function<Bytes(ReplicaId)>& bytes_of) {
  for (const ReplicaId replica : unsized_) {
    Use& use = uses_[replica];
    if (use.unsized_arrival == kNone) continue;  // dropped in the same step, or listed twice
    const Bytes bytes = bytes_of(replica);
    arrivals_[use.unsized_arrival].bytes = bytes;
    use.is_home = bytes == Bytes(0);
    use.unsized_arrival = kNone;
  }
  unsized_.clear();
}

void Residency::arrive(Time now, std::uint32_t chain) {
  while (chain != kNone) {
    Arrival& arrival = arrivals_[chain];
    if (arrival.bytes > Bytes(0)) change(now, arrival.space, arrival.bytes);
    const std::uint32_t next = arrival.next;
    arrival.next = free_arrival_;
    free_arrival_ = chain;
    chain = next;
  }
}

void Residency::drop_done(Time now, std::uint32_t number) {
  const Drop& drop = drops_[number];
  if (drop.bytes > Bytes(0)) change(now, drop.space, Bytes(0) - drop.bytes);
  free_drops_.push_back(number);
}

}  // namespace parley::sim
