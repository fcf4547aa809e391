// A command that outlives the step that gave it. Meant to be used again and again: its lists keep
// their memory.
#pragma once

#include <cstdint>
#include <vector>

#include "core/engine/command.h"

namespace parley::exec {

/// One box of a copy; its dimensions are those of the command from `first_dimension` on.
struct StoredPart {
  std::int64_t source_offset = 0, target_offset = 0, run_bytes = 0;
  std::uint32_t first_dimension = 0, dimension_count = 0;
};

struct StoredCommand {
  core::CommandId id;
  bool is_copy = false;
  core::TaskId task;
  std::int32_t priority = 0;
  std::vector<core::CommandId> after;

  // copies
  core::SpaceId from, to;
  core::RouteId route;
  std::int64_t bytes = 0;
  std::vector<StoredPart> parts;
  std::vector<core::CopyDimension> dimensions;

  // launches
  std::uint16_t alternative = 0;
  std::int32_t milli_vcus = 1000;
  std::vector<core::DeviceId> devices;
  std::vector<core::OperandBinding> operands;
  std::vector<core::Bytes> scratch_offsets;

  void assign(const core::StartCopy& copy);
  void assign(const core::LaunchTask& launch);
};

}  // namespace parley::exec
