#include "cli/report/spread.h"

#include <doctest/doctest.h>

#include <vector>

namespace parley::cli {
namespace {

TEST_CASE("quartiles as numpy.percentile gives them, rounded") {
  struct Case {
    std::vector<std::int64_t> values;
    std::vector<std::int64_t> expected;  // least, quartiles, most
  };
  const std::vector<Case> cases = {
      {{}, {0, 0, 0, 0, 0}},
      {{7}, {7, 7, 7, 7, 7}},
      {{20, 10}, {10, 13, 15, 18, 20}},
      {{3, 1, 2}, {1, 2, 2, 3, 3}},
      {{40, 10, 30, 20}, {10, 18, 25, 33, 40}},
      {{5, 4, 3, 2, 1}, {1, 2, 3, 4, 5}},
      {{1000000007, 1, 1000000001, 11, 500}, {1, 11, 500, 1000000001, 1000000007}}};
  for (const Case& one : cases) {
    const Spread spread = spread_of(one.values);
    CHECK(spread.runs == one.values.size());
    CHECK(std::vector{spread.least, spread.first_quartile, spread.median, spread.third_quartile,
                      spread.most} == one.expected);
  }
}

TEST_CASE("the median of many is known better than that of few") {
  CHECK(uncertainty_of_median(spread_of({})) == 0.0);
  CHECK(uncertainty_of_median(spread_of({7})) == 0.0);
  CHECK(uncertainty_of_median(spread_of({100, 100, 100})) == 0.0);
  // Quartiles 95 and 105 of a median of 100: 1.57 x 10 / sqrt(5) of 100.
  const double five = uncertainty_of_median(spread_of({90, 95, 100, 105, 110}));
  CHECK(five == doctest::Approx(0.0702).epsilon(0.001));
  const double ten =
      uncertainty_of_median(spread_of({90, 90, 95, 95, 100, 100, 105, 105, 110, 110}));
  CHECK(ten < 0.8 * five);
}

}  // namespace
}  // namespace parley::cli
