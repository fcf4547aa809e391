#include "workloads/formats/json_reader.h"

#include <algorithm>
#include <cmath>

namespace parley::workloads {
namespace {}  // namespace

JsonReader::JsonReader(const JsonDocument& document, std::string source)
    : document_(document), source_(std::move(source)) {}

void JsonReader::fault(JsonValue at, std::string what, std::string_view below) {
  std::string path = document_.path(at);
  if (path.empty() && below.starts_with('.')) below.remove_prefix(1);
  path += below;
  if (!scope_.is_empty()) {
    if (!reported_.insert(path).second) return;
    path += " (" + scope_.description() + ")";
  }
  faults_.push_back({source_ + (path.empty() ? "" : ": " + path), std::move(what)});
}

std::string JsonReader::nearest(std::string_view wrong, const std::vector<std::string>& names) {
  const std::size_t work = names.size() * (8 + wrong.size());
  if (work > suggestion_budget_) return "";
  suggestion_budget_ -= work;
  return core::did_you_mean(std::string(wrong), names);
}

std::string JsonReader::nearest_or_all(std::string_view wrong,
                                       const std::vector<std::string>& names) {
  std::string text = nearest(wrong, names);
  if (!text.empty()) return text;
  for (const std::string& name : names) text += (text.empty() ? "; allowed: " : ", ") + name;
  return text;
}

void JsonReader::wrong_type(JsonValue at, std::string_view wanted) {
  fault(at, "expected " + std::string(wanted) + ", found " + describe(at));
}

void JsonReader::unknown_key(JsonValue member, const KeySet& allowed) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kKeyNames.size(); ++i) {
    if (allowed.contains(static_cast<Key>(i))) names.emplace_back(kKeyNames[i]);
  }
  std::string key;
  append_quoted(key, member.key_text());
  fault(member, "unknown key " + key + nearest_or_all(member.key_text(), names));
}

std::optional<Fields> JsonReader::fields(JsonValue value, const KeySet& allowed,
                                         std::string_view wanted) {
  if (!value.is_object()) {
    wrong_type(value, wanted);
    return std::nullopt;
  }
  Fields fields(&document_, value);
  for (const JsonValue member : value) {
    const JsonKey key = member.key();
    if (key < kKeyNames.size() && allowed.contains(static_cast<Key>(key))) {
      fields.members_[key] = member.index();
    } else if (key != static_cast<JsonKey>(Key::kMeta)) {
      unknown_key(member, allowed);
    }
  }
  return fields;
}

std::optional<std::string_view> JsonReader::text(JsonValue value) {
  bool is_before_first = false;
  return text(value, &is_before_first);
}

std::optional<std::string_view> JsonReader::text(JsonValue value, bool* is_before_first) {
  if (!value.is_string()) {
    wrong_type(value, "a text");
    return std::nullopt;
  }
  const std::string_view text = value.text();
  if (scope_.is_empty() || text.find('{') == std::string_view::npos) return text;
  core::Result<RepeatScope::Text> substituted = scope_.substitute(text);
  if (!substituted) {
    fault(value, substituted.faults().front().what);
    return std::nullopt;
  }
  *is_before_first = substituted->is_before_first;
  return substituted_.emplace_back(std::move(substituted->text));
}

std::optional<std::string_view> JsonReader::name(JsonValue value) {
  const std::optional<std::string_view> name = text(value);
  if (!name) return std::nullopt;
  const bool is_printable = std::all_of(name->begin(), name->end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20U && c != 0x7f;
  });
  if (!name->empty() && is_printable) return name;
  fault(value, name->empty() ? "a name cannot be empty"
                             : "a name cannot have control characters, found " + describe(value));
  return std::nullopt;
}

std::optional<bool> JsonReader::boolean(JsonValue value) {
  if (value.kind() == JsonKind::kBool) return value.boolean();
  wrong_type(value, "true or false");
  return std::nullopt;
}

std::optional<std::int64_t> JsonReader::integer(JsonValue value, std::int64_t lowest,
                                                std::int64_t highest) {
  std::optional<std::int64_t> found;
  if (value.kind() == JsonKind::kInteger) {
    found = value.integer();
  } else if (value.kind() == JsonKind::kFloat && is_whole(value.number())) {
    if (std::fabs(value.number()) > static_cast<double>(kLargestExact)) {
      fault(value, "found " + describe(value) +
                       ": an integer spelled as a float is exact only up to 2^53 "
                       "(9007199254740992); write all its digits");
      return std::nullopt;
    }
    found = static_cast<std::int64_t>(value.number());
  }
  if (found && *found >= lowest && *found <= highest) return found;
  std::string wanted = "an integer";
  if (highest == INT64_MAX) {
    wanted += lowest == 0 ? " >= 0" : " from " + std::to_string(lowest);
  } else {
    wanted += " from " + std::to_string(lowest) + " to " + std::to_string(highest);
  }
  wrong_type(value, wanted);
  return std::nullopt;
}

std::optional<double> JsonReader::amount(JsonValue value) {
  if (value.is_number() && value.number() >= 0.0) return value.number();
  wrong_type(value, "a number >= 0");
  return std::nullopt;
}

std::optional<std::size_t> JsonReader::choice(JsonValue value,
                                              const std::vector<std::string>& choices) {
  const std::optional<std::string_view> word = text(value);
  if (!word) return std::nullopt;
  const auto found = std::find(choices.begin(), choices.end(), *word);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  std::string quoted;
  append_quoted(quoted, *word);
  fault(value, "found " + quoted + nearest_or_all(*word, choices));
  return std::nullopt;
}

bool JsonReader::expect_list(JsonValue value, std::string_view wanted) {
  if (value.is_list()) return true;
  wrong_type(value, wanted);
  return false;
}

}  // namespace parley::workloads
