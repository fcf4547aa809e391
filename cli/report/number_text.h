// Texts of the numbers of one array, all of one width, by the rules of numpy's FloatingFormat,
// IntegerFormat, BoolFormat and ComplexFormat (numpy/core/arrayprint.py).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/graph/dtype.h"

namespace parley::cli {

/// `elements`: addresses of elements of `dtype`; the texts are in their order. Widths are chosen
/// over all of them.
std::vector<std::string> number_texts(core::DType dtype,
                                      std::span<const std::byte* const> elements);

/// str() of one number by itself: "5.0", "True", "1e-05".
std::string scalar_text(core::DType dtype, const std::byte* element);

}  // namespace parley::cli
