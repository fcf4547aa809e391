// Small pieces of JSON text, written straight into a string.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/formats/json_document.h"

namespace parley::workloads {

/// Writes `"key": ` of an object's members, with commas between them.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  void key(std::string_view name) {
    out_ += is_first_ ? "" : ", ";
    is_first_ = false;
    append_quoted(out_, name);
    out_ += ": ";
  }
  void text(std::string_view name, std::string_view value) {
    key(name);
    append_quoted(out_, value);
  }
  void integer(std::string_view name, std::int64_t value) {
    key(name);
    out_ += std::to_string(value);
  }
  void number(std::string_view name, double value) {
    key(name);
    append_float(out_, value);
  }
  void literal(std::string_view name, std::string_view value) {
    key(name);
    out_ += value;
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
  bool is_first_ = true;
};

/// "[item, item]", each written by `write`.
template <class Items, class Write>
void append_list(std::string& out, const Items& items, Write write) {
  out += '[';
  bool is_first = true;
  for (const auto& item : items) {
    if (!is_first) out += ", ";
    is_first = false;
    write(item);
  }
  out += ']';
}

inline void append_shape(std::string& out, const std::vector<std::int64_t>& shape) {
  append_list(out, shape, [&](std::int64_t extent) { out += std::to_string(extent); });
}

}  // namespace parley::workloads
