// Wrong input is an answer, not an exception: Result<T> holds a value or all faults found.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace parley::core {

/// One fault of an input. `where` is a path ("tasks[12].in[0]"), `what` says what was found, what
/// is allowed and the nearest match. Printed as "FILE: where: what".
struct Fault {
  std::string where;
  std::string what;
};

using Faults = std::vector<Fault>;

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit by intent
  Result(Faults faults) : faults_(std::move(faults)) {}  // NOLINT
  Result(Fault fault) : faults_{std::move(fault)} {}     // NOLINT

  [[nodiscard]] bool has_value() const { return value_.has_value(); }
  explicit operator bool() const { return has_value(); }
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return *std::move(value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  [[nodiscard]] const Faults& faults() const { return faults_; }

 private:
  std::optional<T> value_;
  Faults faults_;
};

/// The name among `names` closest to `wrong` (Levenshtein distance, at most a third of its length),
/// as "; did you mean \"X\"?", or "" when none is close. O(total length * wrong length).
std::string did_you_mean(const std::string& wrong, const std::vector<std::string>& names);

/// "x, y, z": the first 20, and ", ..." where there are more.
std::string names_text(const std::vector<std::string>& names);

/// did_you_mean(), or else "; allowed: " and names_text().
std::string nearest_or_all(const std::string& wrong, const std::vector<std::string>& names);

}  // namespace parley::core
