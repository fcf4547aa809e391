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

}  // namespace parley::exec
