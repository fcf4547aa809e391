// Random draws for tests, equal on every platform for equal seeds.
#pragma once

#include <cstdint>
#include <random>

namespace parley::sim {

class Draws {
 public:
  explicit Draws(std::uint32_t seed) : engine_(seed) {}
  /// 0 to n - 1. Requires: n > 0.
  std::uint32_t below(std::size_t n) { return static_cast<std::uint32_t>(engine_() % n); }

 private:
  std::mt19937 engine_;
};

}  // namespace parley::sim
