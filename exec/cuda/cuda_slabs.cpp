#include "exec/cuda/cuda_slabs.h"

#include <cuda_runtime_api.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string>

#include "exec/backend.h"
#include "exec/cuda/device_kernel.h"

namespace parley::exec::cuda {

CudaSlabs::~CudaSlabs() {
  for (const DeviceSlab& slab : devices_) {
    if (slab.data == nullptr) continue;
    check_released(cudaSetDevice(slab.ordinal), "choosing a GPU");
    check_released(cudaFree(slab.data), "the slab of a GPU");
  }
  release_host();
}

void CudaSlabs::abandon() {
  devices_.clear();
  host_ = nullptr;
}

void CudaSlabs::release_host() {
  if (host_ == nullptr) return;
  const std::int64_t chunks = (host_bytes_ + kChunkBytes - 1) / kChunkBytes;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    if (is_pinned_[static_cast<std::size_t>(chunk)].load()) {
      check_released(cudaHostUnregister(host_ + chunk * kChunkBytes), "unpinning host memory");
    }
  }
  munmap(host_, static_cast<std::size_t>(host_bytes_));
  host_ = nullptr;
}

void CudaSlabs::provide_host(std::int64_t bytes) {
  if (bytes <= host_bytes_) return;
  release_host();
  // Whole chunks, so that each can be pinned as one.
  bytes = (bytes + kChunkBytes - 1) / kChunkBytes * kChunkBytes;
  void* memory = mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    throw EnvironmentFailure("host slab of " + std::to_string(bytes) +
                             " bytes: " + std::strerror(errno));
  }
  (void)madvise(memory, static_cast<std::size_t>(bytes), MADV_HUGEPAGE);  // a wish: faster to pin
  host_ = static_cast<std::byte*>(memory);
  host_bytes_ = bytes;
  is_pinned_ = std::make_unique<std::atomic<bool>[]>(static_cast<std::size_t>(bytes / kChunkBytes));
}

void CudaSlabs::provide_device(DeviceSlab& slab, std::int64_t bytes, const std::string& space) {
  if (bytes <= slab.bytes) return;
  check_cuda(cudaSetDevice(slab.ordinal), "choosing GPU " + std::to_string(slab.ordinal));
  if (slab.data != nullptr) check_cuda(cudaFree(slab.data), "giving back the slab of " + space);
  slab.data = nullptr;
  slab.bytes = 0;
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, static_cast<std::size_t>(bytes));
  if (status == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    std::size_t free = 0;
    std::size_t total = 0;
    check_cuda(cudaMemGetInfo(&free, &total), "asking for free memory");
    throw EnvironmentFailure("the slab of " + space + " is " + std::to_string(bytes) +
                             " bytes, and " + std::to_string(free) + " of the GPU's " +
                             std::to_string(total) +
                             " are free besides libraries and workspaces; --limit lowers it");
  }
  check_cuda(status, "allocating the slab of " + space);
  slab.data = static_cast<std::byte*>(memory);
  slab.bytes = bytes;
}

void CudaSlabs::provide(const core::Machine& machine, const core::Engine& engine) {
  base_.resize(machine.space_count());
  gpu_of_.resize(machine.space_count());
  int gpu = 0;
  for (std::size_t i = 0; i < machine.space_count(); ++i) {
    const core::SpaceId space(i);
    const std::int64_t bytes = engine.slab_bytes(space).count();
    if (machine.space(space).is_host) {
      provide_host(bytes);
      base_[space] = host_;
      gpu_of_[space] = -1;
      continue;
    }
    gpu_of_[space] = gpu;
    // A GPU's ordinal is that of its place: use_gpus() gives them in turn.
    if (devices_.size() <= static_cast<std::size_t>(gpu)) {
      devices_.push_back({.ordinal = ordinal_of(space)});
    }
    DeviceSlab& slab = devices_[static_cast<std::size_t>(gpu++)];
    provide_device(slab, bytes, machine.space(space).name);
    base_[space] = slab.data;
  }
}

void CudaSlabs::pin(std::int64_t offset, std::int64_t bytes) {
  if (bytes == 0) return;
  const std::int64_t last = (offset + bytes - 1) / kChunkBytes;
  for (std::int64_t chunk = offset / kChunkBytes; chunk <= last; ++chunk) {
    const auto index = static_cast<std::size_t>(chunk);
    if (!is_pinned_[index].load(std::memory_order_acquire)) pin_chunk(index);
  }
}

void CudaSlabs::pin_chunk(std::size_t chunk) {
  const std::lock_guard lock(pinning_);
  if (is_pinned_[chunk].load(std::memory_order_relaxed)) return;
  std::byte* start = host_ + static_cast<std::int64_t>(chunk) * kChunkBytes;
  check_cuda(cudaHostRegister(start, static_cast<std::size_t>(kChunkBytes),
                              cudaHostRegisterPortable | cudaHostRegisterMapped),
             "pinning 256 MiB of host memory");
  is_pinned_[chunk].store(true, std::memory_order_release);
}

void pin_what_will_be_used(CudaSlabs& slabs, const core::Program& program,
                           const core::Machine& machine, const core::Engine& engine) {
  std::int64_t bytes = 0;
  bool touches_host = false;
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    const core::Array& array = program.array(core::ArrayId(i));
    bytes += array.bytes.count();
    touches_host = touches_host || array.spec.at_end == core::AtEnd::kHome;
  }
  std::int64_t least_room = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < machine.space_count(); ++i) {
    if (slabs.is_host(core::SpaceId(i))) continue;
    least_room = std::min(least_room, engine.slab_bytes(core::SpaceId(i)).count());
  }
  for (std::size_t i = 0; i < program.placement_count() && !touches_host; ++i) {
    for (const core::Alternative& alternative : program.placement(core::PlacementId(i))) {
      touches_host = touches_host || std::ranges::any_of(alternative.members, [](const auto& name) {
                       return name.empty() || name.starts_with("cpu");
                     });
    }
  }
  touches_host = touches_host || bytes > least_room;  // replicas may have to be written back
  for (std::size_t i = 0; touches_host && i < program.array_count(); ++i) {
    const core::ArrayId array(i);
    slabs.pin(engine.home_slot(array).count(), program.array(array).bytes.count());
  }
  for (const core::InitialReplica& replica : engine.initial_replicas()) {
    if (!slabs.is_host(replica.space)) continue;
    slabs.pin(replica.offset.count(), program.array(replica.array).bytes.count());
  }
}

}  // namespace parley::exec::cuda
