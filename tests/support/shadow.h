// A second, independent book of what lies where: for every small stretch of memory ("cell") of
// every space, which element it holds, at which version, which command wrote it, and which have
// read it since. In issue order, like the directory, but knowing only commands.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "tests/support/meaning.h"

namespace parley::test {

/// Which commands are certain to have ended before another one starts.
class Ancestry {
 public:
  /// Requires: ids ascending from 0, `after` earlier ones.
  void add(core::CommandId id, std::span<const core::CommandId> after);
  /// The core knows that it has ended (or will never run).
  void settle(core::CommandId id) { is_settled_[id.index()] = true; }
  [[nodiscard]] bool is_settled(core::CommandId id) const { return is_settled_[id.index()]; }
  [[nodiscard]] std::size_t count() const { return is_settled_.size(); }
  /// Whether `first` (or nothing) has ended before `then` may start.
  [[nodiscard]] bool is_before(core::CommandId first, core::CommandId then) const;
  [[nodiscard]] bool is_ancestor(core::CommandId first, core::CommandId then) const;

 private:
  std::vector<std::vector<std::uint64_t>> ancestors_;  // bits
  std::vector<bool> is_settled_;
};

struct ShadowCell {
  core::ArrayId array;     // none: no element
  std::uint32_t part = 0;  // number of the cell within the array
  Version version = kNoVersion;
  core::CommandId writer;      // none: initial contents, or never written
  std::uint32_t readers = 0;   // list of the commands that read it since; 0 is empty
  core::CommandId seen_by;     // the last launch that has it among its operands,
  std::uint16_t seen_as = 0;   // as which of them,
  bool is_seen_twice = false;  // and whether as several
};

/// Lists that share their tails, as most neighbouring cells have the same readers.
class ReaderLists {
 public:
  std::uint32_t with(std::uint32_t list, core::CommandId reader);
  /// Calls visit(command) for every reader.
  template <class Visitor>
  void for_each(std::uint32_t list, Visitor&& visit) const {
    for (; list != 0; list = nodes_[list].rest) visit(nodes_[list].reader);
  }

 private:
  struct Node {
    core::CommandId reader;
    std::uint32_t rest = 0;
  };
  std::vector<Node> nodes_{Node{}};
  std::uint32_t last_list_ = 0, last_result_ = 0;
  core::CommandId last_reader_;
};

/// Cells of all spaces, made when first touched.
class ShadowMemory {
 public:
  explicit ShadowMemory(std::int64_t bytes_per_cell) : bytes_per_cell_(bytes_per_cell) {}

  [[nodiscard]] std::int64_t bytes_per_cell() const { return bytes_per_cell_; }
  ShadowCell& at(core::SpaceId space, std::int64_t offset);
  template <class Visitor>
  void for_each(Visitor&& visit) {
    for (auto& [key, page] : pages_) {
      for (ShadowCell& cell : *page) visit(cell);
    }
  }

 private:
  static constexpr std::int64_t kPageCells = 512;
  using Page = std::vector<ShadowCell>;

  std::int64_t bytes_per_cell_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages_;
  std::uint64_t last_key_ = ~std::uint64_t{0};
  Page* last_page_ = nullptr;
};

}  // namespace parley::test
