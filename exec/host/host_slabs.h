// One slab of host memory per memory space. Pages are reserved, not touched, so that spaces of many
// GB cost nothing until they are used. Not synchronised: commands order the accesses.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/ids.h"
#include "core/engine/engine.h"
#include "core/machine/machine.h"

namespace parley::exec {

class HostSlabs {
 public:
  HostSlabs() = default;
  ~HostSlabs();
  HostSlabs(const HostSlabs&) = delete;
  HostSlabs& operator=(const HostSlabs&) = delete;

  /// Slabs of at least Engine::slab_bytes; those that are large enough stay as they are. Throws
  /// EnvironmentFailure.
  void provide(const core::Machine& machine, const core::Engine& engine);
  [[nodiscard]] std::byte* at(core::SpaceId space, std::int64_t offset) const {
    return slabs_[space].data + offset;
  }

 private:
  struct Slab {
    std::byte* data = nullptr;
    std::size_t bytes = 0;
  };
  static void release(Slab& slab);

  core::IdVector<core::SpaceId, Slab> slabs_;
};

}  // namespace parley::exec
