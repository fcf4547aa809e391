// hash_mix: what a task without a kernel computes. All bytes of the read operands, their positions
// and the task's `seed` make one hash; every written element becomes a function of that hash and of
// its own position. A stale, missing or misplaced byte anywhere therefore changes every result.
//
// So that other kernels can go on with the results, bool elements are 0 or 1 and floating-point
// ones lie in [1, 2).
#include <cstring>

#include "exec/kernel_registry.h"
#include "exec/strided.h"

namespace parley::exec {
namespace {

// The finaliser of splitmix64 (Steele, Lea, Flood 2014): a bijection that mixes well.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

std::uint64_t word(const std::byte* at, std::size_t bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, at, bytes);
  return value;
}

std::uint64_t hash_of(std::uint64_t hash, const HostOperand& operand) {
  const auto bytes = static_cast<std::size_t>(core::element_bytes(operand.dtype));
  for_each_element(operand, [&](const std::byte* at) {
    if (bytes > 8) hash = mix(hash ^ word(at + 8, bytes - 8)) + 1;
    hash = mix(hash ^ word(at, bytes > 8 ? 8 : bytes));
  });
  return hash;
}

// The bits of a floating-point number in [1, 2): the exponent of 1, a random mantissa.
std::uint64_t in_one_to_two(std::uint64_t bits, unsigned mantissa_bits, std::uint64_t one) {
  return (bits & ((std::uint64_t{1} << mantissa_bits) - 1)) | one;
}

std::uint64_t legal_bits(core::DType dtype, std::uint64_t bits) {
  switch (dtype) {
    case core::DType::kBool:
      return bits >> 63U;
    case core::DType::kFloat16:
      return in_one_to_two(bits, 10, 0x3c00);
    case core::DType::kBfloat16:
      return in_one_to_two(bits, 7, 0x3f80);
    case core::DType::kFloat32:
    case core::DType::kComplex64:
      return in_one_to_two(bits, 23, 0x3f800000);
    case core::DType::kFloat64:
    case core::DType::kComplex128:
      return in_one_to_two(bits, 52, 0x3ff0000000000000);
    case core::DType::kInt8:
    case core::DType::kInt16:
    case core::DType::kInt32:
    case core::DType::kInt64:
    case core::DType::kUint8:
    case core::DType::kUint16:
    case core::DType::kUint32:
    case core::DType::kUint64:
      break;
  }
  return bits;
}

void write_hash(std::uint64_t hash, const HostOperand& operand) {
  const auto bytes = static_cast<std::size_t>(core::element_bytes(operand.dtype));
  const bool is_complex =
      operand.dtype == core::DType::kComplex64 || operand.dtype == core::DType::kComplex128;
  const std::size_t part = is_complex ? bytes / 2 : bytes;
  for_each_element(operand, [&](std::byte* at) {
    for (std::size_t offset = 0; offset < bytes; offset += part) {
      hash = mix(hash);
      const std::uint64_t value = legal_bits(operand.dtype, hash);
      std::memcpy(at + offset, &value, part);
    }
  });
}

void hash_mix(const core::KernelCall& call, std::span<const HostOperand> operands) {
  auto hash = static_cast<std::uint64_t>(core::parameter_of(call, "seed").value_or(0.0));
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].mode != core::ArgumentMode::kWrite) hash = hash_of(mix(hash + i), operands[i]);
  }
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].mode != core::ArgumentMode::kRead) write_hash(mix(hash + i), operands[i]);
  }
}

}  // namespace

void register_kernel_hash_mix(KernelRegistry& registry);

void register_kernel_hash_mix(KernelRegistry& registry) { registry.add("hash_mix", hash_mix); }

}  // namespace parley::exec
