// Reductions over one axis, or over all elements. Sums of integers wrap in 64 bits, sums of small
// floats are taken in double; max and argmax treat NaN as the greatest, as numpy does, and order
// complex numbers by real, then imaginary part.
#include <cmath>
#include <complex>
#include <cstdint>

#include "core/graph/element.h"
#include "exec/element.h"
#include "exec/kernel_registry.h"
#include "exec/strided.h"

namespace parley::exec {
namespace {

using core::DType;
using core::KernelCall;
using Operands = std::span<const HostOperand>;

// Calls reduce(line, target element) for each line of `source` along the axis, or once for the
// whole source when the call names no axis.
template <class Reduce>
void for_each_line(const KernelCall& call, const HostOperand& source, const HostOperand& target,
                   Reduce&& reduce) {
  const auto axis = core::parameter_of(call, "axis");
  if (!axis) {
    for_each_element(target, [&](std::byte* at) { reduce(source, at); });
    return;
  }
  const auto rank = static_cast<std::int64_t>(source.shape.size());
  const auto dim = static_cast<std::int64_t>(*axis) + (*axis < 0 ? rank : 0);
  HostOperand starts = source;  // the first element of every line
  starts.shape.erase(starts.shape.begin() + dim);
  starts.strides.erase(starts.strides.begin() + dim);
  HostOperand line = source;
  line.shape = {source.shape[static_cast<std::size_t>(dim)]};
  line.strides = {source.strides[static_cast<std::size_t>(dim)]};
  for_each_element<2>({&starts, &target}, [&](const auto& at) {
    line.data = at[0];
    reduce(line, at[1]);
  });
}

// The type in which elements are added up.
DType sum_type(DType dtype) {
  if (is_integral(dtype)) {
    return dtype == DType::kBool || dtype >= DType::kUint8 ? DType::kUint64 : DType::kInt64;
  }
  return core::is_complex(dtype) ? DType::kComplex128 : DType::kFloat64;
}

void sum(const KernelCall& call, Operands operands) {
  const HostOperand& source = operands[0];
  const HostOperand& target = operands[1];
  with_compute_type(sum_type(source.dtype), [&](auto zero) {
    using C = decltype(zero);
    for_each_line(call, source, target, [&](const HostOperand& line, std::byte* at) {
      C total{};
      for_each_element(line, [&](const std::byte* element) {
        total = plus(total, load_element<C>(line.dtype, element));
      });
      store_element(target.dtype, at, total);
    });
  });
}

void mean(const KernelCall& call, Operands operands) {
  const HostOperand& source = operands[0];
  const HostOperand& target = operands[1];
  const DType dtype = core::is_complex(source.dtype) ? DType::kComplex128 : DType::kFloat64;
  with_compute_type(dtype, [&](auto zero) {
    using C = decltype(zero);
    for_each_line(call, source, target, [&](const HostOperand& line, std::byte* at) {
      C total{};
      for_each_element(line, [&](const std::byte* element) {
        total = plus(total, load_element<C>(line.dtype, element));
      });
      if constexpr (!std::is_integral_v<C>) {
        store_element(target.dtype, at, divided(total, static_cast<double>(line.size())));
      }
    });
  });
}

template <class C>
bool is_nan(C value) {
  if constexpr (kIsComplex<C>) {
    return std::isnan(value.real()) || std::isnan(value.imag());
  } else if constexpr (std::is_floating_point_v<C>) {
    return std::isnan(value);
  } else {
    return false;
  }
}

template <class C>
bool is_greater(C a, C b) {
  if (is_nan(a) || is_nan(b)) return is_nan(a) && !is_nan(b);
  if constexpr (kIsComplex<C>) {
    return a.real() > b.real() || (!(a.real() < b.real()) && a.imag() > b.imag());
  } else {
    return a > b;
  }
}

// Position and value of the first greatest element. Requires: the line is not empty.
template <class C>
std::pair<std::int64_t, C> greatest(const HostOperand& line) {
  std::pair<std::int64_t, C> best{-1, C{}};
  std::int64_t position = 0;
  for_each_element(line, [&](const std::byte* element) {
    const C value = load_element<C>(line.dtype, element);
    if (best.first < 0 || is_greater(value, best.second)) best = {position, value};
    ++position;
  });
  return best;
}

void max(const KernelCall& call, Operands operands) {
  const HostOperand& source = operands[0];
  const HostOperand& target = operands[1];
  with_compute_type(source.dtype, [&](auto zero) {
    using C = decltype(zero);
    for_each_line(call, source, target, [&](const HostOperand& line, std::byte* at) {
      store_element(target.dtype, at, greatest<C>(line).second);
    });
  });
}

void argmax(const KernelCall& call, Operands operands) {
  const HostOperand& source = operands[0];
  const HostOperand& target = operands[1];
  with_compute_type(source.dtype, [&](auto zero) {
    using C = decltype(zero);
    for_each_line(call, source, target, [&](const HostOperand& line, std::byte* at) {
      store_element(target.dtype, at, greatest<C>(line).first);
    });
  });
}

}  // namespace

void register_kernel_reductions(KernelRegistry& registry);

void register_kernel_reductions(KernelRegistry& registry) {
  registry.add("sum", sum);
  registry.add("max", max);
  registry.add("mean", mean);
  registry.add("argmax", argmax);
}

}  // namespace parley::exec
