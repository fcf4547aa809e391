#include "exec/driver/stored_command.h"

namespace parley::exec {

void StoredCommand::assign(const core::StartCopy& copy) {
  id = copy.id;
  is_copy = true;
  task = copy.task;
  priority = copy.priority;
  after.assign(copy.after.begin(), copy.after.end());
  from = copy.from;
  to = copy.to;
  route = copy.route;
  bytes = copy.bytes.count();
  parts.clear();
  dimensions.clear();
  for (const core::CopyPart& part : copy.parts) {
    parts.push_back({part.source_offset.count(), part.target_offset.count(), part.run_bytes,
                     static_cast<std::uint32_t>(dimensions.size()),
                     static_cast<std::uint32_t>(part.dimensions.size())});
    dimensions.insert(dimensions.end(), part.dimensions.begin(), part.dimensions.end());
  }
  devices.clear();
  operands.clear();
  scratch_offsets.clear();
}

void StoredCommand::assign(const core::LaunchTask& launch) {
  id = launch.id;
  is_copy = false;
  task = launch.task;
  priority = launch.priority;
  after.assign(launch.after.begin(), launch.after.end());
  parts.clear();
  dimensions.clear();
  alternative = launch.alternative;
  milli_vcus = launch.milli_vcus;
  devices.assign(launch.devices.begin(), launch.devices.end());
  operands.assign(launch.operands.begin(), launch.operands.end());
  scratch_offsets.assign(launch.scratch_offsets.begin(), launch.scratch_offsets.end());
}

}  // namespace parley::exec
