// Which elements of its array a region has, and the extents of a kernel call's operands.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/graph/program.h"

namespace parley::exec {

/// Calls visit(index) with the row-major number, within the whole array, of each element.
template <class Visit>
void for_each_element_index(const core::Program& program, core::RegionId region, Visit&& visit) {
  const core::Box& box = program.region(region).box;
  const std::vector<std::int64_t>& shape = program.array(program.region(region).array).spec.shape;
  if (box.is_empty()) return;
  const std::size_t rank = box.rank();
  std::array<std::int64_t, core::Box::kMaxRank> position{};
  while (true) {
    std::int64_t start = 0;  // of the line along the last dimension
    for (std::size_t d = 0; d < rank; ++d) {
      start = start * shape[d] + box[d].start + position[d] * box[d].step;
    }
    const std::int64_t count = rank == 0 ? 1 : box[rank - 1].count;
    const std::int64_t step = rank == 0 ? 1 : box[rank - 1].step;
    for (std::int64_t i = 0; i < count; ++i) visit(static_cast<std::size_t>(start + i * step));
    std::size_t dim = rank == 0 ? 0 : rank - 1;
    while (dim > 0 && ++position[dim - 1] == box[dim - 1].count) position[--dim] = 0;
    if (dim == 0) return;
  }
}

/// Extents of the call's arguments in order, dropped dimensions left out.
std::vector<std::vector<std::int64_t>> argument_shapes(const core::Program& program,
                                                       core::TaskId task, std::uint16_t alternative,
                                                       const core::KernelCall& call);

}  // namespace parley::exec
