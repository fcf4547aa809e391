#include "workloads/formats/json_document.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/base/check.h"
#include "workloads/formats/json_builder.h"

namespace parley::workloads {

bool is_whole(double number) { return std::isfinite(number) && std::trunc(number) == number; }

bool JsonValue::is_number() const {
  return kind() >= JsonKind::kInteger && kind() <= JsonKind::kFloat;
}

bool JsonValue::boolean() const { return document_->nodes_[index_].payload != 0; }

std::int64_t JsonValue::integer() const {
  PARLEY_CHECK(kind() == JsonKind::kInteger, "no integer");
  return static_cast<std::int64_t>(document_->nodes_[index_].payload);
}

std::uint64_t JsonValue::unsigned_integer() const { return document_->nodes_[index_].payload; }

double JsonValue::number() const {
  const std::uint64_t bits = document_->nodes_[index_].payload;
  switch (kind()) {
    case JsonKind::kInteger:
      return static_cast<double>(static_cast<std::int64_t>(bits));
    case JsonKind::kUnsigned:
      return static_cast<double>(bits);
    case JsonKind::kHugeInteger:
    case JsonKind::kFloat:
      return std::bit_cast<double>(bits);
    case JsonKind::kNull:
    case JsonKind::kBool:
    case JsonKind::kString:
    case JsonKind::kList:
    case JsonKind::kObject:
      break;
  }
  PARLEY_CHECK(false, "no number");
  return 0.0;
}

std::string_view JsonValue::key_text() const { return document_->keys_[key()]; }

core::Result<JsonDocument> JsonDocument::parse(std::string_view text,
                                               std::span<const std::string_view> known_keys) {
  if (text.size() >= std::numeric_limits<std::uint32_t>::max()) {
    return core::Fault{
        "", "the file has " + std::to_string(text.size()) + " bytes; at most 4 GiB are allowed"};
  }
  return JsonBuilder(text, known_keys).build();
}

// ---- paths ----

namespace {

bool is_plain_key(std::string_view key) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !key.empty() && std::all_of(key.begin(), key.end(), is_plain);
}

}  // namespace

std::string JsonDocument::path(JsonValue value) const {
  const std::uint32_t target = value.index();
  std::string path;
  std::uint32_t at = 0;
  while (at != target) {
    const bool is_list = nodes_[at].kind == JsonKind::kList;
    std::uint32_t child = at + 1;
    std::size_t position = 0;
    if (last_step_.list == at && last_step_.element <= target && last_step_.element != 0) {
      child = last_step_.element;
      position = last_step_.position;
    }
    while (next(child) <= target) {
      child = next(child);
      ++position;
    }
    constexpr std::size_t kLong = 256;
    if (nodes_[at].size > kLong) last_step_ = {at, child, position};
    if (is_list) {
      path += "[" + std::to_string(position) + "]";
    } else {
      const std::string& key = keys_[nodes_[child].key];
      if (is_plain_key(key)) {
        path += (path.empty() ? "" : ".") + key;
      } else {
        path += "[";
        append_quoted(path, key);
        path += "]";
      }
    }
    at = child;
  }
  return path;
}

// ---- texts ----

std::string describe(JsonValue value) {
  std::string text;
  switch (value.kind()) {
    case JsonKind::kNull:
      return "null";
    case JsonKind::kBool:
      return value.boolean() ? "true" : "false";
    case JsonKind::kInteger:
      return std::to_string(value.integer());
    case JsonKind::kUnsigned:
      return std::to_string(value.unsigned_integer());
    case JsonKind::kHugeInteger:
      append_float(text, value.number());
      return "an integer beyond 64 bits (about " + text + ")";
    case JsonKind::kFloat:
      append_float(text, value.number());
      return text;
    case JsonKind::kString: {
      constexpr std::size_t kLongest = 60;
      const std::string_view whole = value.text();
      append_quoted(text, whole.substr(0, kLongest));
      if (whole.size() > kLongest) text += "...";
      return text;
    }
    case JsonKind::kList:
      return value.size() == 0 ? "an empty list" : "a list";
    case JsonKind::kObject:
      return "an object";
  }
  return text;
}

void append_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20U) {
      out += "\\u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xfU];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_float(std::string& out, double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  const std::string_view text(digits.data(), static_cast<std::size_t>(end - digits.data()));
  out += text;
  if (text.find_first_of(".en") == std::string_view::npos) out += ".0";
}

}  // namespace parley::workloads
