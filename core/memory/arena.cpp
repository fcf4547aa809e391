#include "core/memory/arena.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/check.h"
#include "core/engine/command_table.h"

namespace parley::core {

Arena::Arena(Bytes base, Bytes capacity)
    : base_(base), capacity_(capacity.count() / kAlignment * kAlignment) {
  if (capacity_ <= Bytes(0)) {
    capacity_ = Bytes(0);
    return;
  }
  const BlockId all = new_block();
  blocks_[all].offset = base.count();
  blocks_[all].size = capacity_.count();
  put_in_bin(all);
  last_ = all;
}

BlockId Arena::extend(Bytes size) {
  const BlockId id = new_block();
  Block& block = blocks_[id];
  block.offset = (base_ + capacity_).count();
  block.size = rounded(size).count();
  block.before = last_;
  if (!last_.is_none()) blocks_[last_].after = id;
  last_ = id;
  capacity_ += Bytes(block.size);
  used_ += Bytes(block.size);
  return id;
}

BlockId Arena::new_block() {
  if (unused_.empty()) return blocks_.push_back({});
  const BlockId id = unused_.back();
  unused_.pop_back();
  blocks_[id] = Block{};
  return id;
}

/// Bins come and go with every other block: the node of one that went serves the next.
Arena::Bin& Arena::bin_of(std::int64_t size) {
  if (spare_bin_.empty()) return bins_[size];
  const auto place = bins_.lower_bound(size);
  if (place != bins_.end() && place->first == size) return place->second;
  spare_bin_.key() = size;
  spare_bin_.mapped() = {};
  return bins_.insert(place, std::move(spare_bin_))->second;
}

void Arena::put_in_bin(BlockId id) {
  Block& block = blocks_[id];
  block.is_free = true;
  Bin& bin = bin_of(block.size);
  block.longer_free = bin.latest_free;
  block.sooner_free = BlockId::none();
  if (bin.latest_free.is_none()) {
    bin.longest_free = id;
  } else {
    blocks_[bin.latest_free].sooner_free = id;
  }
  bin.latest_free = id;
}

void Arena::take_from_bin(BlockId id) {
  Block& block = blocks_[id];
  block.is_free = false;
  const auto found = bins_.find(block.size);
  Bin& bin = found->second;
  if (block.longer_free.is_none()) {
    bin.longest_free = block.sooner_free;
  } else {
    blocks_[block.longer_free].sooner_free = block.sooner_free;
  }
  if (block.sooner_free.is_none()) {
    bin.latest_free = block.longer_free;
  } else {
    blocks_[block.sooner_free].longer_free = block.longer_free;
  }
  if (bin.longest_free.is_none()) spare_bin_ = bins_.extract(found);
}

/// Joins `neighbour`, the free block right behind `block`, to it. Both are out of their bins.
void Arena::absorb(BlockId id, BlockId neighbour) {
  Block& block = blocks_[id];
  Block& next = blocks_[neighbour];
  block.size += next.size;
  block.after = next.after;
  if (next.after.is_none()) {
    last_ = id;
  } else {
    blocks_[next.after].before = id;
  }
  std::move(next.residue.begin(), next.residue.end(), std::back_inserter(block.residue));
  next.residue.clear();
  unused_.push_back(neighbour);
}

/// Cuts `block` down to `size`; the rest becomes a free block, returned, with its part of the
/// residue.
BlockId Arena::split(BlockId id, std::int64_t size) {
  const BlockId rest = new_block();
  Block& block = blocks_[id];
  Block& tail = blocks_[rest];
  const std::int64_t border = block.offset + size;
  tail.offset = border;
  tail.size = block.size - size;
  tail.before = id;
  tail.after = block.after;
  if (tail.after.is_none()) {
    last_ = rest;
  } else {
    blocks_[tail.after].before = rest;
  }
  block.after = rest;
  block.size = size;
  for (Residue& part : block.residue) {
    if (part.end <= border) continue;
    if (part.begin >= border) {
      tail.residue.push_back(std::move(part));
      part.end = part.begin;
    } else {
      tail.residue.push_back({border, part.end, part.commands});
      part.end = border;
    }
  }
  std::erase_if(block.residue, [](const Residue& part) { return part.begin == part.end; });
  put_in_bin(rest);
  return rest;
}

/// The newest unfinished user of any of these bytes of a free block; none if they are idle.
CommandId Arena::newest_user(const Block& block, std::int64_t begin, std::int64_t end,
                             const CommandTable& commands) {
  CommandId newest;
  for (const Residue& part : block.residue) {
    if (part.end <= begin) continue;
    if (part.begin >= end) break;
    for (const CommandId command : part.commands) {
      if (commands.is_finished(command)) continue;
      if (newest.is_none() || newest < command) newest = command;
    }
  }
  return newest;
}

/// Of the longest free block of each size, the bytes to wait for the least: idle ones, or else
/// those whose newest user is the oldest. Requires: there is a free block of `size`.
Arena::Place Arena::place_used_longest_ago(std::int64_t size, const CommandTable& commands) const {
  Place best;
  CommandId best_user;
  const auto consider = [&](BlockId id, std::int64_t begin) {
    const Block& block = blocks_[id];
    if (block.offset + block.size - begin < size) return;
    const CommandId user = newest_user(block, begin, begin + size, commands);
    const bool is_better =
        best.block.is_none() || (!best_user.is_none() && (user.is_none() || user < best_user));
    if (!is_better) return;
    best = {id, begin};
    best_user = user;
  };
  for (auto bin = bins_.lower_bound(size); bin != bins_.end(); ++bin) {
    const BlockId id = bin->second.longest_free;
    consider(id, blocks_[id].offset);
    for (const Residue& part : blocks_[id].residue) {
      if (best_user.is_none()) return best;
      consider(id, part.begin);
      consider(id, part.end);
    }
    if (best_user.is_none()) return best;
  }
  return best;
}

std::optional<BlockId> Arena::allocate(Bytes size, const CommandTable& commands,
                                       std::vector<CommandId>& residue, Prefers prefers) {
  const std::int64_t wanted = rounded(size).count();
  const auto bin = bins_.lower_bound(wanted);
  if (bin == bins_.end()) return std::nullopt;
  Place place{bin->second.longest_free, 0};
  place.begin = blocks_[place.block].offset;
  if (prefers == Prefers::kLongestUnused) place = place_used_longest_ago(wanted, commands);
  BlockId id = place.block;
  take_from_bin(id);
  if (const std::int64_t skipped = place.begin - blocks_[id].offset; skipped > 0) {
    const BlockId behind = split(id, skipped);
    take_from_bin(behind);
    put_in_bin(id);
    id = behind;
  }
  if (blocks_[id].size > wanted) split(id, wanted);
  for (const Residue& part : blocks_[id].residue) {
    for (const CommandId command : part.commands) {
      if (!commands.is_finished(command)) residue.push_back(command);
    }
  }
  blocks_[id].residue.clear();
  used_ += Bytes(wanted);
  return id;
}

void Arena::free(BlockId id, std::span<const CommandId> users, const CommandTable& commands) {
  BlockId joined = id;
  {
    Block& block = blocks_[id];
    used_ -= Bytes(block.size);
    Residue own{block.offset, block.offset + block.size, {}};
    for (const CommandId user : users) {
      if (!commands.is_finished(user)) own.commands.push_back(user);
    }
    std::sort(own.commands.begin(), own.commands.end());
    own.commands.erase(std::unique(own.commands.begin(), own.commands.end()), own.commands.end());
    if (!own.commands.empty()) block.residue.push_back(std::move(own));
  }
  if (const BlockId next = blocks_[id].after; !next.is_none() && blocks_[next].is_free) {
    take_from_bin(next);
    absorb(id, next);
  }
  if (const BlockId previous = blocks_[id].before;
      !previous.is_none() && blocks_[previous].is_free) {
    take_from_bin(previous);
    absorb(previous, id);
    joined = previous;
  }
  // What has finished since owes nothing; the lists stay as short as the work in flight.
  std::vector<Residue>& residue = blocks_[joined].residue;
  if (residue.size() > 8) {
    for (Residue& part : residue) {
      std::erase_if(part.commands,
                    [&](CommandId command) { return commands.is_finished(command); });
    }
    std::erase_if(residue, [](const Residue& part) { return part.commands.empty(); });
  }
  put_in_bin(joined);
}

Bytes Arena::largest_free() const {
  return bins_.empty() ? Bytes(0) : Bytes(bins_.rbegin()->first);
}

void Arena::check() const {
  if (capacity_ == Bytes(0)) return;
  std::int64_t position = base_.count();
  std::int64_t used = 0;
  std::size_t first = 0;
  std::vector<char> is_unused(blocks_.size(), 0);
  for (const BlockId id : unused_) is_unused[id.index()] = 1;
  while (is_unused[first] != 0 || !blocks_[BlockId(first)].before.is_none()) ++first;
  bool was_free = false;
  for (BlockId id(first); !id.is_none(); id = blocks_[id].after) {
    const Block& block = blocks_[id];
    PARLEY_CHECK(block.offset == position, "block at " + std::to_string(block.offset) +
                                               ", expected " + std::to_string(position));
    PARLEY_CHECK(!(was_free && block.is_free), "two free neighbours");
    was_free = block.is_free;
    position += block.size;
    if (!block.is_free) used += block.size;
  }
  PARLEY_CHECK(position == (base_ + capacity_).count(), "blocks do not fill the arena");
  PARLEY_CHECK(used == used_.count(), "used bytes do not add up");
}

}  // namespace parley::core
