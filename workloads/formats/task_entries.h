// The entries of "tasks" in a workload file, one by one: repeat blocks are walked as often as they
// say, with their index set in the reader's scope.
#pragma once

#include <functional>

#include "workloads/formats/json_reader.h"

namespace parley::workloads {

class TaskEntries {
 public:
  /// More tasks than this in one file are refused: 20 million, about 14 GB of engine state.
  static constexpr std::int64_t kMost = 20'000'000;

  /// Checks all repeat blocks of `tasks`, a list; faults are noted.
  TaskEntries(JsonReader& reader, JsonValue tasks);

  /// Calls `visit` for each entry that is no repeat block, in order. Nothing when there are too
  /// many.
  void for_each(const std::function<void(JsonValue entry)>& visit) const;

 private:
  std::int64_t check(JsonValue tasks);
  std::int64_t check_repeat(JsonValue block);
  void walk(JsonValue tasks, const std::function<void(JsonValue entry)>& visit) const;
  void walk_repeat(JsonValue block, const std::function<void(JsonValue entry)>& visit) const;

  JsonReader& reader_;
  JsonValue tasks_;
  bool is_too_many_ = false;
};

}  // namespace parley::workloads
