// --memory: one machine with less and less memory on its GPUs, from all that a workload has down to
// what its largest task needs at once, or what starts on a GPU.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/graph/program.h"
#include "core/machine/machine.h"

namespace parley::cli {

/// One memory size, of every GPU alike.
struct MemorySize {
  enum class Kind : std::uint8_t { kBytes, kShare, kLeast };
  Kind kind = Kind::kBytes;
  core::Bytes bytes;   // kBytes
  double share = 0.0;  // kShare: of the bytes of all arrays of the workload
  bool operator==(const MemorySize&) const = default;
};

/// "1,0.5,least,8GiB": shares of the workload's arrays, sizes, and the least that can do: the
/// largest working set of a task, or what starts on one GPU where that is more. A number without a
/// unit is a share; above 0, at most 1. Faults name what was found.
core::Result<std::vector<MemorySize>> parse_memory_sizes(const std::string& text);

/// What a GPU has of that size: no more than it had, and a share no less than `kLeast` gives.
core::Bytes gpu_bytes(const MemorySize& size, const core::Program& program,
                      const core::Machine& machine);

/// The machine with so much on every GPU, or what it had where that is less.
core::Result<core::Machine> with_gpu_bytes(const core::Machine& machine, core::Bytes bytes);

}  // namespace parley::cli
