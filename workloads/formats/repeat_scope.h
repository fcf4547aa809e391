// The indices of the repeat blocks around a task, and what `{i}`, `{i-1}` in its texts become. In
// braces stands an expression of integers, indices, + - * / % and parentheses; / and % round down,
// as in Python.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace parley::workloads {

class RepeatScope {
 public:
  void enter(std::string_view index) { indices_.push_back({std::string(index), 0}); }
  void set(std::int64_t value) { indices_.back().value = value; }
  void leave() { indices_.pop_back(); }
  [[nodiscard]] bool is_empty() const { return indices_.empty(); }
  [[nodiscard]] bool has_index(std::string_view name) const;

  struct Text {
    std::string text;
    bool is_before_first = false;  // an expression was negative: it names an iteration before 0
  };
  /// `text` with every {expression} replaced. Fails on a syntax error, an unknown index (with the
  /// nearest), a division by zero, a number beyond 64 bits.
  [[nodiscard]] core::Result<Text> substitute(std::string_view text) const;
  /// "i = 2, j = 0", for messages.
  [[nodiscard]] std::string description() const;

 private:
  struct Index {
    std::string name;
    std::int64_t value;
  };
  friend class IndexExpression;
  std::vector<Index> indices_;
};

}  // namespace parley::workloads
