// Memory of the spaces: one allocation for each that is on a GPU, and one host slab whose pages are
// reserved at once and pinned in chunks when they are first used (pinning takes 0.6 s a GiB:
// measured on H200 hosts, 2026-11-21).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/engine/engine.h"
#include "core/machine/machine.h"

namespace parley::exec::cuda {

class CudaSlabs {
 public:
  static constexpr std::int64_t kChunkBytes = std::int64_t{256} << 20U;

  CudaSlabs() = default;
  ~CudaSlabs();
  CudaSlabs(const CudaSlabs&) = delete;
  CudaSlabs& operator=(const CudaSlabs&) = delete;

  /// `ordinals`: of CUDA, by space that is no host, in the machine's order. In a later call those
  /// of the same places are the same.
  void use_gpus(std::vector<int> ordinals) { ordinals_ = std::move(ordinals); }
  /// Slabs of at least Engine::slab_bytes; those that are large enough stay as they are. Throws
  /// EnvironmentFailure.
  void provide(const core::Machine& machine, const core::Engine& engine);
  [[nodiscard]] std::byte* at(core::SpaceId space, std::int64_t offset) const {
    return base_[space] + offset;
  }
  [[nodiscard]] bool is_host(core::SpaceId space) const { return gpu_of_[space] < 0; }
  /// A space's number among those that are no host, which is also its submitter's; -1 for the host.
  [[nodiscard]] int gpu_of(core::SpaceId space) const { return gpu_of_[space]; }
  /// The CUDA ordinal of the GPU that a space is on. Requires: it is no host.
  [[nodiscard]] int ordinal_of(core::SpaceId space) const {
    return ordinals_[static_cast<std::size_t>(gpu_of_[space])];
  }

  /// Forgets all memory without giving it back.
  void abandon();
  /// Makes sure that the host bytes [offset, offset + bytes) are pinned. May be called by any
  /// thread; costs nothing the second time. Throws EnvironmentFailure.
  void pin(std::int64_t offset, std::int64_t bytes);
  /// Bytes from `offset` to the end of its chunk: a copy must not cross it.
  [[nodiscard]] static std::int64_t to_chunk_end(std::int64_t offset) {
    return kChunkBytes - offset % kChunkBytes;
  }

 private:
  struct DeviceSlab {
    std::byte* data = nullptr;
    std::int64_t bytes = 0;
    int ordinal = 0;
  };
  void provide_host(std::int64_t bytes);
  void release_host();
  static void provide_device(DeviceSlab& slab, std::int64_t bytes, const std::string& space);
  void pin_chunk(std::size_t chunk);

  core::IdVector<core::SpaceId, std::byte*> base_;
  core::IdVector<core::SpaceId, int> gpu_of_;
  std::vector<int> ordinals_;        // by gpu_of()
  std::vector<DeviceSlab> devices_;  // by gpu_of()
  std::byte* host_ = nullptr;
  std::int64_t host_bytes_ = 0;
  std::unique_ptr<std::atomic<bool>[]> is_pinned_;  // by chunk
  std::mutex pinning_;
};

/// Pins home slots that copies come from or may go to. Others are pinned when they are first used,
/// which stops a run for a sixth of a second each 256 MiB.
void pin_what_will_be_used(CudaSlabs& slabs, const core::Program& program,
                           const core::Machine& machine, const core::Engine& engine);

}  // namespace parley::exec::cuda
