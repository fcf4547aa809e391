// Programs for tests, in a few words: byte arrays with a home, and tasks on named devices that take
// a stated time.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/graph/program.h"
#include "tests/sim/required.h"

namespace parley::sim {

class ProgramBuilder {
 public:
  explicit ProgramBuilder(core::DependencyMode mode = core::DependencyMode::kInferred)
      : program("test", mode) {}

  core::RegionId array(const std::string& name, std::int64_t bytes,
                       const std::string& home = "host",
                       core::AtEnd at_end = core::AtEnd::kAnywhere) {
    core::ArraySpec spec;
    spec.name = name;
    spec.shape = {bytes};
    spec.dtype = core::DType::kUint8;
    spec.homes = {home};
    spec.at_end = at_end;
    spec.initial.kind = core::Initial::Kind::kArange;
    return program.whole(required(program.add_array(spec))).region;
  }
  /// Elements [begin, end) of an array.
  core::RegionId part(core::RegionId whole, std::int64_t begin, std::int64_t end) {
    const core::Index index = core::Slice{begin, end, std::nullopt};
    return required(program.slice({whole, {}}, std::vector{index})).region;
  }

  /// On one device or class, for `ns`; fill in more and spawn() it.
  static core::TaskSpec task(const std::string& name, const std::string& on, std::int64_t ns,
                             std::initializer_list<core::Access> accesses = {}) {
    core::TaskSpec spec;
    spec.name = name;
    core::Alternative alternative;
    alternative.members = {on};
    spec.placement = {alternative};
    spec.cost = {{"", core::Duration(ns), 0.0, 0.0}};
    spec.accesses = accesses;
    return spec;
  }
  core::TaskId spawn(core::TaskSpec spec) { return required(program.spawn(std::move(spec))); }

  /// No more tasks.
  const core::Program& close() {
    required(program.close());
    return program;
  }

  core::Program program;
};

inline core::Access in(core::RegionId region) { return {region, core::AccessMode::kIn, 0, {}}; }
inline core::Access out(core::RegionId region) { return {region, core::AccessMode::kOut, 0, {}}; }
inline core::Access inout(core::RegionId region) {
  return {region, core::AccessMode::kInout, 0, {}};
}

}  // namespace parley::sim
