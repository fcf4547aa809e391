#include "workloads/formats/task_entries.h"

#include <algorithm>

namespace parley::workloads {
namespace {

constexpr KeySet kRepeatKeys = {Key::kRepeat, Key::kIndex, Key::kTasks};

std::optional<JsonValue> member(JsonValue object, Key key) {
  if (!object.is_object()) return std::nullopt;
  for (const JsonValue value : object) {
    if (value.key() == static_cast<JsonKey>(key)) return value;
  }
  return std::nullopt;
}

bool is_repeat(JsonValue entry) { return member(entry, Key::kRepeat).has_value(); }

bool is_index_name(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

/// Sums and products of counts, stopping at twice the limit.
std::int64_t capped(__int128 count) {
  return static_cast<std::int64_t>(std::min<__int128>(count, 2 * TaskEntries::kMost));
}

}  // namespace

TaskEntries::TaskEntries(JsonReader& reader, JsonValue tasks) : reader_(reader), tasks_(tasks) {
  is_too_many_ = check(tasks) > kMost;
  if (is_too_many_) {
    reader_.fault(tasks, "repeat blocks expand to more than " + std::to_string(kMost) +
                             " tasks, the most that one workload may have");
  }
}

std::int64_t TaskEntries::check(JsonValue tasks) {
  std::int64_t count = 0;
  for (const JsonValue entry : tasks) {
    count = capped(static_cast<__int128>(count) + (is_repeat(entry) ? check_repeat(entry) : 1));
  }
  return count;
}

std::int64_t TaskEntries::check_repeat(JsonValue block) {
  const auto fields = reader_.fields(block, kRepeatKeys, "a repeat block");
  const JsonValue repeat = *(*fields)[Key::kRepeat];
  const bool is_count = repeat.kind() == JsonKind::kInteger && repeat.integer() >= 0;
  if (!is_count) reader_.wrong_type(repeat, "an integer >= 0");
  const std::int64_t times = is_count ? repeat.integer() : 0;
  std::string_view index;
  if (const auto name = (*fields)[Key::kIndex]) {
    if (!name->is_string() || !is_index_name(name->text())) {
      reader_.wrong_type(*name, "a name such as \"i\"");
    } else if (reader_.scope().has_index(name->text())) {
      reader_.fault(*name, "index " + describe(*name) + " is that of a block around this one");
    } else {
      index = name->text();
    }
  }
  const auto tasks = (*fields)[Key::kTasks];
  if (!tasks) {
    reader_.fault(block, "missing key \"tasks\"");
    return 0;
  }
  if (!reader_.expect_list(*tasks, "a list of tasks")) return 0;
  reader_.scope().enter(index);
  const std::int64_t inside = check(*tasks);
  reader_.scope().leave();
  // An iteration of nothing counts too: it takes time to walk.
  return capped(static_cast<__int128>(times) * std::max<std::int64_t>(inside, 1));
}

void TaskEntries::for_each(const std::function<void(JsonValue entry)>& visit) const {
  if (!is_too_many_) walk(tasks_, visit);
}

void TaskEntries::walk(JsonValue tasks, const std::function<void(JsonValue entry)>& visit) const {
  for (const JsonValue entry : tasks) {
    if (is_repeat(entry)) {
      walk_repeat(entry, visit);
    } else {
      visit(entry);
    }
  }
}

void TaskEntries::walk_repeat(JsonValue block,
                              const std::function<void(JsonValue entry)>& visit) const {
  const JsonValue times = *member(block, Key::kRepeat);
  const auto index = member(block, Key::kIndex);
  const auto tasks = member(block, Key::kTasks);
  if (times.kind() != JsonKind::kInteger || !tasks || !tasks->is_list()) return;
  const bool is_named = index && index->is_string();
  reader_.scope().enter(is_named ? index->text() : std::string_view());
  for (std::int64_t i = 0; i < times.integer(); ++i) {
    reader_.scope().set(i);
    walk(*tasks, visit);
  }
  reader_.scope().leave();
}

}  // namespace parley::workloads
