// Where a test's free choices come from: a seeded generator, or all possibilities one after
// another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace parley::test {

/// splitmix64 (Steele, Lea, Flood 2014): the same numbers everywhere, unlike std::distributions.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t x = state_;
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31U);
  }
  /// One of 0 .. n - 1. Requires: n > 0.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
  /// One of low .. high.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::size_t>(high - low + 1)));
  }
  /// True `percent` times in a hundred.
  bool chance(std::size_t percent) { return below(100) < percent; }

 private:
  std::uint64_t state_;
};

class Chooser {
 public:
  virtual ~Chooser() = default;
  /// One of 0 .. n - 1. Requires: n > 0.
  virtual std::size_t choose(std::size_t n) = 0;
};

class RandomChooser : public Chooser {
 public:
  explicit RandomChooser(std::uint64_t seed) : random_(seed) {}
  std::size_t choose(std::size_t n) override { return random_.below(n); }

 private:
  Random random_;
};

/// Depth-first through all sequences of choices. Each run starts from the beginning; next_run()
/// advances the last choice that has an alternative left, and is false when all have been made.
class ExhaustiveChooser : public Chooser {
 public:
  std::size_t choose(std::size_t n) override {
    if (depth_ == path_.size()) path_.push_back({0, n});
    return path_[depth_++].choice;
  }
  bool next_run() {
    depth_ = 0;
    while (!path_.empty() && path_.back().choice + 1 == path_.back().count) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().choice;
    return true;
  }

 private:
  struct Level {
    std::size_t choice, count;
  };
  std::vector<Level> path_;
  std::size_t depth_ = 0;
};

}  // namespace parley::test
