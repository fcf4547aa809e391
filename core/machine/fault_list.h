// What the checks of a machine share: a list of faults, and how they name places. Internal to
// check_values and check_references.
#pragma once

#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "core/base/result.h"

namespace parley::core {

// Slower links are typing errors, and times computed with them leave the range of the clock.
inline constexpr double kLeastRate = 1.0;  // bytes per second

class FaultList {
 public:
  Faults take_faults() { return std::move(faults_); }

 protected:
  /// "routes[3]".
  static std::string at(const char* list, std::size_t index) {
    return std::string(list) + "[" + std::to_string(index) + "]";
  }
  static std::string quoted(const std::string& name) { return "\"" + name + "\""; }
  static bool is_positive(double rate) { return std::isfinite(rate) && rate > 0.0; }
  static bool is_not_negative(double rate) { return std::isfinite(rate) && rate >= 0.0; }

  void refuse(std::string where, std::string what) {
    faults_.push_back({std::move(where), std::move(what)});
  }

  /// Refuses an empty name, and one that an earlier entry of the list has.
  template <class List>
  void check_unique(const char* list_name, const List& list) {
    std::map<std::string, std::size_t> first;
    std::size_t i = 0;
    for (const auto& item : list) {
      if (item.name.empty()) refuse(at(list_name, i) + ".name", "the name is empty");
      const auto [place, is_new] = first.emplace(item.name, i);
      if (!is_new && !item.name.empty()) {
        refuse(at(list_name, i) + ".name",
               quoted(item.name) + " is the name of " + at(list_name, place->second) + " too");
      }
      ++i;
    }
  }

  Faults faults_;
};

}  // namespace parley::core
