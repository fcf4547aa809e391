// Quantiles of distributions: what turns one uniform number into a draw. One number a draw, so that
// draws can be numbered instead of taken from a stream.
#pragma once

namespace parley::core {

/// Of the standard normal distribution: the value that a draw is below with `probability`.
/// Requires: 0 < probability < 1. Relative error below 1e-15; the tails (one draw in seven) go
/// through the system's logarithm, the rest is the same on every machine with IEEE 754 doubles.
double normal_quantile(double probability);

}  // namespace parley::core
