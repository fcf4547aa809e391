// The host backend: every memory space a slab of its own in host memory, devices as threads, copies
// as memcpy on threads of their own, kernels on the CPU. Any number of virtual GPUs, no GPU needed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/base/ids.h"
#include "exec/backend.h"

namespace parley::exec {

/// Called by the backend's threads before a command's work; may wait (a delay) and may return why
/// the command shall fail. For tests of what comes after.
using FaultInjector = std::function<std::optional<std::string>(core::CommandId, bool is_copy)>;

struct HostOptions {
  /// Tasks spin for their stated cost, as design says of tasks without a kernel; otherwise only
  /// `spin` kernels take time.
  bool spins_for_cost = true;
  FaultInjector injector = {};
};

std::unique_ptr<Backend> create_host_backend(const HostOptions& options);

}  // namespace parley::exec
