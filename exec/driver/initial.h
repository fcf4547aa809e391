// Initial contents of arrays, put into a backend's slabs before the first command.
#pragma once

#include <span>

#include "core/engine/engine.h"
#include "core/graph/program.h"
#include "exec/backend.h"

namespace parley::exec {

/// Writes all of `replicas`; contents are made by several threads, a bounded number of bytes ahead.
void write_initial(const core::Program& program, std::span<const core::InitialReplica> replicas,
                   Backend& backend);

}  // namespace parley::exec
