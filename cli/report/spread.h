// Median and quartiles of the makespans of repeated runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace parley::cli {

/// Nanoseconds. Quartiles are interpolated linearly between the values beside them, as numpy does
/// (type 7 of Hyndman and Fan, "Sample quantiles in statistical packages", 1996), and rounded.
struct Spread {
  std::size_t runs = 0;
  std::int64_t least = 0, first_quartile = 0, median = 0, third_quartile = 0, most = 0;
};

/// All 0 without values.
Spread spread_of(std::vector<std::int64_t> values);

/// Half the notch of a box plot, as a part of the median: 1.57 quartile distances over the root of
/// the number (McGill, Tukey and Larsen, "Variations of box plots", 1978). Of normal values the
/// median lies so near in nine of ten cases, if they are many. 0 where nothing is known of the
/// spread: without values, and for one.
double uncertainty_of_median(const Spread& spread);

}  // namespace parley::cli
