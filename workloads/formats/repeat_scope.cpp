#include "workloads/formats/repeat_scope.h"

#include <algorithm>
#include <optional>

namespace parley::workloads {

/// Evaluates one expression by recursive descent. After a fault, values are meaningless.
class IndexExpression {
 public:
  IndexExpression(std::string_view text, const RepeatScope& scope) : text_(text), scope_(scope) {}

  std::int64_t evaluate() {
    const std::int64_t value = sum(0);
    skip_spaces();
    if (fault_.empty() && at_ < text_.size()) fail("unexpected \"" + rest() + "\"");
    return value;
  }
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  static constexpr int kDeepest = 32;

  void fail(std::string what) {
    if (fault_.empty()) fault_ = std::move(what);
    at_ = text_.size();
  }
  [[nodiscard]] std::string rest() const { return std::string(text_.substr(at_)); }
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool accept(char c) {
    skip_spaces();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::int64_t checked(bool has_overflow, std::int64_t value) {
    if (has_overflow) fail("the value is beyond 64 bits");
    return value;
  }

  std::int64_t sum(int depth) {
    std::int64_t value = product(depth);
    for (;;) {
      std::int64_t result = 0;
      if (accept('+')) {
        const bool has_overflow = __builtin_add_overflow(value, product(depth), &result);
        value = checked(has_overflow, result);
      } else if (accept('-')) {
        const bool has_overflow = __builtin_sub_overflow(value, product(depth), &result);
        value = checked(has_overflow, result);
      } else {
        return value;
      }
    }
  }

  std::int64_t product(int depth) {
    std::int64_t value = factor(depth);
    for (;;) {
      if (accept('*')) {
        std::int64_t result = 0;
        const bool has_overflow = __builtin_mul_overflow(value, factor(depth), &result);
        value = checked(has_overflow, result);
      } else if (accept('/')) {
        value = divide(value, factor(depth)).quotient;
      } else if (accept('%')) {
        value = divide(value, factor(depth)).remainder;
      } else {
        return value;
      }
    }
  }

  struct Division {
    std::int64_t quotient = 0, remainder = 0;
  };
  Division divide(std::int64_t value, std::int64_t by) {
    if (by == 0) {
      fail("division by zero");
      return {};
    }
    if (by == -1) return {checked(value == INT64_MIN, value == INT64_MIN ? 0 : -value), 0};
    Division result{value / by, value % by};
    if (result.remainder != 0 && (result.remainder < 0) != (by < 0)) {
      --result.quotient;
      result.remainder += by;
    }
    return result;
  }

  std::int64_t factor(int depth) {
    if (depth > kDeepest) {
      fail("the expression is nested too deep");
      return 0;
    }
    if (accept('-')) {
      const std::int64_t value = factor(depth + 1);
      return checked(value == INT64_MIN, value == INT64_MIN ? 0 : -value);
    }
    if (accept('(')) {
      const std::int64_t value = sum(depth + 1);
      if (!accept(')')) fail("a \")\" is missing");
      return value;
    }
    skip_spaces();
    const std::size_t start = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    const std::string_view word = text_.substr(start, at_ - start);
    if (word.empty()) {
      fail(at_ < text_.size() ? "unexpected \"" + rest() + "\"" : "an index or integer is missing");
      return 0;
    }
    return word[0] >= '0' && word[0] <= '9' ? number(word) : index(word);
  }

  static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }

  std::int64_t number(std::string_view digits) {
    std::int64_t value = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9') {
        fail("\"" + std::string(digits) + "\" is no integer");
        return 0;
      }
      const bool has_overflow = __builtin_mul_overflow(value, 10, &value) ||
                                __builtin_add_overflow(value, c - '0', &value);
      if (has_overflow) return checked(true, 0);
    }
    return value;
  }

  std::int64_t index(std::string_view name) {
    // The innermost of equal names counts; the loader refuses equal names anyway.
    for (auto i = scope_.indices_.rbegin(); i != scope_.indices_.rend(); ++i) {
      if (i->name == name) return i->value;
    }
    std::vector<std::string> names;
    for (const RepeatScope::Index& known : scope_.indices_) names.push_back(known.name);
    std::string what = "unknown index \"" + std::string(name) + "\"";
    const std::string nearest = core::did_you_mean(std::string(name), names);
    what += nearest.empty() ? "; known here: " + scope_.description() : nearest;
    fail(std::move(what));
    return 0;
  }

  std::string_view text_;
  const RepeatScope& scope_;
  std::size_t at_ = 0;
  std::string fault_;
};

bool RepeatScope::has_index(std::string_view name) const {
  return std::any_of(indices_.begin(), indices_.end(),
                     [&](const Index& index) { return index.name == name; });
}

core::Result<RepeatScope::Text> RepeatScope::substitute(std::string_view text) const {
  Text result;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t open = text.find('{', at);
    result.text += text.substr(at, open - at);
    if (open == std::string_view::npos) break;
    const std::size_t close = text.find('}', open);
    if (close == std::string_view::npos) {
      return core::Fault{"",
                         "a \"{\" has no \"}\": in a repeat block, braces hold an index such as {" +
                             indices_.back().name + "}"};
    }
    const std::string_view inside = text.substr(open + 1, close - open - 1);
    IndexExpression expression(inside, *this);
    const std::int64_t value = expression.evaluate();
    if (!expression.fault().empty()) {
      return core::Fault{"", "in \"{" + std::string(inside) + "}\": " + expression.fault()};
    }
    result.is_before_first = result.is_before_first || value < 0;
    result.text += std::to_string(value);
    at = close + 1;
  }
  return result;
}

std::string RepeatScope::description() const {
  std::string text;
  for (const Index& index : indices_) {
    text += text.empty() ? "" : ", ";
    text += index.name.empty() ? "iteration " : index.name + " = ";
    text += std::to_string(index.value);
  }
  return text;
}

}  // namespace parley::workloads
