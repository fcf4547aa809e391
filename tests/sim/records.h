// Simulated runs for tests, and what they look up in the records.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "sim/simulator.h"
#include "tests/sim/required.h"

namespace parley::sim {

/// With all invariants checked after every step.
inline SimResult run(const core::Program& program, const core::Machine& machine,
                     SimOptions options = {}) {
  options.engine.check_invariants = true;
  options.record_residency = true;
  return required(simulate(program, machine, options));
}

inline const core::TaskRecord& task(const SimResult& result, std::size_t id) {
  const auto found = std::ranges::find(result.run.tasks, core::TaskId(id), &core::TaskRecord::task);
  REQUIRE(found != result.run.tasks.end());
  return *found;
}

/// Copies in order of their commands.
inline std::vector<core::CopyRecord> copies(const SimResult& result) {
  std::vector<core::CopyRecord> list = result.run.copies;
  std::ranges::sort(list, {}, &core::CopyRecord::command);
  return list;
}

}  // namespace parley::sim
