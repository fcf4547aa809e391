// Arenas against a map of bytes: who holds each byte, and which commands may still use it.
#include "core/memory/arena.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "core/engine/command_table.h"
#include "tests/support/chooser.h"

namespace parley::core {
namespace {

using test::Random;
constexpr std::int64_t kUnit = Arena::kAlignment;

CommandId new_command(CommandTable& commands) {
  commands.draft();
  return commands.add();
}

/// The model, by units of the alignment, which every block is made of.
class Checked {
 public:
  Checked(std::int64_t base, std::int64_t units)
      : arena_(Bytes(base), Bytes(units * kUnit)),
        base_(base),
        owner_(static_cast<std::size_t>(units), -1),
        owed_(static_cast<std::size_t>(units)) {}

  std::vector<BlockId> blocks() const {
    std::vector<BlockId> all;
    for (const auto& [block, extent] : blocks_) all.push_back(block);
    return all;
  }

  void allocate(std::int64_t bytes, Arena::Prefers prefers) {
    std::vector<CommandId> residue;
    const std::size_t units = static_cast<std::size_t>((bytes + kUnit - 1) / kUnit);
    const bool could_be_idle = has_idle(units);
    const auto block = arena_.allocate(Bytes(bytes), commands_, residue, prefers);
    if (prefers == Arena::Prefers::kLongestUnused && could_be_idle) REQUIRE(residue.empty());
    REQUIRE(block.has_value() == (longest_free() >= units));
    if (!block) return;
    const std::size_t first =
        static_cast<std::size_t>((arena_.offset(*block).count() - base_) / kUnit);
    REQUIRE(arena_.size(*block).count() == static_cast<std::int64_t>(units) * kUnit);
    REQUIRE(arena_.offset(*block).count() == base_ + static_cast<std::int64_t>(first) * kUnit);
    REQUIRE(first + units <= owner_.size());
    std::set<CommandId> owed;
    for (std::size_t i = first; i < first + units; ++i) {
      REQUIRE_MESSAGE(owner_[i] == -1, "a block of bytes that are taken");
      owner_[i] = static_cast<int>(block->index());
      for (const CommandId command : owed_[i]) {
        if (!commands_.is_finished(command)) owed.insert(command);
      }
      owed_[i].clear();
    }
    // Every unfinished user of any byte, and of no other byte.
    REQUIRE(std::set<CommandId>(residue.begin(), residue.end()) == owed);
    blocks_[*block] = {first, units};
  }

  void extend(std::int64_t bytes) {
    const std::size_t units = static_cast<std::size_t>((bytes + kUnit - 1) / kUnit);
    const BlockId block = arena_.extend(Bytes(bytes));
    REQUIRE(arena_.offset(block).count() ==
            base_ + static_cast<std::int64_t>(owner_.size()) * kUnit);
    blocks_[block] = {owner_.size(), units};
    owner_.resize(owner_.size() + units, static_cast<int>(block.index()));
    owed_.resize(owner_.size());
  }

  void free(BlockId block, Random& random) {
    std::vector<CommandId> users;
    while (random.chance(60)) {
      if (!given_.empty() && random.chance(50)) {
        users.push_back(given_[random.below(given_.size())]);
      } else {
        given_.push_back(new_command(commands_));
        users.push_back(given_.back());
      }
    }
    const auto [first, units] = blocks_[block];
    for (std::size_t i = first; i < first + units; ++i) {
      owner_[i] = -1;
      owed_[i].insert(users.begin(), users.end());
    }
    arena_.free(block, users, commands_);
    blocks_.erase(block);
  }

  void finish_one(Random& random) {
    if (given_.empty()) return;
    const std::size_t chosen = random.below(given_.size());
    if (!commands_.is_finished(given_[chosen])) commands_.finish(given_[chosen]);
    given_.erase(given_.begin() + static_cast<std::ptrdiff_t>(chosen));
  }

  void check() const {
    arena_.check();
    const auto used = std::count_if(owner_.begin(), owner_.end(), [](int o) { return o != -1; });
    REQUIRE(arena_.used().count() == used * kUnit);
    REQUIRE(arena_.largest_free().count() == static_cast<std::int64_t>(longest_free()) * kUnit);
  }

 private:
  /// Whether some free block, the only one of its size, has as many units in a row that nobody
  /// uses. (Of several of a size the arena looks at one.)
  [[nodiscard]] bool has_idle(std::size_t units) const {
    std::map<std::size_t, std::pair<int, bool>> by_size;  // blocks, whether one will do
    for (std::size_t first = 0; first < owner_.size();) {
      std::size_t end = first, idle = 0, longest_idle = 0;
      for (; end < owner_.size() && owner_[end] == -1; ++end) {
        const bool is_idle = std::ranges::all_of(
            owed_[end], [&](CommandId command) { return commands_.is_finished(command); });
        idle = is_idle ? idle + 1 : 0;
        longest_idle = std::max(longest_idle, idle);
      }
      if (end > first) {
        ++by_size[end - first].first;
        by_size[end - first].second |= longest_idle >= units;
      }
      first = std::max(end, first + 1);
    }
    return std::ranges::any_of(by_size, [](const auto& size) {
      return size.second.first == 1 && size.second.second;
    });
  }

  [[nodiscard]] std::size_t longest_free() const {
    std::size_t longest = 0, run = 0;
    for (const int owner : owner_) {
      run = owner == -1 ? run + 1 : 0;
      longest = std::max(longest, run);
    }
    return longest;
  }

  CommandTable commands_;
  Arena arena_;
  std::int64_t base_;
  std::vector<int> owner_;                                         // by unit; -1 is free
  std::vector<std::set<CommandId>> owed_;                          // by unit
  std::map<BlockId, std::pair<std::size_t, std::size_t>> blocks_;  // first unit, units
  std::vector<CommandId> given_;
};

TEST_CASE("blocks are disjoint and owe exactly what their bytes' former users left unfinished") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Checked checked(kUnit * random.between(0, 3), random.between(1, 24));
    for (int step = 0; step < 120; ++step) {
      const std::vector<BlockId> blocks = checked.blocks();
      const std::size_t kind = random.below(10);
      if (random.chance(3)) {
        checked.extend(random.between(1, 4 * kUnit));
      } else if (kind < 5) {
        checked.allocate(random.between(1, 6 * kUnit), random.chance(50)
                                                           ? Arena::Prefers::kLongestUnused
                                                           : Arena::Prefers::kBestFit);
      } else if (kind < 8 && !blocks.empty()) {
        checked.free(blocks[random.below(blocks.size())], random);
      } else {
        checked.finish_one(random);
      }
      checked.check();
    }
  }
}

TEST_CASE("residue survives when several freed blocks lie under one new one") {
  CommandTable commands;
  Arena arena(Bytes(0), Bytes(4 * kUnit));
  std::vector<CommandId> residue;
  const BlockId a = *arena.allocate(Bytes(kUnit), commands, residue);
  const BlockId b = *arena.allocate(Bytes(kUnit), commands, residue);
  REQUIRE(residue.empty());
  const CommandId reads_a = new_command(commands);
  const CommandId reads_b = new_command(commands);
  arena.free(a, std::vector<CommandId>{reads_a}, commands);
  arena.free(b, std::vector<CommandId>{reads_b}, commands);
  commands.finish(reads_a);
  const auto whole = arena.allocate(Bytes(4 * kUnit), commands, residue);
  REQUIRE(whole.has_value());
  CHECK(residue == std::vector<CommandId>{reads_b});
}

TEST_CASE("an arena smaller than its alignment holds nothing") {
  CommandTable commands;
  Arena arena(Bytes(0), Bytes(kUnit - 1));
  std::vector<CommandId> residue;
  CHECK_FALSE(arena.allocate(Bytes(1), commands, residue).has_value());
  CHECK(arena.capacity() == Bytes(0));
  arena.check();
}

TEST_CASE("an arena grows at its end") {
  CommandTable commands;
  Arena arena(Bytes(0), Bytes(0));
  const BlockId slot = arena.extend(Bytes(10));
  CHECK(arena.offset(slot) == Bytes(0));
  CHECK(arena.capacity() == Bytes(kUnit));
  const BlockId next = arena.extend(Bytes(kUnit + 1));
  CHECK(arena.offset(next) == Bytes(kUnit));
  CHECK(arena.capacity() == Bytes(3 * kUnit));
  arena.check();
  CHECK(arena.used() == Bytes(3 * kUnit));
}

}  // namespace
}  // namespace parley::core
