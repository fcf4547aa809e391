// How reports name things: boxes of arrays, devices of a task, memory spaces in the lessons' words.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/engine/command.h"
#include "core/graph/box.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"

namespace parley::cli {

/// Elements of an array with every range written out, "A[0:5, 0:10:2]"; "f" where there is no
/// structure to select from.
std::string box_text(const core::Program& program, core::ArrayId array,
                     std::span<const core::Range> box);

/// Several boxes: "A[0:2] + A[4:6]".
std::string boxes_text(const core::Program& program, core::ArrayId array,
                       std::span<const core::Box> boxes);

/// "gpu:0", or "gpu:0+gpu:1" for a group.
std::string devices_text(const core::Machine& machine, std::span<const core::DeviceId> devices);

/// "host->gpu0".
std::string route_text(const core::Machine& machine, core::SpaceId from, core::SpaceId to);

/// The space as the lessons call it: "GPU 0", "CPU"; with several hosts "CPU 0", "CPU 1".
std::string space_label(const core::Machine& machine, core::SpaceId space);

/// Spaces in the order of the lessons' overviews: those of the GPUs, then the hosts.
std::vector<core::SpaceId> spaces_hosts_last(const core::Machine& machine);

/// The names of the summary, the trace and the journal: "fetch", "prefetch", "write_back", ...
std::string_view name_of(core::CopyReason reason);
std::string_view name_of(core::DropReason reason);

}  // namespace parley::cli
