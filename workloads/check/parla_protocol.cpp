#include "workloads/check/parla_protocol.h"

#include <algorithm>

namespace parley::workloads {

ParlaArray::ParlaArray(std::size_t devices, std::size_t pieces, Device home)
    : copies_(devices), owner_(home) {
  copies_[home].holding = Holding::kWhole;
  copies_[home].state = State::kModified;
  copies_[home].version = 0;
  copies_[home].has_buffer = true;
  copies_[home].whole.resize(pieces);
}

/// Numbers of the device's slices that hold the piece, first come first.
std::span<const std::uint32_t> ParlaArray::slices_with(Device device, std::uint32_t piece) const {
  const auto& by_piece = copies_[device].slices_by_piece;
  return piece < by_piece.size() ? std::span<const std::uint32_t>(by_piece[piece])
                                 : std::span<const std::uint32_t>();
}

ParlaArray::SliceCopy* ParlaArray::find_slice(Device device, const ParlaOperand& operand) {
  for (const std::uint32_t number : slices_with(device, operand.pieces.front())) {
    SliceCopy& slice = copies_[device].slices[number];
    if (slice.region == operand.region && slice.view == operand.view) return &slice;
  }
  return nullptr;
}

ParlaFetch ParlaArray::read(Device device, const ParlaOperand& operand, core::TaskId during) {
  // A device that holds the whole treats a slice as the whole.
  if (operand.is_whole || copies_[device].holding == Holding::kWhole) {
    return read_whole(device, during);
  }
  SliceCopy* slice = find_slice(device, operand);
  // A slice once fetched stays SHARED whatever is written elsewhere later: stale slices.
  if (slice != nullptr && slice->state != State::kInvalid) return {};
  if (!copies_[owner_].has_buffer) return {.is_failed = true};
  // Fetched from the owner even when another device has modified it, and without downgrading the
  // owner, whose next write will then tell nobody.
  fetch_slice(device, operand, during).state = State::kShared;
  return {.moved_slice = true};
}

ParlaFetch ParlaArray::write(Device device, const ParlaOperand& operand, core::TaskId during) {
  if (operand.is_whole || copies_[device].holding == Holding::kWhole) {
    return write_whole(device, during);
  }
  SliceCopy* slice = find_slice(device, operand);
  if (slice == nullptr || slice->state == State::kInvalid) {
    if (!copies_[owner_].has_buffer) return {.is_failed = true};
    fetch_slice(device, operand, during).state = State::kModified;
    if (copies_[owner_].version == latest_) ++latest_;
    copies_[owner_].state = State::kInvalid;  // but no other complete copy
    return {.moved_slice = true};
  }
  if (slice->state == State::kModified) return {};
  slice->state = State::kModified;
  ++latest_;
  for (Device other = 0; other < copies_.size(); ++other) {
    if (other == device || copies_[other].holding == Holding::kSlices) continue;
    copies_[other].state = State::kInvalid;
    if (other != owner_) drop(other);
  }
  return {};
}

ParlaFetch ParlaArray::read_whole(Device device, core::TaskId during) {
  if (copies_[device].holding == Holding::kSlices) {
    return replace_slices_by_whole(device, State::kShared, during);
  }
  copies_[device].holding = Holding::kWhole;
  if (copies_[device].state != State::kInvalid) return {};
  const ParlaFetch fetch = write_back(device, State::kShared, during);
  if (device != owner_) choose_owner_after_read(device);
  copies_[device].state = State::kShared;
  return fetch;
}

ParlaFetch ParlaArray::write_whole(Device device, core::TaskId during) {
  if (copies_[device].holding == Holding::kSlices) {
    return replace_slices_by_whole(device, State::kModified, during);
  }
  copies_[device].holding = Holding::kWhole;
  // Slices fetched since the last write do not show here, and are not invalidated.
  if (copies_[device].state == State::kModified) return {};
  const bool is_new_owner_first = device != owner_ && copies_[device].state == State::kShared;
  if (is_new_owner_first) copies_[device].version = ++latest_;
  const ParlaFetch fetch = write_back(device, State::kModified, during);
  if (!is_new_owner_first) copies_[device].version = ++latest_;
  owner_ = device;
  copies_[device].state = State::kModified;
  return fetch;
}

/// The whole on a device that holds slices goes by way of the owner. Writing gives no new version,
/// and leaves the owner's buffer with the same one: the next reader may take either.
ParlaFetch ParlaArray::replace_slices_by_whole(Device device, State state, core::TaskId during) {
  ParlaFetch fetch = write_back(owner_, state, during);
  drop(device);
  Copy& copy = copies_[device];
  fetch.is_failed = fetch.is_failed || !load_whole(device, owner_, during);
  fetch.moved_whole = true;
  copy.holding = Holding::kWhole;
  copy.version = copies_[owner_].version;
  copy.state = state;
  if (state == State::kShared) {
    copies_[owner_].state = State::kShared;
    choose_owner_after_read(device);
  } else {
    copies_[owner_].state = State::kInvalid;
    owner_ = device;
  }
  return fetch;
}

/// Makes `to` complete: the copy of the highest version (of equals the last device's), then every
/// slice of every device over it, outdated ones too. For a write all other copies are dropped.
ParlaFetch ParlaArray::write_back(Device to, State state, core::TaskId during) {
  ParlaFetch fetch;
  std::vector<Device> merged, dropped;
  Device newest = to;
  std::int64_t newest_version = -1;
  for (Device device = 0; device < copies_.size(); ++device) {
    Copy& copy = copies_[device];
    if (copy.holding == Holding::kSlices) {
      merged.push_back(device);
      for (SliceCopy& slice : copy.slices) slice.state = State::kShared;
      if (state == State::kModified) dropped.push_back(device);
      continue;
    }
    if (copy.version >= newest_version) {
      newest = device;
      newest_version = copy.version;
    }
    if (device == to || copy.state == State::kInvalid) continue;
    if (state == State::kModified) {
      dropped.push_back(device);
    } else if (copy.state == State::kModified) {
      copy.state = State::kShared;
    }
  }
  if (copies_[to].version < newest_version) {
    fetch.is_failed = !load_whole(to, newest, during);
    fetch.moved_whole = true;
  }
  if (!merged.empty() && !copies_[to].has_buffer) fetch.is_failed = true;
  if (!fetch.is_failed) {
    for (const Device device : merged) merge_slices(to, device, during);
  }
  fetch.moved_slice = !merged.empty();
  for (const Device device : dropped) drop(device);
  copies_[to].version = latest_;
  return fetch;
}

ParlaArray::SliceCopy& ParlaArray::fetch_slice(Device device, const ParlaOperand& operand,
                                               core::TaskId during) {
  Copy& copy = copies_[device];
  copy.holding = Holding::kSlices;
  copy.version = -1;
  SliceCopy* slice = find_slice(device, operand);
  if (slice == nullptr) {
    copy.slices.push_back({operand.region,
                           operand.view,
                           State::kInvalid,
                           {operand.pieces.begin(), operand.pieces.end()},
                           {}});
    slice = &copy.slices.back();
    for (const std::uint32_t piece : slice->pieces) {
      if (copy.slices_by_piece.size() <= piece) copy.slices_by_piece.resize(piece + std::size_t{1});
      copy.slices_by_piece[piece].push_back(static_cast<std::uint32_t>(copy.slices.size() - 1));
    }
  }
  slice->contents.clear();
  for (const std::uint32_t piece : slice->pieces) {
    slice->contents.push_back({copies_[owner_].whole[piece].writer, Arrival::kFetched, during});
  }
  return *slice;
}

/// False when `from` has no buffer.
bool ParlaArray::load_whole(Device to, Device from, core::TaskId during) {
  if (!copies_[from].has_buffer) return false;
  copies_[to].has_buffer = true;
  if (to == from) return true;
  copies_[to].whole = copies_[from].whole;
  for (Content& content : copies_[to].whole) {
    // What was merged wrongly stays known as such.
    if (content.arrival != Arrival::kMerged) content.arrival = Arrival::kCopied;
    content.during = during;
  }
  return true;
}

void ParlaArray::merge_slices(Device to, Device from, core::TaskId during) {
  for (const SliceCopy& slice : copies_[from].slices) {
    for (std::size_t i = 0; i < slice.pieces.size(); ++i) {
      copies_[to].whole[slice.pieces[i]] = {slice.contents[i].writer, Arrival::kMerged, during};
    }
  }
}

void ParlaArray::choose_owner_after_read(Device reader) {
  const bool is_owner_latest = copies_[owner_].version == latest_;
  if (!is_owner_latest || owner_ == cpu() || (!is_odd(reader) && is_odd(owner_))) owner_ = reader;
}

void ParlaArray::drop(Device device) {
  Copy& copy = copies_[device];
  copy.holding = Holding::kNothing;
  copy.state = State::kInvalid;
  copy.version = -1;
  copy.has_buffer = false;
  copy.whole.clear();
  copy.slices.clear();
  copy.slices_by_piece.clear();
}

void ParlaArray::evict(Device device, bool keep_last, core::TaskId during) {
  Copy& copy = copies_[device];
  const bool holds_slices = copy.holding == Holding::kSlices;
  if (!holds_slices && copy.state == State::kInvalid) return;
  bool is_last = holds_slices || copy.state == State::kModified;
  if (!is_last && device == owner_) {
    is_last = true;
    for (Device other = 0; other < copies_.size() && is_last; ++other) {
      if (other == device || copies_[other].state != State::kShared) continue;
      is_last = false;
      owner_ = other;
    }
  }
  if (!is_last) {
    drop(device);
  } else if (keep_last && device != cpu()) {
    write_back(cpu(), State::kModified, during);
    drop(device);
    owner_ = cpu();
    copies_[cpu()].holding = Holding::kWhole;
    copies_[cpu()].state = State::kModified;
  }
}

void ParlaArray::locate(Device device, const ParlaOperand& operand, std::vector<Content*>& found) {
  found.assign(operand.pieces.size(), nullptr);
  Copy& copy = copies_[device];
  if (copy.holding == Holding::kWhole) {
    if (!copy.has_buffer) return;
    for (std::size_t i = 0; i < found.size(); ++i) found[i] = &copy.whole[operand.pieces[i]];
    return;
  }
  // An index is looked up in the first resident slice that contains it.
  SliceCopy* slice = nullptr;
  for (const std::uint32_t number : slices_with(device, operand.pieces.front())) {
    const std::vector<std::uint32_t>& held = copy.slices[number].pieces;
    if (!std::includes(held.begin(), held.end(), operand.pieces.begin(), operand.pieces.end())) {
      continue;
    }
    slice = &copy.slices[number];
    break;
  }
  if (slice == nullptr) return;
  auto at = slice->pieces.begin();
  for (std::size_t i = 0; i < found.size(); ++i) {
    at = std::lower_bound(at, slice->pieces.end(), operand.pieces[i]);
    found[i] = &slice->contents[static_cast<std::size_t>(at - slice->pieces.begin())];
  }
}

}  // namespace parley::workloads
