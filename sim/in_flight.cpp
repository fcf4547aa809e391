#include "sim/in_flight.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/check.h"

namespace parley::sim {

InFlight& InFlightTable::add(core::CommandId id) {
  PARLEY_CHECK(id.index() == next_id_, "command " + std::to_string(id.index()) + " follows " +
                                           std::to_string(next_id_) + " commands");
  ++next_id_;
  ++in_flight_;
  if (id.index() % kChunk == 0) {
    if (spare_.empty()) {
      chunks_.push_back(std::make_unique<Chunk>());
    } else {
      chunks_.push_back(std::move(spare_.back()));
      spare_.pop_back();
    }
  }
  InFlight& slot = (*this)[id];
  slot.devices.clear();
  slot.boxes.clear();
  slot.joined.clear();
  slot.leader = core::CommandId::none();
  slot.first_waiter = InFlight::kNone;
  slot.first_arrival = InFlight::kNone;
  slot.is_finished = false;
  slot.has_told_with = false;
  return slot;
}

std::size_t InFlightTable::chunks_in_use() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(chunks_, [](const auto& chunk) { return chunk != nullptr; }));
}

std::uint32_t InFlightTable::wait_for(std::span<const core::CommandId> after, Waiter waiter) {
  std::uint32_t unfinished = 0;
  for (const core::CommandId id : after) {
    PARLEY_CHECK(id.index() < next_id_,
                 "`after` names command " + std::to_string(id.index()) + ", which is to come");
    if (is_finished(id)) continue;
    ++unfinished;
    std::uint32_t node = free_node_;
    if (node == InFlight::kNone) {
      node = static_cast<std::uint32_t>(nodes_.size());
      nodes_.emplace_back();
    } else {
      free_node_ = nodes_[node].next;
    }
    InFlight& slot = (*this)[id];
    nodes_[node] = {waiter, slot.first_waiter};
    slot.first_waiter = node;
  }
  return unfinished;
}

std::span<const Waiter> InFlightTable::finish(core::CommandId id) {
  released_.clear();
  InFlight& slot = (*this)[id];
  for (std::uint32_t node = slot.first_waiter; node != InFlight::kNone;) {
    released_.push_back(nodes_[node].waiter);
    const std::uint32_t next = nodes_[node].next;
    nodes_[node].next = free_node_;
    free_node_ = node;
    node = next;
  }
  std::ranges::reverse(released_);
  slot.is_finished = true;
  --in_flight_;
  std::unique_ptr<Chunk>& chunk = chunks_[id.index() / kChunk];
  if (++chunk->finished == kChunk) {
    chunk->finished = 0;
    spare_.push_back(std::move(chunk));
  }
  return released_;
}

}  // namespace parley::sim
