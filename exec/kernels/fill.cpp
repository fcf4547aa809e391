// fill and random: operands that are only written.
#include <cstring>

#include "core/graph/element.h"
#include "exec/element.h"
#include "exec/kernel_registry.h"
#include "exec/strided.h"

namespace parley::exec {
namespace {

void fill(const core::KernelCall& call, std::span<const HostOperand> operands) {
  const HostOperand& target = operands[0];
  std::byte element[16];
  store_element(target.dtype, element, parameter(call, "value"));
  const auto bytes = static_cast<std::size_t>(core::element_bytes(target.dtype));
  for_each_element(target, [&](std::byte* at) { std::memcpy(at, element, bytes); });
}

// The same numbers as an array with random initial contents of that shape, seed and diagonal.
void random(const core::KernelCall& call, std::span<const HostOperand> operands) {
  const HostOperand& target = operands[0];
  const auto seed = static_cast<std::uint64_t>(parameter(call, "seed"));
  const double added = parameter(call, "diagonal");
  const core::Diagonal diagonal = core::diagonal_of(target.shape);
  std::int64_t index = 0, next = 0, left = diagonal.count;  // of the diagonal's elements
  for_each_element(target, [&](std::byte* at) {
    const bool is_on_diagonal = index == next && left > 0;
    core::random_element(target.dtype, seed, static_cast<std::uint64_t>(index++), at,
                         is_on_diagonal ? added : 0.0);
    if (!is_on_diagonal) return;
    next += diagonal.stride;
    --left;
  });
}

}  // namespace

void register_kernel_fill(KernelRegistry& registry);

void register_kernel_fill(KernelRegistry& registry) {
  registry.add("fill", fill);
  registry.add("random", random);
}

}  // namespace parley::exec
