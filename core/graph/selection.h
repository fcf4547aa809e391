// Numpy selections: which elements of a region an index list names, and how they are seen.
#pragma once

#include <span>

#include "core/graph/program.h"

namespace parley::core {

struct Selection {
  Box box;
  OperandView view;
};

/// The selection `indices` of `base`, as Program::slice defines it, without interning.
Result<Selection> select(const Program& program, RegionView base, std::span<const Index> indices);

}  // namespace parley::core
