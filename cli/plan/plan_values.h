// Numbers and boxes of plans and journals, checked before anything computes with them: an integer
// of the right size, a box of the array's rank within its shape. Templates on the JSON type, so
// that no header includes a JSON library; what is not even a list throws that library's exception.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/plan/plan_names.h"
#include "core/graph/box.h"

namespace parley::cli {

/// Nothing after a fault. Requires: most >= 0.
template <class Json>
std::optional<std::int64_t> plan_integer(const Json& value, std::int64_t least, std::int64_t most,
                                         const std::string& where, PlanNames& names) {
  const bool is_small = value.is_number_integer() &&
                        !(value.is_number_unsigned() &&
                          value.template get<std::uint64_t>() > static_cast<std::uint64_t>(most));
  if (is_small) {
    const auto number = value.template get<std::int64_t>();
    if (number >= least && number <= most) return number;
  }
  names.refuse(where, "found " + value.dump() + "; allowed: an integer from " +
                          std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

/// Which of a task's alternatives.
template <class Json>
std::optional<std::uint16_t> plan_alternative(const Json& value, const std::string& where,
                                              PlanNames& names) {
  const auto number =
      plan_integer(value, 0, std::numeric_limits<std::uint16_t>::max(), where, names);
  if (!number) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

/// [start, step, count], of indices below `extent`.
template <class Json>
std::optional<core::Range> plan_range(const Json& range, std::int64_t extent,
                                      const std::string& where, PlanNames& names) {
  if (!range.is_array() || range.size() != 3) {
    names.refuse(where, "found " + range.dump() + "; allowed: [start, step, count]");
    return std::nullopt;
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::int64_t last = std::max<std::int64_t>(extent - 1, 0);
  const auto start = plan_integer(range.at(0), 0, last, where + "[0]", names);
  const auto step = plan_integer(range.at(1), 1, kMost, where + "[1]", names);
  const auto count = plan_integer(range.at(2), 0, extent, where + "[2]", names);
  if (!start || !step || !count) return std::nullopt;
  if (*count > 1 && *step > (last - *start) / (*count - 1)) {
    names.refuse(where, "found " + range.dump() +
                            ", which goes beyond the array; allowed: indices " + "from 0 to " +
                            std::to_string(last));
    return std::nullopt;
  }
  return core::Range{*start, *step, *count};
}

/// One range for each dimension of an array of that shape.
template <class Json>
std::optional<core::Box> plan_box(const Json& box, std::span<const std::int64_t> shape,
                                  const std::string& where, PlanNames& names) {
  if (!box.is_array() || box.size() != shape.size()) {
    names.refuse(where, "found " + box.dump() + "; allowed: a list of " +
                            std::to_string(shape.size()) +
                            " [start, step, count], one for each dimension of the array");
    return std::nullopt;
  }
  std::vector<core::Range> ranges;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto range = plan_range(box[i], shape[i], where + "[" + std::to_string(i) + "]", names);
    if (!range) return std::nullopt;
    ranges.push_back(*range);
  }
  return core::Box(ranges);
}

}  // namespace parley::cli
