// Digests that tell whether two programs or machines are equal: FNV-1a, 64 bits (Fowler, Noll, Vo;
// RFC 9923). They detect accidents, not attacks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/graph/program.h"
#include "core/machine/machine.h"

namespace parley::cli {

inline constexpr std::string_view kDigestAlgorithm = "fnv1a-64";

class Digest {
 public:
  void add_bytes(std::string_view bytes) {
    for (const char byte : bytes) {
      value_ = (value_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
    }
  }
  /// With its length, so that "ab", "c" differs from "a", "bc".
  void add(std::string_view text) {
    add(static_cast<std::int64_t>(text.size()));
    add_bytes(text);
  }
  /// Eight bytes, the lowest first, whatever the machine.
  void add(std::int64_t number) {
    for (int i = 0; i < 8; ++i) {
      const auto byte = static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i));
      add_bytes({&byte, 1});
    }
  }
  void add(double number);
  [[nodiscard]] std::uint64_t value() const { return value_; }
  /// 16 hexadecimal digits.
  [[nodiscard]] std::string text() const;

 private:
  std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

/// Of everything that a run depends on: arrays, accesses, dependencies, placements, costs, kernels.
std::string digest_of(const core::Program& program);
std::string digest_of(const core::Machine& machine);

}  // namespace parley::cli
