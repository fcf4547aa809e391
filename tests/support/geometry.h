// Elements of boxes and where they lie, by brute force: every element is visited. Independent of
// the core's own geometry, so that tests can compare the two.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/graph/box.h"
#include "core/graph/program.h"

namespace parley::test {

/// Calls visit(element) with the row-major number of every element of `box` in an array of `shape`,
/// in the box's row-major order.
template <class Visitor>
void for_each_element_of(const core::Box& box, std::span<const std::int64_t> shape,
                         Visitor&& visit) {
  if (box.is_empty()) return;
  std::vector<std::int64_t> position(box.rank(), 0);
  while (true) {
    std::int64_t element = 0;
    for (std::size_t dim = 0; dim < box.rank(); ++dim) {
      element = element * shape[dim] + box[dim].start + position[dim] * box[dim].step;
    }
    visit(element);
    std::size_t dim = box.rank();
    while (dim > 0 && ++position[dim - 1] == box[dim - 1].count) position[--dim] = 0;
    if (dim == 0) return;
  }
}

/// All elements of a region, in row-major order.
inline std::vector<std::int64_t> elements_of(const core::Program& program, core::RegionId region) {
  std::vector<std::int64_t> elements;
  const core::Region& described = program.region(region);
  for_each_element_of(described.box, program.array(described.array).spec.shape,
                      [&](std::int64_t element) { elements.push_back(element); });
  return elements;
}

/// Offset of each element of `region`, in row-major order, from the region's first one: compact, or
/// within the whole array.
inline std::vector<std::int64_t> offsets_of(const core::Program& program, core::RegionId region,
                                            bool is_home_view) {
  std::vector<std::int64_t> offsets = elements_of(program, region);
  const std::int64_t bytes = program.array(program.region(region).array).element_bytes;
  const std::int64_t first = offsets.empty() ? 0 : offsets.front();
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    offsets[i] = bytes * (is_home_view ? offsets[i] - first : static_cast<std::int64_t>(i));
  }
  return offsets;
}

}  // namespace parley::test
