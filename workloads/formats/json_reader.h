// Typed reading of a document's values, collecting every fault with its path. What cannot be read
// is answered by nothing, after its fault has been noted, so that reading goes on.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/base/result.h"
#include "workloads/formats/json_document.h"
#include "workloads/formats/repeat_scope.h"
#include "workloads/formats/workload_keys.h"

namespace parley::workloads {

/// The members of an object, by key.
class Fields {
 public:
  Fields(const JsonDocument* document, JsonValue object) : document_(document), object_(object) {}
  [[nodiscard]] std::optional<JsonValue> operator[](Key key) const {
    const std::uint32_t member = members_[static_cast<std::size_t>(key)];
    if (member == 0) return std::nullopt;
    return JsonValue(document_, member);
  }
  [[nodiscard]] bool has(Key key) const { return members_[static_cast<std::size_t>(key)] != 0; }
  [[nodiscard]] JsonValue object() const { return object_; }

 private:
  friend class JsonReader;
  const JsonDocument* document_;
  JsonValue object_;
  std::array<std::uint32_t, kKeyNames.size()> members_{};  // 0, the root, is nobody's member
};

class JsonReader {
 public:
  /// `source`: the file's name, in front of every path.
  JsonReader(const JsonDocument& document, std::string source);

  // ---- faults ----

  /// Notes a fault of `at`; within repeat blocks only the first of each path. `below` is appended
  /// to the path: ".after", "[2]".
  void fault(JsonValue at, std::string what, std::string_view below = "");
  [[nodiscard]] std::size_t fault_count() const { return faults_.size(); }
  [[nodiscard]] core::Faults take_faults() { return std::move(faults_); }
  /// did_you_mean within what is left of a budget: a file with a million faults of a million names
  /// must not take a day.
  [[nodiscard]] std::string nearest(std::string_view wrong, const std::vector<std::string>& names);
  /// The nearest name, or else all allowed ones: `; did you mean "x"?`, `; allowed: x, y`.
  [[nodiscard]] std::string nearest_or_all(std::string_view wrong,
                                           const std::vector<std::string>& names);
  /// "expected WANTED, found ..." on `at`.
  void wrong_type(JsonValue at, std::string_view wanted);

  // ---- values ----

  /// The members of an object that may have the keys `allowed` (and "meta").
  std::optional<Fields> fields(JsonValue value, const KeySet& allowed, std::string_view wanted);
  /// A text, with the indices of repeat blocks put in. Valid until forget_texts().
  std::optional<std::string_view> text(JsonValue value);
  /// The same; `*is_before_first`: it names an iteration before the first.
  std::optional<std::string_view> text(JsonValue value, bool* is_before_first);
  /// A text that can name something: not empty, no control characters.
  std::optional<std::string_view> name(JsonValue value);
  std::optional<bool> boolean(JsonValue value);
  /// An integer from `lowest` to `highest`; one spelled as a float if it is below 2^53.
  std::optional<std::int64_t> integer(JsonValue value, std::int64_t lowest,
                                      std::int64_t highest = INT64_MAX);
  /// A number >= 0.
  std::optional<double> amount(JsonValue value);
  /// Position of a text among `choices`.
  std::optional<std::size_t> choice(JsonValue value, const std::vector<std::string>& choices);
  /// True for a list; else notes "expected WANTED".
  bool expect_list(JsonValue value, std::string_view wanted);

  /// Drops texts made by substitution; views of them become invalid.
  void forget_texts() { substituted_.clear(); }
  [[nodiscard]] RepeatScope& scope() { return scope_; }

 private:
  void unknown_key(JsonValue member, const KeySet& allowed);

  const JsonDocument& document_;
  std::string source_;
  RepeatScope scope_;
  core::Faults faults_;
  std::unordered_set<std::string> reported_;  // paths within repeat blocks
  std::deque<std::string> substituted_;
  std::size_t suggestion_budget_ = 200'000'000;  // characters compared
};

}  // namespace parley::workloads
