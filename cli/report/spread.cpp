#include "cli/report/spread.h"

#include <algorithm>
#include <cmath>

namespace parley::cli {
namespace {

/// The value below which `quarters` quarters of the sorted values lie.
std::int64_t quartile(const std::vector<std::int64_t>& sorted, std::size_t quarters) {
  const std::size_t position = (sorted.size() - 1) * quarters;  // in quarters of a step
  const std::size_t below = position / 4;
  const auto part = static_cast<std::int64_t>(position % 4);
  if (part == 0) return sorted[below];
  const std::int64_t gap = sorted[below + 1] - sorted[below];
  return sorted[below] + (gap / 4 * part + (gap % 4 * part + 2) / 4);
}

}  // namespace

Spread spread_of(std::vector<std::int64_t> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  return {values.size(),       values.front(),      quartile(values, 1),
          quartile(values, 2), quartile(values, 3), values.back()};
}

double uncertainty_of_median(const Spread& spread) {
  if (spread.runs < 2 || spread.median == 0) return 0.0;
  constexpr double kNotch = 1.57;
  return kNotch * static_cast<double>(spread.third_quartile - spread.first_quartile) /
         std::sqrt(static_cast<double>(spread.runs)) / static_cast<double>(spread.median);
}

}  // namespace parley::cli
