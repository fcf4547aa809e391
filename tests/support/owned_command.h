// Commands that outlive the step that gave them: deep copies, comparable and printable.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/engine/command.h"
#include "core/engine/event.h"
#include "core/graph/program.h"

namespace parley::test {

struct OwnedDimension {
  std::int64_t count = 1, source_stride = 0, target_stride = 0;
  bool operator==(const OwnedDimension&) const = default;
};

struct OwnedPart {
  core::Box box;
  std::int64_t source_offset = 0, target_offset = 0, bytes = 0, run_bytes = 0;
  std::vector<OwnedDimension> dimensions;
  bool operator==(const OwnedPart&) const = default;
};

struct OwnedCopy {
  core::CommandId id;
  core::ArrayId array;
  std::vector<OwnedPart> parts;
  core::SpaceId from, to;
  core::RouteId route;
  std::int64_t bytes = 0;
  std::int32_t priority = 0;
  core::CopyReason reason = core::CopyReason::kFetch;
  core::TaskId task;
  core::ReplicaId source_replica, target_replica;
  std::vector<core::CommandId> after;
  bool operator==(const OwnedCopy&) const = default;
};

struct OwnedBinding {
  core::SpaceId space;
  std::int64_t offset = 0;
  bool is_home_view = false;
  core::ReplicaId replica;
  bool operator==(const OwnedBinding&) const = default;
};

struct OwnedLaunch {
  core::CommandId id;
  core::TaskId task;
  std::uint16_t alternative = 0;
  std::vector<core::DeviceId> devices;
  std::vector<OwnedBinding> operands;
  std::vector<std::int64_t> scratch_offsets;
  std::int32_t priority = 0;
  std::int32_t milli_vcus = 1000;
  std::vector<core::CommandId> after;
  bool operator==(const OwnedLaunch&) const = default;
};

struct OwnedDrop {
  core::ReplicaId replica;
  core::RegionId region;
  core::SpaceId space;
  std::int64_t offset = 0, bytes = 0;
  core::DropReason reason = core::DropReason::kInvalidated;
  std::vector<core::CommandId> after;
  bool operator==(const OwnedDrop&) const = default;
};

struct OwnedFinish {
  bool operator==(const OwnedFinish&) const = default;
};

using OwnedCommand = std::variant<OwnedCopy, OwnedLaunch, OwnedDrop, OwnedFinish>;

OwnedCommand owned(const core::Command& command);
std::vector<OwnedCommand> owned(std::span<const core::Command> commands);

/// The commands that must have finished before; none for Finish.
std::span<const core::CommandId> after_of(const OwnedCommand& command);

/// One line with every field, names of tasks and regions included.
std::string text_of(const core::Program& program, const OwnedCommand& command);
std::string text_of(const core::Program& program, const core::Event& event);

/// Helper to switch over variants with lambdas.
template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace parley::test
