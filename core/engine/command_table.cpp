#include "core/engine/command_table.h"

#include <utility>

#include "core/base/check.h"

namespace parley::core {

CommandId CommandTable::add(CommandRecord record) {
  const CommandId id(count_++);
  if (finished_.size() * 64 < count_) finished_.push_back(0);
  records_.push_back(std::move(record));
  ++unfinished_;
  return id;
}

std::vector<CommandId> CommandTable::spare_list() {
  if (spare_lists_.empty()) return {};
  std::vector<CommandId> list = std::move(spare_lists_.back());
  spare_lists_.pop_back();
  return list;
}

void CommandTable::finish(CommandId id) {
  PARLEY_CHECK(is_given(id), "command " + std::to_string(id.index()) + " was never given");
  PARLEY_CHECK(!is_finished(id), "command " + std::to_string(id.index()) + " finished twice");
  PARLEY_CHECK(!record(id).is_stopped,
               "command " + std::to_string(id.index()) + " finished after it was cancelled");
  finished_[id.index() / 64] |= std::uint64_t{1} << (id.index() % 64);
  --unfinished_;
  while (!records_.empty() && is_finished(CommandId(first_))) {
    std::vector<CommandId>& list = records_.front().after;
    if (spare_lists_.size() < 64) {
      list.clear();
      spare_lists_.push_back(std::move(list));
    }
    records_.pop_front();
    ++first_;
  }
}

std::vector<CommandId> CommandTable::fail(CommandId id) {
  PARLEY_CHECK(is_given(id) && !is_finished(id) && !record(id).is_stopped,
               "command " + std::to_string(id.index()) + " fails but is not in flight");
  records_[id.index() - first_].is_stopped = true;
  --unfinished_;
  std::vector<CommandId> cancelled;
  for (std::size_t i = id.index() + 1; i < count_; ++i) {
    const CommandId later(i);
    if (is_finished(later) || record(later).is_stopped) continue;
    for (const CommandId before : record(later).after) {
      if (!is_stopped(before)) continue;
      records_[i - first_].is_stopped = true;
      --unfinished_;
      cancelled.push_back(later);
      break;
    }
  }
  return cancelled;
}

std::vector<CommandId> CommandTable::unfinished_commands() const {
  std::vector<CommandId> ids;
  for (std::size_t i = first_; i < count_; ++i) {
    if (!is_finished(CommandId(i)) && !record(CommandId(i)).is_stopped) ids.push_back(CommandId(i));
  }
  return ids;
}

}  // namespace parley::core
