#include "workloads/formats/task_names.h"

#include <algorithm>
#include <charconv>

#include "workloads/formats/region_text.h"

namespace parley::workloads {
namespace {

/// "T[1, 2]" as "T" and "1, 2"; no brackets at the end: all is the space.
struct Brackets {
  std::string_view space;
  std::string_view inside;
  bool has_inside = false;
};

Brackets split_brackets(std::string_view name) {
  const std::size_t open = name.find('[');
  if (open == std::string_view::npos || open == 0 || name.back() != ']') return {name, {}, false};
  return {name.substr(0, open), name.substr(open + 1, name.size() - open - 2), true};
}

std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Indices of a task space's member; nothing when they are not all integers.
std::optional<std::vector<std::int64_t>> integers(std::string_view inside) {
  std::vector<std::int64_t> values;
  while (true) {
    const std::size_t comma = inside.find(',');
    const auto value = integer(trimmed(inside.substr(0, comma)));
    if (!value) return std::nullopt;
    values.push_back(*value);
    if (comma == std::string_view::npos) return values;
    inside.remove_prefix(comma + 1);
  }
}

/// One dimension of a selection of tasks.
struct TaskSlice {
  std::int64_t start = 0, stop = 0, step = 1;
};

}  // namespace

std::string_view TaskNames::canonical(std::string_view name) {
  const Brackets parts = split_brackets(name);
  if (!parts.has_inside || parts.inside.find(' ') == std::string_view::npos) return name;
  if (!integers(parts.inside)) return name;
  std::string& plain = owned_.emplace_back(parts.space);
  plain += '[';
  for (const char c : parts.inside) {
    if (c != ' ') plain += c;
  }
  plain += ']';
  return plain;
}

bool TaskNames::add(std::string_view name, bool is_lasting, JsonValue entry) {
  const auto id = static_cast<std::uint32_t>(names_.size());
  entries_.push_back(entry.index());
  if (name.empty()) {
    names_.emplace_back();
    return true;
  }
  const std::string_view plain = canonical(name);
  name = is_lasting || plain.data() != name.data() ? plain : owned_.emplace_back(name);
  names_.push_back(name);
  const bool is_new = ids_.insert(id, names_);
  if (!is_new) duplicates_.insert(id);
  return is_new;
}

void TaskNames::name_the_unnamed() {
  std::size_t next = 0;
  for (std::uint32_t id = 0; id < names_.size(); ++id) {
    if (!names_[id].empty()) continue;
    std::string name;
    do {
      name = "task[" + std::to_string(next++) + "]";
    } while (ids_.find(name, names_));
    names_[id] = owned_.emplace_back(std::move(name));
    ids_.insert(id, names_);
  }
}

std::optional<core::TaskId> TaskNames::find(std::string_view name) const {
  const auto found = ids_.find(name, names_);
  if (!found) return std::nullopt;
  return core::TaskId(*found);
}

void TaskNames::find_spaces() {
  if (has_spaces_) return;
  has_spaces_ = true;
  for (std::size_t id = 0; id < names_.size(); ++id) {
    const Brackets parts = split_brackets(names_[id]);
    if (!parts.has_inside) continue;
    const auto indices = integers(parts.inside);
    if (!indices) continue;
    Space& space = spaces_[parts.space];
    space.members.emplace_back(id);
    if (space.highest.size() < indices->size()) space.highest.resize(indices->size(), -1);
    for (std::size_t d = 0; d < indices->size(); ++d) {
      space.highest[d] = std::max(space.highest[d], (*indices)[d]);
    }
  }
}

std::optional<std::string> TaskNames::resolve(std::string_view text, JsonReader& reader,
                                              std::vector<core::TaskId>& tasks) {
  text = trimmed(text);
  if (const auto task = find(text)) {
    tasks.push_back(*task);
    return std::nullopt;
  }
  find_spaces();
  const Brackets parts = split_brackets(text);
  const auto space = spaces_.find(trimmed(parts.space));
  if (space == spaces_.end()) return unknown(text, reader);
  if (parts.has_inside) return resolve_slices(space->first, parts.inside, tasks);
  const auto& members = space->second.members;
  tasks.insert(tasks.end(), members.begin(), members.end());
  return std::nullopt;
}

std::string TaskNames::unknown(std::string_view text, JsonReader& reader) {
  std::vector<std::string>& names = nearest_names_;
  if (names.empty()) {
    for (const auto& [name, space] : spaces_) names.emplace_back(name);
    std::sort(names.begin(), names.end());  // the map's own order is not fixed
    names.insert(names.begin(), names_.begin(), names_.end());
  }
  std::string quoted;
  append_quoted(quoted, text);
  return "unknown task " + quoted + reader.nearest(text, names);
}

namespace {

/// "3", "0:4", ":4", "0:4:2", ":"; an open end is one beyond `highest`.
std::optional<std::string> parse_slice(std::string_view text, std::int64_t highest,
                                       TaskSlice& slice) {
  const auto fault = [&] {
    return "\"" + std::string(text) + "\" is neither an integer nor a slice such as 0:4";
  };
  std::vector<std::string_view> parts;
  for (std::string_view rest = text;;) {
    const std::size_t colon = rest.find(':');
    parts.push_back(trimmed(rest.substr(0, colon)));
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  if (parts.size() > 3) return fault();
  slice = {0, std::min(highest, INT64_MAX - 1) + 1, 1};
  std::int64_t* const targets[] = {&slice.start, &slice.stop, &slice.step};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty() && parts.size() > 1) continue;
    const auto value = integer(parts[i]);
    if (!value) return fault();
    *targets[i] = *value;
  }
  if (parts.size() == 1) {
    if (slice.start == INT64_MAX) return fault();
    slice.stop = slice.start + 1;
    return std::nullopt;
  }
  if (slice.start < 0 || slice.stop < 0 || slice.step < 1) {
    return "\"" + std::string(text) +
           "\": slices of task spaces have bounds >= 0 and steps >= 1 (nothing counts from the "
           "end)";
  }
  // So that adding the step cannot overflow.
  slice.step = std::min(slice.step, std::max<std::int64_t>(slice.stop - slice.start, 1));
  return std::nullopt;
}

}  // namespace

std::optional<std::string> TaskNames::resolve_slices(std::string_view space,
                                                     std::string_view inside,
                                                     std::vector<core::TaskId>& tasks) {
  const Space& members = spaces_.find(space)->second;
  std::vector<TaskSlice> slices;
  while (true) {
    const std::size_t comma = inside.find(',');
    const std::size_t d = slices.size();
    const std::int64_t highest = d < members.highest.size() ? members.highest[d] : -1;
    const std::string_view item = trimmed(inside.substr(0, comma));
    if (auto fault = parse_slice(item, highest, slices.emplace_back())) return fault;
    if (comma == std::string_view::npos) break;
    inside.remove_prefix(comma + 1);
  }
  std::vector<std::int64_t> at;
  for (const TaskSlice& slice : slices) {
    if (slice.start >= slice.stop) return std::nullopt;  // no task at all
    at.push_back(slice.start);
  }
  // Row by row, the last index fastest.
  while (true) {
    std::string name(space);
    for (std::size_t d = 0; d < at.size(); ++d) {
      name += (d == 0 ? "[" : ",") + std::to_string(at[d]);
    }
    name += ']';
    const auto task = find(name);
    if (!task) return "task space \"" + std::string(space) + "\" has no member \"" + name + "\"";
    tasks.push_back(*task);
    std::size_t d = at.size();
    while (d > 0 && (at[d - 1] += slices[d - 1].step) >= slices[d - 1].stop) {
      --d;
      at[d] = slices[d].start;
    }
    if (d == 0) return std::nullopt;
  }
}

}  // namespace parley::workloads
