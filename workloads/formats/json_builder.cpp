#include "workloads/formats/json_builder.h"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>

namespace parley::workloads {

/// What nlohmann's SAX parser calls. Returning false stops it.
struct JsonBuilder::Events {
  using number_integer_t = std::int64_t;
  using number_unsigned_t = std::uint64_t;
  using number_float_t = double;
  using string_t = std::string;
  using binary_t = nlohmann::json::binary_t;

  JsonBuilder& builder;

  bool null() {
    builder.add(JsonKind::kNull, 0);
    return true;
  }
  bool boolean(bool value) {
    builder.add(JsonKind::kBool, value ? 1 : 0);
    return true;
  }
  bool number_integer(number_integer_t value) {
    builder.add(JsonKind::kInteger, static_cast<std::uint64_t>(value));
    return true;
  }
  bool number_unsigned(number_unsigned_t value) {
    const bool is_signed_too = value <= static_cast<std::uint64_t>(INT64_MAX);
    builder.add(is_signed_too ? JsonKind::kInteger : JsonKind::kUnsigned, value);
    return true;
  }
  bool number_float(number_float_t value, const string_t& spelling) {
    const bool is_float = spelling.find_first_of(".eE") != string_t::npos;
    builder.add(is_float ? JsonKind::kFloat : JsonKind::kHugeInteger,
                std::bit_cast<std::uint64_t>(value));
    return true;
  }
  bool string(string_t& value) {
    std::string& texts = builder.document_.texts_;
    builder.add(JsonKind::kString, texts.size(), static_cast<std::uint32_t>(value.size()));
    texts += value;
    return true;
  }
  bool binary(binary_t& /*value*/) { return false; }  // not part of JSON text
  bool start_object(std::size_t /*size*/) { return builder.open(JsonKind::kObject); }
  bool end_object() {
    builder.find_duplicates(builder.levels_.back().node);
    return builder.close();
  }
  bool start_array(std::size_t /*size*/) { return builder.open(JsonKind::kList); }
  bool end_array() { return builder.close(); }
  bool key(string_t& name) {
    builder.key_ = builder.intern(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*last_token*/,
                   const nlohmann::detail::exception& error) {
    builder.faults_.push_back(builder.syntax_fault(position, error.what()));
    return false;
  }
};

JsonBuilder::JsonBuilder(std::string_view text, std::span<const std::string_view> known_keys)
    : text_(text) {
  for (const std::string_view key : known_keys) intern(key);
  document_.nodes_.reserve(text.size() / 16);
  document_.texts_.reserve(text.size() / 4);
}

core::Result<JsonDocument> JsonBuilder::build() {
  Events events{*this};
  const bool is_complete = nlohmann::json::sax_parse(text_.begin(), text_.end(), &events);
  if (is_too_deep_) return nesting_fault();
  if (!is_complete) return std::move(faults_);
  document_.duplicate_keys_ = std::move(faults_);
  return std::move(document_);
}

std::uint32_t JsonBuilder::intern(std::string_view key) {
  std::deque<std::string>& keys = document_.keys_;
  if (key_ < likely_next_.size()) {
    const JsonKey guess = likely_next_[key_];
    if (keys[guess] == key) return guess;
  }
  const auto found = key_ids_.find(key);
  JsonKey id = 0;
  if (found != key_ids_.end()) {
    id = found->second;
  } else {
    id = static_cast<JsonKey>(keys.size());
    key_ids_.emplace(keys.emplace_back(key), id);
    likely_next_.push_back(id);
  }
  likely_next_[key_] = id;
  return id;
}

std::uint32_t JsonBuilder::add(JsonKind kind, std::uint64_t payload, std::uint32_t size) {
  auto& nodes = document_.nodes_;
  const auto index = static_cast<std::uint32_t>(nodes.size());
  nodes.push_back({kind, key_, size, payload});
  if (!levels_.empty()) {
    ++nodes[levels_.back().node].size;
    levels_.back().element = index;
  }
  return index;
}

bool JsonBuilder::open(JsonKind kind) {
  const std::uint32_t index = add(kind, 0);
  is_too_deep_ = levels_.size() == JsonDocument::kMostLevels;
  levels_.push_back({index, index});
  return !is_too_deep_;
}

bool JsonBuilder::close() {
  auto& nodes = document_.nodes_;
  nodes[levels_.back().node].payload = nodes.size();
  levels_.pop_back();
  return true;
}

void JsonBuilder::find_duplicates(std::uint32_t object) {
  const auto& nodes = document_.nodes_;
  seen_.clear();
  for (std::uint32_t i = object + 1; i < nodes.size(); i = document_.next(i)) {
    seen_.push_back(nodes[i].key);
  }
  constexpr std::size_t kFew = 16;
  if (seen_.size() <= kFew) {
    bool has_duplicate = false;
    for (std::size_t i = 1; i < seen_.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) has_duplicate = has_duplicate || seen_[i] == seen_[j];
    }
    if (!has_duplicate) return;
  }
  std::sort(seen_.begin(), seen_.end());
  JsonKey last_reported = static_cast<JsonKey>(-1);
  for (std::size_t i = 1; i < seen_.size(); ++i) {
    if (seen_[i] != seen_[i - 1] || seen_[i] == last_reported) continue;
    last_reported = seen_[i];
    const Level own = levels_.back();
    levels_.pop_back();
    std::string key;
    append_quoted(key, document_.keys_[seen_[i]]);
    faults_.push_back({open_path(), "key " + key + " occurs twice in one object"});
    levels_.push_back(own);
  }
}

std::string JsonBuilder::open_path() const {
  constexpr std::size_t kLongest = 200;
  std::string path;
  for (const Level& level : levels_) {
    if (path.size() > kLongest) return path + "...";
    const JsonDocument::Node& node = document_.nodes_[level.node];
    if (level.element == level.node) break;  // nothing in it yet
    if (node.kind == JsonKind::kList) {
      path += "[" + std::to_string(node.size - 1) + "]";
    } else {
      path += (path.empty() ? "" : ".") + document_.keys_[document_.nodes_[level.element].key];
    }
  }
  return path;
}

// ---- faults of the text ----

std::string JsonBuilder::line_and_column(std::size_t offset) const {
  const std::string_view before = text_.substr(0, std::min(offset, text_.size()));
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n');
  const std::size_t column =
      line_start == std::string_view::npos ? before.size() : before.size() - line_start - 1;
  return ":" + std::to_string(lines + 1) + ":" + std::to_string(column + 1);
}

core::Fault JsonBuilder::nesting_fault() const {
  // The parser does not say where it stopped: find the bracket that was one too many.
  std::size_t levels = 0;
  std::size_t at = 0;
  bool is_in_string = false;
  for (; at < text_.size(); ++at) {
    const char c = text_[at];
    if (is_in_string) {
      if (c == '\\') ++at;
      is_in_string = c != '"';
    } else if (c == '"') {
      is_in_string = true;
    } else if (c == '[' || c == '{') {
      if (++levels > JsonDocument::kMostLevels) break;
    } else if (c == ']' || c == '}') {
      --levels;
    }
  }
  return {line_and_column(at), "lists and objects are nested more than " +
                                   std::to_string(JsonDocument::kMostLevels) + " deep"};
}

namespace {

/// "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while parsing
/// value - invalid literal; last read: 'x'" without the parser's name, the place, which it counts
/// differently, and the text, which may be long or not even UTF-8.
std::string essence(std::string_view parser_says) {
  if (parser_says.find("ill-formed UTF-8") != std::string_view::npos) {
    return "the text is not UTF-8 here";
  }
  if (parser_says.find("number overflow") != std::string_view::npos) {
    return "the number is beyond the range of float64";
  }
  const std::size_t error = parser_says.find("syntax error");
  std::string text(parser_says.substr(error == std::string_view::npos ? 0 : error));
  const std::size_t read = text.find("; last read: '");
  const std::size_t quote = text.rfind('\'');
  if (read != std::string::npos && quote > read) {
    // Behind the text may stand what was expected, which is quoted when it is a single character.
    const std::size_t expected = text.find("'; expected", read);
    text.erase(read, (expected == std::string::npos ? quote : expected) + 1 - read);
  }
  return text;
}

}  // namespace

core::Fault JsonBuilder::syntax_fault(std::size_t position, std::string_view parser_says) const {
  // Versions of the parser differ in what they say of it.
  if (text_.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return {line_and_column(text_.size()), "the file is empty"};
  }
  const bool is_at_end = parser_says.find("unexpected end of input") != std::string_view::npos ||
                         parser_says.find("missing closing quote") != std::string_view::npos;
  std::string what = essence(parser_says);
  if (is_at_end && !levels_.empty()) {
    const std::string inside = open_path();
    what =
        "the file ends too early" + (inside.empty() ? "" : ", at " + inside) + "; is it cut off?";
  } else if (is_at_end) {
    what = "the file ends too early; is it cut off?";
  }
  if (is_at_end) return {line_and_column(text_.size()), what};
  // The parser reports the end of the word that it could not read.
  const std::size_t end = position == 0 ? 0 : std::min(position - 1, text_.size());
  const std::size_t before = text_.find_last_of(" \t\r\n,:[{", end == 0 ? 0 : end - 1);
  const std::size_t word = before == std::string_view::npos ? 0 : before + 1;
  for (const std::string_view name :
       {"NaN", "nan", "Infinity", "-Infinity", "inf", "-inf", "-NaN", "Inf", "-Inf"}) {
    if (!text_.substr(word).starts_with(name)) continue;
    return {line_and_column(word), "JSON has no " + std::string(name) +
                                       "; a value of an array may be the text \"nan\", \"inf\" or "
                                       "\"-inf\""};
  }
  return {line_and_column(what.starts_with("the number") ? word : end), what};
}

}  // namespace parley::workloads
