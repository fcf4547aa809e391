// A complete tree by levels, as the generators `tree` and `reduce` share it.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "workloads/generator_parameters.h"

namespace parley::workloads {

class TreeLevels {
 public:
  static std::vector<GeneratorParameter> parameters() {
    return {number_parameter("levels", 1, 24, 8, "levels of the tree"),
            number_parameter("branch", 1, 64, 2, "children of a node")};
  }

  explicit TreeLevels(const GeneratorValues& values)
      : depth_(values.at("levels")), branch_(values.at("branch")) {}

  [[nodiscard]] std::int64_t depth() const { return depth_; }
  [[nodiscard]] std::int64_t branch() const { return branch_; }
  /// Nodes of level `depth`. Requires: the tree's node_count() fits 63 bits.
  [[nodiscard]] std::int64_t width(std::int64_t depth) const {
    std::int64_t nodes = 1;
    for (std::int64_t i = 0; i < depth; ++i) nodes *= branch_;
    return nodes;
  }
  [[nodiscard]] double node_count() const {
    double nodes = 0;
    for (std::int64_t i = 0; i < depth_; ++i) {
      nodes += std::pow(static_cast<double>(branch_), static_cast<double>(i));
    }
    return nodes;
  }

 private:
  std::int64_t depth_, branch_;
};

}  // namespace parley::workloads
