// Offsets of blocks within one memory space. Freed blocks keep the unfinished commands that still
// use them (their residue), byte range by byte range; whoever gets any of those bytes next must
// wait for them. Best fit, the longest free block of a size first, so that residue has had time to
// finish; or, if asked to, the bytes without residue, or with the oldest. Neighbouring free blocks
// are joined at once. Deterministic; not shared between threads.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"

namespace parley::core {

class CommandTable;

using BlockId = Id<struct BlockTag>;

class Arena {
 public:
  /// cudaMalloc's alignment, and a multiple of every element's size.
  static constexpr std::int64_t kAlignment = 256;
  static Bytes rounded(Bytes bytes) {
    return Bytes((bytes.count() + kAlignment - 1) / kAlignment * kAlignment);
  }

  /// Capacity is rounded down to the alignment. `base`: offset of the first byte in the slab.
  Arena(Bytes base, Bytes capacity);

  enum class Prefers : std::uint8_t {
    kBestFit,        // the smallest free block that is large enough, from its beginning
    kLongestUnused,  // bytes that no unfinished command uses, or else those whose newest user is
                     // the oldest; looked for in one free block of each size
  };

  /// A block of rounded(size) bytes, or nothing when no free block is large enough. Appends to
  /// `residue` the unfinished commands that still use any of its bytes.
  /// Requires: size > 0.
  std::optional<BlockId> allocate(Bytes size, const CommandTable& commands,
                                  std::vector<CommandId>& residue,
                                  Prefers prefers = Prefers::kBestFit);
  /// Gives a block back; `users`: the commands that may still use it.
  void free(BlockId block, std::span<const CommandId> users, const CommandTable& commands);

  /// Appends rounded(size) bytes behind the last block, as one used block. Capacity grows.
  /// Requires: size > 0.
  BlockId extend(Bytes size);

  [[nodiscard]] Bytes offset(BlockId block) const { return Bytes(blocks_[block].offset); }
  [[nodiscard]] Bytes size(BlockId block) const { return Bytes(blocks_[block].size); }
  [[nodiscard]] Bytes used() const { return used_; }
  [[nodiscard]] Bytes capacity() const { return capacity_; }
  [[nodiscard]] Bytes base() const { return base_; }
  /// Largest block that could be allocated.
  [[nodiscard]] Bytes largest_free() const;
  /// Throws InvariantViolation when blocks overlap, leave gaps or the books do not add up.
  void check() const;

 private:
  struct Residue {
    std::int64_t begin = 0, end = 0;
    std::vector<CommandId> commands;
  };
  struct Block {
    std::int64_t offset = 0, size = 0;
    BlockId before, after;             // neighbours by offset
    BlockId longer_free, sooner_free;  // neighbours among free blocks of the same size
    bool is_free = false;
    std::vector<Residue> residue;  // of a free block
  };
  struct Place {
    BlockId block;
    std::int64_t begin = 0;
  };
  struct Bin {
    BlockId longest_free, latest_free;
  };

  BlockId new_block();
  Bin& bin_of(std::int64_t size);
  void put_in_bin(BlockId block);
  void take_from_bin(BlockId block);
  void absorb(BlockId block, BlockId neighbour);
  BlockId split(BlockId block, std::int64_t size);
  static CommandId newest_user(const Block& block, std::int64_t begin, std::int64_t end,
                               const CommandTable& commands);
  [[nodiscard]] Place place_used_longest_ago(std::int64_t size, const CommandTable& commands) const;

  Bytes base_, capacity_, used_;
  BlockId last_;  // by offset
  IdVector<BlockId, Block> blocks_;
  std::vector<BlockId> unused_;
  using Bins = std::map<std::int64_t, Bin>;
  Bins bins_;  // by size
  Bins::node_type spare_bin_;
};

}  // namespace parley::core
