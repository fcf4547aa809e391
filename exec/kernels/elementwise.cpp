// Elementwise kernels with numpy's meaning of `target[...] = expression`: the expression is
// computed in the promoted type of its operands and cast to the target's.
#include <cmath>
#include <complex>

#include "exec/element.h"
#include "exec/kernel_registry.h"
#include "exec/strided.h"

namespace parley::exec {
namespace {

using core::DType;
using core::KernelCall;
using Operands = std::span<const HostOperand>;

// target = function(source), computed in `dtype`. With one operand the source is the target.
template <class Function>
void map_one(Operands operands, DType dtype, Function&& function) {
  const HostOperand& source = operands.front();
  const HostOperand& target = operands.back();
  with_compute_type(dtype, [&](auto zero) {
    using C = decltype(zero);
    for_each_element<2>({&source, &target}, [&](const auto& at) {
      store_rounded<C>(dtype, target.dtype, at[1], function(load_element<C>(source.dtype, at[0])));
    });
  });
}

// target = function(first, second), computed in `dtype`.
template <class Function>
void map_two(const HostOperand& first, const HostOperand& second, const HostOperand& target,
             DType dtype, Function&& function) {
  with_compute_type(dtype, [&](auto zero) {
    using C = decltype(zero);
    for_each_element<3>({&first, &second, &target}, [&](const auto& at) {
      store_rounded<C>(
          dtype, target.dtype, at[2],
          function(load_element<C>(first.dtype, at[0]), load_element<C>(second.dtype, at[1])));
    });
  });
}

void add_scalar(const KernelCall& call, Operands operands) {
  const double value = parameter(call, "value");
  map_one(operands, promoted_with_scalar(operands[0].dtype, value),
          [&](auto x) { return plus(x, from_number<decltype(x)>(value)); });
}

void scale(const KernelCall& call, Operands operands) {
  const double value = parameter(call, "value");
  map_one(operands, promoted_with_scalar(operands[0].dtype, value),
          [&](auto x) { return times(x, from_number<decltype(x)>(value)); });
}

// Integers of one byte give float16, of two float32, of more float64.
void square_root(const KernelCall&, Operands operands) {
  map_one(operands, promoted(operands[0].dtype, DType::kFloat16), [](auto x) {
    if constexpr (std::is_integral_v<decltype(x)>) {
      return x;  // promoted with a float, so never reached
    } else {
      return std::sqrt(x);
    }
  });
}

void copy(const KernelCall&, Operands operands) {
  const HostOperand& source = operands[0];
  const HostOperand& target = operands[1];
  for_each_element<2>({&source, &target}, [&](const auto& at) {
    cast_element(source.dtype, at[0], target.dtype, at[1]);
  });
}

void add(const KernelCall&, Operands operands) {
  map_two(operands[0], operands[1], operands[2], promoted(operands[0].dtype, operands[1].dtype),
          [](auto a, auto b) { return plus(a, b); });
}

void multiply(const KernelCall&, Operands operands) {
  map_two(operands[0], operands[1], operands[2], promoted(operands[0].dtype, operands[1].dtype),
          [](auto a, auto b) { return times(a, b); });
}

void axpy(const KernelCall& call, Operands operands) {
  const double value = parameter(call, "value");
  const DType product = promoted_with_scalar(operands[0].dtype, value);
  map_two(operands[0], operands[1], operands[1], promoted(product, operands[1].dtype),
          [&](auto x, auto y) { return plus(times(from_number<decltype(x)>(value), x), y); });
}

}  // namespace

void register_kernel_elementwise(KernelRegistry& registry);

void register_kernel_elementwise(KernelRegistry& registry) {
  registry.add("add_scalar", add_scalar);
  registry.add("scale", scale);
  registry.add("sqrt", square_root);
  registry.add("copy", copy);
  registry.add("clone_here", copy);  // an alias would do where the source is already here
  registry.add("add", add);
  registry.add("multiply", multiply);
  registry.add("axpy", axpy);
}

}  // namespace parley::exec
