#include "core/engine/command_table.h"

#include <utility>

#include "core/base/check.h"

namespace parley::core {

CommandRecord& CommandTable::draft() {
  if (count_ - first_ == records_.size()) grow();
  CommandRecord& record = slot(count_);
  record.kind = CommandKind::kCopy;
  record.is_stopped = false;
  record.task = TaskId::none();
  record.target = SpaceId::none();
  record.expected_end = Time();
  record.after.clear();
  return record;
}

CommandId CommandTable::add() {
  const CommandId id(count_++);
  if (finished_.size() * 64 < count_) finished_.push_back(0);
  ++unfinished_;
  return id;
}

void CommandTable::finish(CommandId id) {
  PARLEY_CHECK(is_given(id), "command " + std::to_string(id.index()) + " was never given");
  PARLEY_CHECK(!is_finished(id), "command " + std::to_string(id.index()) + " finished twice");
  PARLEY_CHECK(!record(id).is_stopped,
               "command " + std::to_string(id.index()) + " finished after it was cancelled");
  finished_[id.index() / 64] |= std::uint64_t{1} << (id.index() % 64);
  --unfinished_;
  while (first_ < count_ && is_finished(CommandId(first_))) ++first_;
}

void CommandTable::grow() {
  std::vector<CommandRecord> larger(2 * records_.size());
  for (std::size_t i = first_; i < first_ + records_.size(); ++i) {
    larger[i & (larger.size() - 1)] = std::move(slot(i));
  }
  records_ = std::move(larger);
}

std::vector<CommandId> CommandTable::fail(CommandId id) {
  PARLEY_CHECK(is_given(id) && !is_finished(id) && !record(id).is_stopped,
               "command " + std::to_string(id.index()) + " fails but is not in flight");
  slot(id.index()).is_stopped = true;
  --unfinished_;
  std::vector<CommandId> cancelled;
  for (std::size_t i = id.index() + 1; i < count_; ++i) {
    const CommandId later(i);
    if (is_finished(later) || record(later).is_stopped) continue;
    for (const CommandId before : record(later).after) {
      if (!is_stopped(before)) continue;
      slot(i).is_stopped = true;
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
