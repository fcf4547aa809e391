// Writes JSON as a stream, so that a million rows need no tree in memory. Compact, keys in the
// order given, numbers in one fixed form: the same values give the same bytes.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace parley::cli {

class JsonWriter {
 public:
  explicit JsonWriter(std::ostream& stream) : stream_(&stream) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  /// Requires: an object is open. The next call writes the value.
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool truth) { return raw(truth ? "true" : "false"); }
  JsonWriter& value(std::integral auto number) {
    char digits[24];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
    return raw({digits, static_cast<std::size_t>(end - digits)});
  }
  /// Shortest form that reads back as the same double; null when not finite.
  JsonWriter& value(double number);
  /// Text that is JSON already.
  JsonWriter& raw(std::string_view json);
  /// Starts a new line before the next element: for readers and for diff.
  JsonWriter& line_break();

  template <class T>
  JsonWriter& member(std::string_view name, const T& item) {
    key(name);
    return value(item);
  }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::ostream* stream_;
  std::vector<bool> has_items_;  // of each open bracket
  bool after_key_ = false;
  bool break_line_ = false;
};

/// `text` as a JSON string with its quotes. Bytes above 0x7f pass as they are (UTF-8).
std::string json_string(std::string_view text);

/// Nanoseconds as microseconds with three decimals, exactly: "1.500".
std::string microseconds(std::int64_t ns);

}  // namespace parley::cli
