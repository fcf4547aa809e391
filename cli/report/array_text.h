// Values of arrays as numpy prints them, and as nested JSON lists. The rules are those of numpy's
// array2string with its default print options: 8 digits after the point at most, common widths,
// exponents where values differ a thousandfold, lines of 75 characters, and beyond 1,000 elements
// only the first and last three along each dimension.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/report/json_writer.h"
#include "core/graph/box.h"
#include "core/graph/dtype.h"

namespace parley::cli {

/// Row-major contents; refers to both.
struct ArrayValues {
  core::DType dtype = core::DType::kFloat64;
  std::span<const std::int64_t> shape;  // none: one element
  std::span<const std::byte> bytes;

  [[nodiscard]] std::int64_t size() const;
};

/// str(array): "[1. 2.]"; rows of a matrix on lines of their own.
std::string str_text(const ArrayValues& values);

/// repr(array) on one line, as the lessons print arrays in dictionaries: "array([[1, 2], [3, 4]])".
std::string array_text(const ArrayValues& values);

/// Nested lists, a number where there is no dimension. What JSON has no number for is a string
/// ("nan", "inf", "-inf"); a complex number is the list of its parts.
void write_values(const ArrayValues& values, JsonWriter& json);

/// The elements of a box of the array, row-major without gaps.
std::vector<std::byte> elements_in(const ArrayValues& values, std::span<const core::Range> box);

}  // namespace parley::cli
