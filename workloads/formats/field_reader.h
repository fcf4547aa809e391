// Strict reading of small objects of a document by the text of their keys: every fault is noted
// with its path, and what cannot be read is answered by nothing, so that reading goes on. (The
// workload loader has a reader of its own, for files of hundreds of megabytes.)
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "workloads/formats/json_document.h"

namespace parley::workloads {

/// The members of one object.
class FieldList {
 public:
  explicit FieldList(JsonValue object) : object_(object) {}
  [[nodiscard]] std::optional<JsonValue> operator[](std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const { return (*this)[key].has_value(); }
  [[nodiscard]] JsonValue object() const { return object_; }

 private:
  JsonValue object_;
};

class FieldReader {
 public:
  /// `source`: the file's name, in front of every path.
  FieldReader(const JsonDocument& document, std::string source)
      : document_(document), source_(std::move(source)) {}

  [[nodiscard]] std::string path(JsonValue value) const { return document_.path(value); }
  void fault(JsonValue at, std::string what);
  /// A fault with a path of its own; "" for the whole file.
  void fault_at(const std::string& path, std::string what);
  void wrong_type(JsonValue at, std::string_view wanted);
  [[nodiscard]] bool has_faults() const { return !faults_.empty(); }
  [[nodiscard]] core::Faults take_faults() { return std::move(faults_); }

  /// The members of an object that may have the keys `allowed` (and "meta") and must have those of
  /// `required`. Of keys that were `refused` already nothing is said. Nothing when it is no object.
  std::optional<FieldList> fields(JsonValue value, const std::vector<std::string>& allowed,
                                  std::initializer_list<std::string_view> required = {},
                                  const std::vector<std::string>& refused = {});
  std::optional<std::string> text(JsonValue value);
  /// A text that can name something: not empty, no control characters.
  std::optional<std::string> name(JsonValue value);
  std::optional<bool> boolean(JsonValue value);
  /// An integer from `lowest`; one spelled as a float if it is below 2^53.
  std::optional<std::int64_t> integer(JsonValue value, std::int64_t lowest,
                                      std::int64_t highest = INT64_MAX);
  /// A finite number > 0.
  std::optional<double> positive(JsonValue value);
  /// A number from 0 to 1.
  std::optional<double> share(JsonValue value);
  /// A list's elements; empty, after a fault, for anything else.
  std::vector<JsonValue> list(JsonValue value, std::string_view wanted);
  /// "unknown KIND \"NAME\"" with the nearest of `names`, or all of them when none is near.
  void unknown(JsonValue at, std::string_view kind, const std::string& name,
               const std::vector<std::string>& names);

 private:
  const JsonDocument& document_;
  std::string source_;
  core::Faults faults_;
};

}  // namespace parley::workloads
