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

}  // namespace
}  // namespace parley::cli
