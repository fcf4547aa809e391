#include "workloads/formats/field_reader.h"

#include <algorithm>
#include <cmath>

namespace parley::workloads {

std::optional<JsonValue> FieldList::operator[](std::string_view key) const {
  for (const JsonValue member : object_) {
    if (member.key_text() == key) return member;
  }
  return std::nullopt;
}

void FieldReader::fault(JsonValue at, std::string what) {
  fault_at(document_.path(at), std::move(what));
}

void FieldReader::fault_at(const std::string& path, std::string what) {
  faults_.push_back({source_ + (path.empty() ? "" : ": " + path), std::move(what)});
}

void FieldReader::wrong_type(JsonValue at, std::string_view wanted) {
  fault(at, "expected " + std::string(wanted) + ", found " + describe(at));
}

std::optional<FieldList> FieldReader::fields(JsonValue value,
                                             const std::vector<std::string>& allowed,
                                             std::initializer_list<std::string_view> required,
                                             const std::vector<std::string>& refused) {
  if (!value.is_object()) {
    wrong_type(value, "an object");
    return std::nullopt;
  }
  for (const JsonValue member : value) {
    const std::string key(member.key_text());
    if (key == "meta" || std::find(allowed.begin(), allowed.end(), key) != allowed.end()) continue;
    if (std::find(refused.begin(), refused.end(), key) != refused.end()) continue;
    unknown(member, "key", key, allowed);
  }
  const FieldList fields(value);
  for (const std::string_view key : required) {
    if (!fields.has(key)) fault(value, "\"" + std::string(key) + "\" is missing");
  }
  return fields;
}

std::optional<std::string> FieldReader::text(JsonValue value) {
  if (value.is_string()) return std::string(value.text());
  wrong_type(value, "a text");
  return std::nullopt;
}

std::optional<std::string> FieldReader::name(JsonValue value) {
  const std::optional<std::string> name = text(value);
  if (!name) return std::nullopt;
  const bool is_printable = std::all_of(name->begin(), name->end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20U && c != 0x7f;
  });
  if (!name->empty() && is_printable) return name;
  fault(value, name->empty() ? "a name cannot be empty"
                             : "a name cannot have control characters, found " + describe(value));
  return std::nullopt;
}

std::optional<bool> FieldReader::boolean(JsonValue value) {
  if (value.kind() == JsonKind::kBool) return value.boolean();
  wrong_type(value, "true or false");
  return std::nullopt;
}

std::optional<std::int64_t> FieldReader::integer(JsonValue value, std::int64_t lowest,
                                                 std::int64_t highest) {
  std::optional<std::int64_t> found;
  if (value.kind() == JsonKind::kInteger) {
    found = value.integer();
  } else if (value.kind() == JsonKind::kFloat &&
             std::fabs(value.number()) <= static_cast<double>(kLargestExact) &&
             std::floor(value.number()) >= value.number()) {
    found = static_cast<std::int64_t>(value.number());
  }
  if (found && *found >= lowest && *found <= highest) return found;
  // The largest of all is told only to whom it was not enough.
  const bool has_most = highest < INT64_MAX ||
                        (value.is_number() && value.number() >= static_cast<double>(INT64_MAX));
  wrong_type(value, "an integer " + (has_most ? "from " + std::to_string(lowest) + " to " +
                                                    std::to_string(highest)
                                              : ">= " + std::to_string(lowest)));
  return std::nullopt;
}

std::optional<double> FieldReader::positive(JsonValue value) {
  if (value.is_number() && std::isfinite(value.number()) && value.number() > 0.0) {
    return value.number();
  }
  wrong_type(value, "a number > 0");
  return std::nullopt;
}

std::optional<double> FieldReader::share(JsonValue value) {
  if (value.is_number() && value.number() >= 0.0 && value.number() <= 1.0) return value.number();
  wrong_type(value, "a number from 0 to 1");
  return std::nullopt;
}

std::vector<JsonValue> FieldReader::list(JsonValue value, std::string_view wanted) {
  std::vector<JsonValue> elements;
  if (!value.is_list()) {
    wrong_type(value, wanted);
    return elements;
  }
  for (const JsonValue element : value) elements.push_back(element);
  return elements;
}

void FieldReader::unknown(JsonValue at, std::string_view kind, const std::string& name,
                          const std::vector<std::string>& names) {
  std::string what = "unknown " + std::string(kind) + " ";
  append_quoted(what, name);
  fault(at, what + core::nearest_or_all(name, names));
}

}  // namespace parley::workloads
