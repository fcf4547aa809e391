// What the core remembers of the commands it has given: whether each has finished, and, until then,
// what it waits for. Finished commands cost two bits; the rest lies in rings that are reused.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/units.h"

namespace parley::core {

enum class CommandKind : std::uint8_t { kCopy, kLaunch };

struct CommandRecord {
  CommandKind kind = CommandKind::kCopy;
  bool is_stopped = false;  // failed or cancelled
  TaskId task;
  SpaceId target;  // of a copy
  Time expected_end;
  std::vector<CommandId> after;
};

class CommandTable {
 public:
  [[nodiscard]] bool is_finished(CommandId id) const {
    return (finished_[id.index() / 64] >> (id.index() % 64) & 1U) != 0;
  }
  [[nodiscard]] CommandId next_id() const { return CommandId(count_); }
  [[nodiscard]] std::size_t unfinished() const { return unfinished_; }
  [[nodiscard]] std::size_t count() const { return count_; }

  /// The record of the next command, to be filled in: as new, with an empty list. Valid, and no
  /// command, until add().
  CommandRecord& draft();
  /// The draft is a command.
  CommandId add();
  /// Requires: given, not finished, not stopped.
  void finish(CommandId id);
  /// Marks it failed and all that wait for it, transitively, cancelled; neither counts as
  /// unfinished any more, nor as finished. Returns the cancelled ones, ascending.
  std::vector<CommandId> fail(CommandId id);
  [[nodiscard]] bool is_given(CommandId id) const { return id.index() < count_; }
  [[nodiscard]] bool is_stopped(CommandId id) const {
    return !is_finished(id) && record(id).is_stopped;
  }
  /// Requires: not finished.
  [[nodiscard]] const CommandRecord& record(CommandId id) const {
    return records_[id.index() & (records_.size() - 1)];
  }
  /// Expected end of an unfinished command, else `otherwise`.
  [[nodiscard]] Time expected_end(CommandId id, Time otherwise) const {
    return is_finished(id) ? otherwise : record(id).expected_end;
  }
  [[nodiscard]] std::vector<CommandId> unfinished_commands() const;

 private:
  CommandRecord& slot(std::size_t index) { return records_[index & (records_.size() - 1)]; }
  void grow();

  std::vector<std::uint64_t> finished_;
  /// A ring of a power of two: record i lies at i modulo its size, from first_ up to count_, and
  /// perhaps a draft. Records are used again with the memory of their lists.
  std::vector<CommandRecord> records_ = std::vector<CommandRecord>(64);
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t unfinished_ = 0;
};

}  // namespace parley::core
