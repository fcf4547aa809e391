#include "core/base/quantile.h"

#include <doctest/doctest.h>

#include <cmath>
#include <utility>
#include <vector>

namespace parley::core {
namespace {

TEST_CASE("the normal quantile, as tables of the distribution have it") {
  const std::vector<std::pair<double, double>> table = {{0.5, 0.0},
                                                        {0.8413447460685429, 1.0},
                                                        {0.9772498680518208, 2.0},
                                                        {0.975, 1.959963984540054},
                                                        {0.99865010196837, 3.0},
                                                        {0.001, -3.090232306167813},
                                                        {1e-9, -5.997807015007686}};
  for (const auto& [probability, value] : table) {
    const double expected = value;
    const double at = probability;
    CAPTURE(at);
    CHECK(std::abs(normal_quantile(at) - expected) < 1e-12 * (1.0 + std::abs(expected)));
  }
}

TEST_CASE("the normal quantile grows, and is odd about one half") {
  double last = -1e9;
  for (int i = 1; i < 1000; ++i) {
    const double value = normal_quantile(i / 1000.0);
    CHECK(value > last);
    CHECK(std::abs(value + normal_quantile((1000 - i) / 1000.0)) < 1e-12);
    last = value;
  }
  CHECK(std::isfinite(normal_quantile(0x1p-54)));
  CHECK(std::isfinite(normal_quantile(1.0 - 0x1p-53)));
}

}  // namespace
}  // namespace parley::core
