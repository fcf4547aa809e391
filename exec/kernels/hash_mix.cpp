// hash_mix: what a task without a kernel computes. All bytes of the read operands, their positions
// and the task's `seed` make one hash; every written element becomes a function of that hash and of
// its own position. A stale, missing or misplaced byte anywhere therefore changes every result.
//
// So that other kernels can go on with the results, bool elements are 0 or 1 and floating-point
// ones lie in [1, 2).
#include <cstring>

#include "exec/hash.h"
#include "exec/kernel_registry.h"
#include "exec/strided.h"

namespace parley::exec {
namespace {

std::uint64_t word(const std::byte* at, std::size_t bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, bytes);
  return value;
}

std::uint64_t sum_of(std::uint64_t key, const HostOperand& operand) {
  const auto bytes = static_cast<std::size_t>(core::element_bytes(operand.dtype));
  const std::size_t part = bytes / hash::words_read(bytes);
  std::uint64_t place = 0, sum = 0;
  for_each_element(operand, [&](const std::byte* at) {
    for (std::size_t offset = 0; offset < bytes; offset += part) {
      sum += hash::summand(key, place++, word(at + offset, part));
    }
  });
  return sum;
}

void write_hash(std::uint64_t key, const HostOperand& operand) {
  const auto bytes = static_cast<std::size_t>(core::element_bytes(operand.dtype));
  const std::size_t part = bytes / hash::numbers_written(operand.dtype);
  const hash::Legal legal = hash::legal(operand.dtype);
  std::uint64_t place = 0;
  for_each_element(operand, [&](std::byte* at) {
    for (std::size_t offset = 0; offset < bytes; offset += part) {
      const std::uint64_t value = legal(hash::drawn(key, place++));
      std::memcpy(at + offset, &value, part);
    }
  });
}

void hash_mix(const core::KernelCall& call, std::span<const HostOperand> operands) {
  const auto seed = static_cast<std::uint64_t>(core::parameter_of(call, "seed").value_or(0.0));
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].mode == core::ArgumentMode::kWrite) continue;
    sum += sum_of(hash::operand_key(seed, i), operands[i]);
  }
  const std::uint64_t total = hash::total_key(seed, sum);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].mode == core::ArgumentMode::kRead) continue;
    write_hash(hash::written_key(total, i), operands[i]);
  }
}

}  // namespace

void register_kernel_hash_mix(KernelRegistry& registry);

void register_kernel_hash_mix(KernelRegistry& registry) { registry.add("hash_mix", hash_mix); }

}  // namespace parley::exec
