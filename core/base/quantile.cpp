#include "core/base/quantile.h"

#include <boost/math/special_functions/erf.hpp>

namespace parley::core {

double normal_quantile(double probability) {
  // Without promotion to long double, whose width depends on the processor.
  using InDouble = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
  constexpr double kRootOfTwo = 1.4142135623730951;
  return -kRootOfTwo * boost::math::erfc_inv(2.0 * probability, InDouble());
}

}  // namespace parley::core
