// The arithmetic of hash_mix, the same on the host and on GPUs. The hash of a task's read operands
// is a sum over their words, each mixed with its place, so that any order and any number of threads
// gives the same total; words of a written operand are drawn from it by counter.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/graph/dtype.h"

namespace parley::exec::hash {

inline constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15U;

/// splitmix64 (Steele, Lea, Flood 2014): a bijection that mixes well.
constexpr std::uint64_t mix(std::uint64_t x) {
  x += kGolden;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

/// What the places of operand `operand` start from.
constexpr std::uint64_t operand_key(std::uint64_t seed, std::uint64_t operand) {
  return mix(seed ^ mix(operand));
}

/// Summand of the word `bits` at `place` of an operand: for a fixed place a bijection of the bits,
/// so that one changed word always changes the sum; the places' keys differ, so that swapped words
/// do.
constexpr std::uint64_t summand(std::uint64_t key, std::uint64_t place, std::uint64_t bits) {
  return mix(bits ^ mix(key + place * kGolden));
}

/// What all written operands are drawn from, and one of them.
constexpr std::uint64_t total_key(std::uint64_t seed, std::uint64_t sum) {
  return mix(sum ^ mix(~seed));
}
constexpr std::uint64_t written_key(std::uint64_t total, std::uint64_t operand) {
  return mix(total + operand);
}
constexpr std::uint64_t drawn(std::uint64_t key, std::uint64_t place) {
  return mix(key + place * kGolden);
}

/// How drawn bits become a legal number: ((bits >> shift) & mask) | one. Floating point lies in
/// [1, 2), with a random mantissa; bool is 0 or 1.
struct Legal {
  unsigned shift = 0;
  std::uint64_t mask = ~std::uint64_t{0};
  std::uint64_t one = 0;

  [[nodiscard]] constexpr std::uint64_t operator()(std::uint64_t bits) const {
    return ((bits >> shift) & mask) | one;
  }
};

constexpr Legal legal(core::DType dtype) {
  constexpr auto kLow = [](unsigned bits) { return (std::uint64_t{1} << bits) - 1; };
  switch (dtype) {
    case core::DType::kBool:
      return {63, 1, 0};
    case core::DType::kFloat16:
      return {0, kLow(10), 0x3c00};
    case core::DType::kBfloat16:
      return {0, kLow(7), 0x3f80};
    case core::DType::kFloat32:
    case core::DType::kComplex64:
      return {0, kLow(23), 0x3f800000};
    case core::DType::kFloat64:
    case core::DType::kComplex128:
      return {0, kLow(52), 0x3ff0000000000000};
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
  return {};
}

/// Words that an element is read as, of at most 8 bytes, and numbers that it is written as.
constexpr std::size_t words_read(std::size_t element_bytes) { return element_bytes > 8 ? 2 : 1; }
constexpr std::size_t numbers_written(core::DType dtype) {
  return dtype == core::DType::kComplex64 || dtype == core::DType::kComplex128 ? 2 : 1;
}

}  // namespace parley::exec::hash
