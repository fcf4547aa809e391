// The CUDA backend: one slab a device, a pinned host slab, peer access, streams for compute and for
// copies, events between them. Builds without CUDA have the same functions and a clear refusal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/units.h"
#include "core/machine/machine.h"
#include "exec/backend.h"

namespace parley::exec::cuda {

/// For copies of each pair of spaces and direction (gpu_streams.h says why no more).
inline constexpr std::int32_t kCopyStreams = 1;

/// Copies of at most so many bytes go on streams for launches, behind what they wait for.
inline constexpr std::int64_t kInlineCopyBytes = std::int64_t{2} << 20U;

/// A GPU's thread with nothing else to do looks at one stream, then, so much later, at the next.
inline constexpr std::int64_t kBetweenLooksNs = 1000;
/// The same with the look itself: a question to an event that has not happened (140 to 200 ns on an
/// H200's host) and what is around it.
inline constexpr std::int64_t kTurnNs = kBetweenLooksNs + 300;

struct CudaOptions {
  std::uint32_t compute_streams = 4;  // a device; kernels on different streams may overlap
  /// Devices of the machine that one GPU stands in for, each with a slab and streams of its own, 1
  /// or more: to run for four GPUs on a computer with two.
  std::uint32_t devices_per_gpu = 1;
  bool uses_graph = false;  // plan the run, capture it once, replay it
  /// The thread that decides and each GPU's keep to a processor during a run, where there are twice
  /// as many.
  bool binds_threads = true;
  /// In timed runs each command marks host memory when it starts and ends, so that a failing GPU's
  /// last words are known. Delays what follows on other queues by some microseconds.
  bool writes_marks = true;
};

/// A GPU of this machine, in CUDA's order.
struct Gpu {
  std::string name;
  core::Bytes total, free;
  std::string driver;  // "580.159 (CUDA 13.0)"
};

[[nodiscard]] bool is_built();

/// The GPUs of this machine. Faults: no CUDA in this build, no driver, no GPU.
core::Result<std::vector<Gpu>> find_gpus();

/// A backend for machines whose spaces are one host and at most devices_per_gpu as many GPUs as
/// there are. With n of them, space i of the GPUs, in the machine's order, is on CUDA device i mod
/// n. Faults as find_gpus().
core::Result<std::unique_ptr<Backend>> create_backend(const CudaOptions& options);

}  // namespace parley::exec::cuda
