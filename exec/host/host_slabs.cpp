#include "exec/host/host_slabs.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "exec/backend.h"

namespace parley::exec {

HostSlabs::~HostSlabs() {
  for (Slab& slab : slabs_) release(slab);
}

void HostSlabs::release(Slab& slab) {
  if (slab.data != nullptr) munmap(slab.data, slab.bytes);
  slab = {};
}

void HostSlabs::provide(const core::Machine& machine, const core::Engine& engine) {
  if (slabs_.size() < machine.space_count()) slabs_.resize(machine.space_count());
  for (std::size_t i = 0; i < machine.space_count(); ++i) {
    Slab& slab = slabs_[core::SpaceId(i)];
    const auto bytes = static_cast<std::size_t>(engine.slab_bytes(core::SpaceId(i)).count());
    if (bytes <= slab.bytes) continue;
    release(slab);
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
      throw EnvironmentFailure("memory space " + machine.space(core::SpaceId(i)).name +
                               ": no address space for " + std::to_string(bytes) +
                               " bytes: " + std::strerror(errno));
    }
    // A page is made when it is first touched, and that takes longer than copying into it; large
    // ones are made at once. What the system does not give is no loss.
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
    slab = {static_cast<std::byte*>(memory), bytes};
  }
}

}  // namespace parley::exec
