// Comparing an array that a run left behind with the one that sequential execution gives.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/graph/program.h"
#include "exec/verify/rounding.h"
#include "exec/verify/verification.h"

namespace parley::exec {

/// What is known of the elements of an array: `certainties` is empty when all are exact.
struct Tolerance {
  std::span<const Certainty> certainties;
  Rounding rounding;
};

/// Nine digits, as messages have them.
std::string number_text(double value);

/// Stops at the first element that is wrong.
ArrayVerdict compare(const core::Program& program, core::ArrayId array,
                     std::span<const std::byte> expected, std::span<const std::byte> found,
                     const Tolerance& tolerance);

/// Where the first element with a meaning is infinite or not a number, and what it is, as
/// "A[1, 2]: nan"; "" if there is none, or if the elements are integers.
std::string not_finite_text(const core::Program& program, core::ArrayId array,
                            std::span<const std::byte> contents,
                            std::span<const Certainty> certainties);

}  // namespace parley::exec
