// The host backend: every memory space a slab of its own in host memory, devices as threads, copies
// as memcpy on threads of their own, kernels on the CPU. Any number of virtual GPUs, no GPU needed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "exec/backend.h"

namespace parley::exec {

/// A command about to be performed.
struct CommandSite {
  core::CommandId id;
  bool is_copy = false;
  core::TaskId task;       // none for copies at the end
  core::DeviceId device;   // of a launch: its first
  core::SpaceId from, to;  // of a copy
};

/// Called by the backend's threads before a command's work; may wait (a delay) and may say why the
/// command shall fail. For tests of what comes after.
using FaultInjector = std::function<std::optional<std::string>(const CommandSite&)>;

struct HostOptions {
  /// `spin` kernels, and tasks without a kernel, take the time that they cost on the machine.
  bool spins_for_cost = true;
  FaultInjector injector = {};
  /// Spaces that can no longer be read after a command has failed, as if their device were gone.
  std::vector<core::SpaceId> lost_by_failure = {};
};

std::unique_ptr<Backend> create_host_backend(const HostOptions& options);

}  // namespace parley::exec
