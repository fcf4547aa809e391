// One GPU's streams and what launches on them may use. Streams for launches come first, ordinary
// ones and as many urgent ones; then two for each space that copies of this GPU come from or go to,
// one for either direction. No more: an engine that has begun with the copies of one stream does
// all that is on it before it turns to another, so that with two the order of copies is lost.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cusolverDn.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {

class GpuStreams {
 public:
  /// `compute`: ordinary streams, 1 or more. `spaces`: memory spaces of the machine. Throws
  /// EnvironmentFailure.
  GpuStreams(int ordinal, std::uint32_t compute, std::size_t spaces);
  ~GpuStreams();
  GpuStreams(const GpuStreams&) = delete;
  GpuStreams& operator=(const GpuStreams&) = delete;

  static constexpr std::size_t kBlasWorkspace = std::size_t{32} << 20U;  // advised for Hopper

  [[nodiscard]] int ordinal() const { return ordinal_; }
  /// Whether its kernels may read and write the memory of all other GPUs in use.
  [[nodiscard]] bool reaches_peers() const { return reaches_peers_; }
  void set_reaches_peers(bool reaches) { reaches_peers_ = reaches; }
  /// Whether the GPU refuses everything: a kernel on it has failed, or it is gone.
  [[nodiscard]] bool is_lost() const;
  [[nodiscard]] std::uint32_t stream_count() const {
    return static_cast<std::uint32_t>(streams_.size());
  }
  [[nodiscard]] cudaStream_t stream(std::uint32_t index) const { return streams_[index]; }
  /// Ordinary streams are [0, compute); the GPU starts blocks of the urgent ones, as many after
  /// them, first.
  [[nodiscard]] std::uint32_t compute_streams() const { return compute_; }
  /// The end of the urgent ones.
  [[nodiscard]] std::uint32_t launch_streams() const { return 2 * compute_; }
  /// The stream for copies from this GPU to `space`, or from it to this GPU.
  [[nodiscard]] std::uint32_t copy_stream(std::size_t space, bool is_outgoing) const {
    return launch_streams() + static_cast<std::uint32_t>(2 * space + (is_outgoing ? 0 : 1));
  }

  /// Bytes of workspace that launches ask for, given what they may use: of panels, or others.
  using WorkspaceBytes = std::function<std::size_t(const LaunchContext&, bool is_of_panel)>;
  /// Handles, where `uses_libraries`, and a workspace for each stream for launches. Keeps what is
  /// large enough. Throws EnvironmentFailure.
  void provide(bool uses_libraries, const WorkspaceBytes& bytes_of);
  /// What launches on a stream may use. Only urgent streams have a handle of cuSOLVER: its kernels
  /// are factorisations.
  [[nodiscard]] const LaunchContext& context(std::uint32_t stream) const {
    return contexts_[stream];
  }

 private:
  void make_streams(std::size_t spaces);
  void make_handles();

  int ordinal_;
  std::uint32_t compute_;
  bool reaches_peers_ = false;
  std::vector<cudaStream_t> streams_;
  std::vector<LaunchContext> contexts_;  // by stream, of those for launches
  std::vector<std::vector<std::byte>> host_workspaces_;
  std::vector<void*> allocations_;
};

}  // namespace parley::exec::cuda
