// What elementwise kernels share: numpy's meaning of `target[...] = expression`. The expression is
// computed in the promoted type of its operands and cast to the target's.
#pragma once

#include <span>

#include "exec/element.h"
#include "exec/kernel_registry.h"
#include "exec/strided.h"

namespace parley::exec {

/// target = function(source), computed in `dtype`. With one operand the source is the target.
template <class Function>
void map_one(std::span<const HostOperand> operands, core::DType dtype, Function&& function) {
  const HostOperand& source = operands.front();
  const HostOperand& target = operands.back();
  with_compute_type(dtype, [&](auto zero) {
    using C = decltype(zero);
    for_each_element<2>({&source, &target}, [&](const auto& at) {
      store_rounded<C>(dtype, target.dtype, at[1], function(load_element<C>(source.dtype, at[0])));
    });
  });
}

/// target = function(first, second), computed in `dtype`.
template <class Function>
void map_two(const HostOperand& first, const HostOperand& second, const HostOperand& target,
             core::DType dtype, Function&& function) {
  with_compute_type(dtype, [&](auto zero) {
    using C = decltype(zero);
    for_each_element<3>({&first, &second, &target}, [&](const auto& at) {
      store_rounded<C>(
          dtype, target.dtype, at[2],
          function(load_element<C>(first.dtype, at[0]), load_element<C>(second.dtype, at[1])));
    });
  });
}

/// target = source, cast to the target's type.
inline void copy_elements(const HostOperand& source, const HostOperand& target) {
  for_each_element<2>({&source, &target}, [&](const auto& at) {
    cast_element(source.dtype, at[0], target.dtype, at[1]);
  });
}

}  // namespace parley::exec
