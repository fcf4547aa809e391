// Rows of two-dimensional regions as doubles, of contents that a run left behind or of initial ones
// made again row by row, and the sums that products with vectors need. Each thread has its own.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "core/graph/program.h"
#include "exec/executor.h"

namespace parley::exec {

using Row = std::span<const double>;

class MatrixRows {
 public:
  /// `arrays` null: initial contents.
  MatrixRows(const core::Program& program,
             const core::IdVector<core::ArrayId, ArrayContents>* arrays)
      : program_(program), arrays_(arrays) {}

  /// Calls visit(r, row) for each row. Requires: two dimensions, of float32 or float64.
  template <class Visit>
  void for_each(core::RegionId region, Visit&& visit) {
    const core::Box& box = program_.region(region).box;
    const core::ArrayId array = program_.region(region).array;
    const std::int64_t width = program_.array(array).spec.shape[1];
    for (std::int64_t r = 0; r < box[0].count; ++r) {
      const std::int64_t first = (box[0].start + r * box[0].step) * width + box[1].start;
      visit(static_cast<std::size_t>(r), row(array, first, box[1]));
    }
  }

 private:
  /// Elements first, first + step, ... of the array.
  Row row(core::ArrayId id, std::int64_t first, const core::Range& columns) {
    const core::Array& array = program_.array(id);
    const auto element = static_cast<std::size_t>(array.element_bytes);
    const std::byte* bytes = nullptr;
    if (arrays_ != nullptr) {
      bytes = (*arrays_)[id].bytes.data() + static_cast<std::size_t>(first) * element;
    } else {
      const std::int64_t span = columns.count == 0 ? 0 : columns.last() - columns.start + 1;
      made_.resize(static_cast<std::size_t>(span) * element);
      core::initial_elements(array.spec, first, made_);
      bytes = made_.data();
    }
    return as_doubles(array.spec.dtype, bytes, columns);
  }

  Row as_doubles(core::DType dtype, const std::byte* bytes, const core::Range& columns) {
    row_.resize(static_cast<std::size_t>(columns.count));
    const auto step = static_cast<std::size_t>(columns.step);
    for (std::size_t c = 0; c < row_.size(); ++c) {
      if (dtype == core::DType::kFloat64) {
        std::memcpy(&row_[c], bytes + c * step * sizeof(double), sizeof(double));
      } else {
        float value = 0.0F;
        std::memcpy(&value, bytes + c * step * sizeof value, sizeof value);
        row_[c] = static_cast<double>(value);
      }
    }
    return row_;
  }

  const core::Program& program_;
  const core::IdVector<core::ArrayId, ArrayContents>* arrays_;
  std::vector<std::byte> made_;
  std::vector<double> row_;
};

/// Four sums at a time, so that an addition need not wait for the one before.
inline double dot(Row a, const double* b) {
  std::array<double, 4> sums{};
  std::size_t i = 0;
  for (; i + 4 <= a.size(); i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < a.size(); ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

inline double absolute_sum(Row a) {
  std::array<double, 4> sums{};
  std::size_t i = 0;
  for (; i + 4 <= a.size(); i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) sums[lane] += std::abs(a[i + lane]);
  }
  for (; i < a.size(); ++i) sums[0] += std::abs(a[i]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// target += factor * a
inline void add_to(double* target, double factor, Row a) {
  for (std::size_t i = 0; i < a.size(); ++i) target[i] += factor * a[i];
}

/// The greatest magnitude; NaN when there is one.
inline double greatest(Row a) {
  double most = 0.0;
  for (const double value : a) {
    if (!(std::abs(value) <= most)) most = std::abs(value);
  }
  return most;
}

/// Uniform in [-1, 1), the same each time.
std::vector<double> random_vector(std::size_t size);

/// Distance of 1.0 to the next number of float64 or float32.
inline double epsilon_of_matrix(core::DType dtype) {
  return dtype == core::DType::kFloat64
             ? std::numeric_limits<double>::epsilon()
             : static_cast<double>(std::numeric_limits<float>::epsilon());
}

}  // namespace parley::exec
