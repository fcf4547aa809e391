// A parsed JSON text, made for files of hundreds of megabytes: all values in one vector, in the
// order of the text, each a few bytes; texts in one buffer; keys as numbers. Immutable once parsed;
// values point into their document, which must outlive them and stay where it is.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace parley::workloads {

/// 2^53: up to here every integer has a double of its own.
inline constexpr std::int64_t kLargestExact = 9007199254740992;

/// Whether a number has no fraction; false for nan and the infinities.
bool is_whole(double number);


enum class JsonKind : std::uint8_t {
  kNull,
  kBool,
  kInteger,      // fits int64
  kUnsigned,     // fits uint64 only
  kHugeInteger,  // spelled as an integer, fits neither
  kFloat,
  kString,
  kList,
  kObject,
};

/// A number that tells keys apart: known keys have their position in the list given to parse().
using JsonKey = std::uint32_t;

class JsonDocument;

/// One value of a document. Cheap to copy.
class JsonValue {
 public:
  JsonValue(const JsonDocument* document, std::uint32_t index)
      : document_(document), index_(index) {}

  [[nodiscard]] JsonKind kind() const;
  [[nodiscard]] bool is_string() const { return kind() == JsonKind::kString; }
  [[nodiscard]] bool is_list() const { return kind() == JsonKind::kList; }
  [[nodiscard]] bool is_object() const { return kind() == JsonKind::kObject; }
  [[nodiscard]] bool is_number() const;
  [[nodiscard]] bool boolean() const;                    // requires kBool
  [[nodiscard]] std::int64_t integer() const;            // requires kInteger
  [[nodiscard]] std::uint64_t unsigned_integer() const;  // requires kInteger (>= 0) or kUnsigned
  [[nodiscard]] double number() const;                   // requires a number; rounded
  [[nodiscard]] std::string_view text() const;           // requires kString
  /// Elements of a list, members of an object. Requires kList or kObject.
  [[nodiscard]] std::size_t size() const;
  /// Of a member of an object.
  [[nodiscard]] JsonKey key() const;
  [[nodiscard]] std::string_view key_text() const;
  [[nodiscard]] std::uint32_t index() const { return index_; }

  class Iterator {
   public:
    Iterator(const JsonDocument* document, std::uint32_t index)
        : document_(document), index_(index) {}
    JsonValue operator*() const { return {document_, index_}; }
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const JsonDocument* document_;
    std::uint32_t index_;
  };
  /// Over elements or members, in the order of the text. Requires kList or kObject.
  [[nodiscard]] Iterator begin() const { return {document_, index_ + 1}; }
  [[nodiscard]] Iterator end() const;

 private:
  const JsonDocument* document_;
  std::uint32_t index_;
};

class JsonDocument {
 public:
  static constexpr std::size_t kMostLevels = 64;

  /// Refused, with `where` ":LINE:COLUMN" (to be appended to the file's name): text that is not
  /// JSON (RFC 8259, UTF-8), nesting beyond kMostLevels, text of 4 GiB or more.
  static core::Result<JsonDocument> parse(std::string_view text,
                                          std::span<const std::string_view> known_keys);

  [[nodiscard]] JsonValue root() const { return {this, 0}; }
  /// Keys that occur twice in an object, with their paths.
  [[nodiscard]] const core::Faults& duplicate_keys() const { return duplicate_keys_; }
  /// "tasks[12].in[0]"; "" for the root. O(log) in the size of the file or so for lists asked for
  /// in order, linear at worst.
  [[nodiscard]] std::string path(JsonValue value) const;

 private:
  friend class JsonValue;
  friend class JsonBuilder;

  struct Node {
    JsonKind kind = JsonKind::kNull;
    JsonKey key = 0;            // of a member of an object
    std::uint32_t size = 0;     // of a list or object; of a text in bytes
    std::uint64_t payload = 0;  // the number's bits, the text's offset, or the index after the last
  };

  [[nodiscard]] std::uint32_t next(std::uint32_t index) const {
    const Node& node = nodes_[index];
    return node.kind >= JsonKind::kList ? static_cast<std::uint32_t>(node.payload) : index + 1;
  }

  std::vector<Node> nodes_;
  std::string texts_;
  std::deque<std::string> keys_;  // never move, so views of them last
  core::Faults duplicate_keys_;

  // Where the last path() passed through a long list: the next is likely close behind.
  struct Step {
    std::uint32_t list = 0, element = 0;
    std::size_t position = 0;
  };
  mutable Step last_step_;
};

/// What was found, for messages: `"abc"`, `12`, `a list`, shortened where long.
std::string describe(JsonValue value);

/// `text` in quotes with JSON's escapes.
void append_quoted(std::string& out, std::string_view text);
/// The shortest decimal that reads back as the same double; always with a '.', an 'e' or both.
void append_float(std::string& out, double value);

// ---- inline, for the loader's inner loops ----

inline JsonKind JsonValue::kind() const { return document_->nodes_[index_].kind; }
inline std::size_t JsonValue::size() const { return document_->nodes_[index_].size; }
inline JsonKey JsonValue::key() const { return document_->nodes_[index_].key; }
inline std::string_view JsonValue::text() const {
  const JsonDocument::Node& node = document_->nodes_[index_];
  return std::string_view(document_->texts_).substr(node.payload, node.size);
}
inline JsonValue::Iterator& JsonValue::Iterator::operator++() {
  index_ = document_->next(index_);
  return *this;
}
inline JsonValue::Iterator JsonValue::end() const { return {document_, document_->next(index_)}; }

}  // namespace parley::workloads
