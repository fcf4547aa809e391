// Receives the events of the JSON parser and fills a JsonDocument. Internal to json_document.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "workloads/formats/json_document.h"

namespace parley::workloads {

class JsonBuilder {
 public:
  JsonBuilder(std::string_view text, std::span<const std::string_view> known_keys);

  /// Parses the text given at construction. Call once.
  core::Result<JsonDocument> build();

 private:
  struct Events;  // the parser's interface

  struct Level {
    std::uint32_t node;     // the list or object
    std::uint32_t element;  // its member or element at present
  };

  std::uint32_t intern(std::string_view key);
  std::uint32_t add(JsonKind kind, std::uint64_t payload, std::uint32_t size = 0);
  bool open(JsonKind kind);
  bool close();
  void find_duplicates(std::uint32_t object);
  [[nodiscard]] std::string open_path() const;
  [[nodiscard]] std::string line_and_column(std::size_t offset) const;
  [[nodiscard]] core::Fault nesting_fault() const;
  [[nodiscard]] core::Fault syntax_fault(std::size_t position, std::string_view parser_says) const;

  std::string_view text_;
  JsonDocument document_;
  std::unordered_map<std::string_view, JsonKey> key_ids_;  // views of the document's keys
  std::vector<JsonKey> likely_next_;  // the key that followed last time: objects are often alike
  JsonKey key_ = 0;
  std::vector<Level> levels_;
  std::vector<JsonKey> seen_;  // scratch of find_duplicates
  core::Faults faults_;
  bool is_too_deep_ = false;
};

}  // namespace parley::workloads
