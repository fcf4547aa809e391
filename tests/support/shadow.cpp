#include "tests/support/shadow.h"

namespace parley::test {

using core::CommandId;

void Ancestry::add(CommandId id, std::span<const CommandId> after) {
  std::vector<std::uint64_t> bits(id.index() / 64 + 1, 0);
  for (const CommandId earlier : after) {
    const std::vector<std::uint64_t>& inherited = ancestors_[earlier.index()];
    for (std::size_t i = 0; i < inherited.size(); ++i) bits[i] |= inherited[i];
    bits[earlier.index() / 64] |= std::uint64_t{1} << (earlier.index() % 64);
  }
  ancestors_.push_back(std::move(bits));
  is_settled_.push_back(false);
}

bool Ancestry::is_ancestor(CommandId first, CommandId then) const {
  const std::vector<std::uint64_t>& bits = ancestors_[then.index()];
  const std::size_t word = first.index() / 64;
  return word < bits.size() && (bits[word] >> (first.index() % 64) & 1U) != 0;
}

bool Ancestry::is_before(CommandId first, CommandId then) const {
  return first.is_none() || is_settled_[first.index()] || is_ancestor(first, then);
}

std::uint32_t ReaderLists::with(std::uint32_t list, CommandId reader) {
  if (list != 0 && nodes_[list].reader == reader) return list;
  if (last_result_ != 0 && last_list_ == list && last_reader_ == reader) return last_result_;
  nodes_.push_back({reader, list});
  last_list_ = list;
  last_reader_ = reader;
  last_result_ = static_cast<std::uint32_t>(nodes_.size() - 1);
  return last_result_;
}

ShadowCell& ShadowMemory::at(core::SpaceId space, std::int64_t offset) {
  const std::int64_t cell = offset / bytes_per_cell_;
  const std::uint64_t key = static_cast<std::uint64_t>(space.index()) << 48U |
                            static_cast<std::uint64_t>(cell / kPageCells);
  if (key != last_key_ || last_page_ == nullptr) {
    std::unique_ptr<Page>& page = pages_[key];
    if (!page) page = std::make_unique<Page>(static_cast<std::size_t>(kPageCells));
    last_key_ = key;
    last_page_ = page.get();
  }
  return (*last_page_)[static_cast<std::size_t>(cell % kPageCells)];
}

}  // namespace parley::test
