// The names of all tasks of a file, repeat blocks expanded: which number each has, and what names,
// slices of task spaces and whole spaces in `after` stand for. A task called "T[1, 2]" is a member
// of the task space T; spaces within its brackets do not count.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "workloads/formats/json_reader.h"
#include "workloads/formats/name_table.h"

namespace parley::workloads {

class TaskNames {
 public:
  /// Adds the next task. `name`: "" when it has none; `is_lasting`: it lives as long as this does.
  /// `entry`: where it stands. False when the name is taken.
  bool add(std::string_view name, bool is_lasting, JsonValue entry);
  /// Names the unnamed: task[0], task[1], ..., leaving out what is taken. Call once, after all.
  void name_the_unnamed();

  [[nodiscard]] std::size_t size() const { return names_.size(); }
  [[nodiscard]] std::string_view name(core::TaskId task) const { return names_[task.index()]; }
  [[nodiscard]] std::uint32_t entry(core::TaskId task) const { return entries_[task.index()]; }
  /// False for the later one of two tasks with the same name.
  [[nodiscard]] bool owns_name(core::TaskId task) const {
    return duplicates_.empty() || !duplicates_.contains(static_cast<std::uint32_t>(task.index()));
  }
  [[nodiscard]] std::optional<core::TaskId> find(std::string_view name) const;

  /// Appends the tasks that `text` stands for: one task, "T[0:2]", "T[1, 0:4]", or the space "T".
  /// Returns what is wrong, or nothing.
  std::optional<std::string> resolve(std::string_view text, JsonReader& reader,
                                     std::vector<core::TaskId>& tasks);

 private:
  struct Space {
    std::vector<core::TaskId> members;
    std::vector<std::int64_t> highest;  // by dimension
  };

  std::string_view canonical(std::string_view name);
  void find_spaces();
  std::string unknown(std::string_view text, JsonReader& reader);
  std::optional<std::string> resolve_slices(std::string_view space, std::string_view inside,
                                            std::vector<core::TaskId>& tasks);

  std::vector<std::string_view> names_;
  std::vector<std::uint32_t> entries_;
  NameTable ids_;
  std::unordered_set<std::uint32_t> duplicates_;
  std::deque<std::string> owned_;                       // names that are not spelled so in the file
  std::unordered_map<std::string_view, Space> spaces_;  // looked up only; made when first needed
  std::vector<std::string> nearest_names_;              // for suggestions, likewise
  bool has_spaces_ = false;
};

}  // namespace parley::workloads
