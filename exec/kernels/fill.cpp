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

// The same numbers as an array with random initial contents of that shape and seed.
void random(const core::KernelCall& call, std::span<const HostOperand> operands) {
  const HostOperand& target = operands[0];
  const auto seed = static_cast<std::uint64_t>(parameter(call, "seed"));
  std::uint64_t index = 0;
  for_each_element(target,
                   [&](std::byte* at) { core::random_element(target.dtype, seed, index++, at); });
}

}  // namespace

void register_kernel_fill(KernelRegistry& registry);

void register_kernel_fill(KernelRegistry& registry) {
  registry.add("fill", fill);
  registry.add("random", random);
}

}  // namespace parley::exec
