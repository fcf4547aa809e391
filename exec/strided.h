// Walking over strided operands in row-major order, several of equal shape in step.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "exec/kernel_registry.h"

namespace parley::exec {

/// Calls visit(pointers) for every element, with the address of the element in each operand.
/// Requires: equal shapes.
template <std::size_t N, class Visitor>
void for_each_element(const std::array<const HostOperand*, N>& operands, Visitor&& visit) {
  const std::vector<std::int64_t>& shape = operands[0]->shape;
  if (operands[0]->size() == 0) return;
  std::array<std::byte*, N> at;
  for (std::size_t i = 0; i < N; ++i) at[i] = operands[i]->data;
  std::vector<std::int64_t> position(shape.size(), 0);
  while (true) {
    visit(at);
    std::size_t dim = shape.size();
    while (dim > 0 && ++position[dim - 1] == shape[dim - 1]) {
      --dim;
      position[dim] = 0;
      for (std::size_t i = 0; i < N; ++i) at[i] -= operands[i]->strides[dim] * (shape[dim] - 1);
    }
    if (dim == 0) return;
    for (std::size_t i = 0; i < N; ++i) at[i] += operands[i]->strides[dim - 1];
  }
}

template <class Visitor>
void for_each_element(const HostOperand& operand, Visitor&& visit) {
  for_each_element<1>({&operand}, [&](const auto& at) { visit(at[0]); });
}

/// Row-major strides without gaps.
std::vector<std::int64_t> compact_strides(std::span<const std::int64_t> shape,
                                          std::int64_t element_bytes);

}  // namespace parley::exec
