// One slab of real bytes per memory space, as a driver without GPUs provides them, and the effect
// of commands on them. Memory is reserved, not touched, so that spaces of many GB cost nothing;
// what is small is filled with kPoison first. Not synchronised: commands order the accesses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/engine.h"
#include "core/machine/machine.h"
#include "exec/kernel_registry.h"
#include "exec/task_kernel.h"
#include "exec/verify/sequential.h"
#include "tests/support/meaning.h"
#include "tests/support/owned_command.h"

namespace parley::test {

inline constexpr std::byte kPoison{0xa5};

class Slabs {
 public:
  /// Slabs of Engine::slab_bytes, with the engine's initial replicas in place.
  Slabs(const core::Program& program, const core::Machine& machine, const core::Engine& engine);
  ~Slabs();
  Slabs(const Slabs&) = delete;
  Slabs& operator=(const Slabs&) = delete;

  [[nodiscard]] std::byte* at(core::SpaceId space, std::int64_t offset) const {
    return slabs_[space].data + offset;
  }
  void copy(const OwnedCopy& copy) const;
  void poison(core::SpaceId space, std::int64_t offset, std::int64_t bytes) const;

  /// Where a launch's operands and scratch arrays lie.
  [[nodiscard]] std::vector<exec::OperandMemory> operands(const OwnedLaunch& launch) const;
  [[nodiscard]] std::vector<std::byte*> scratch(const OwnedLaunch& launch) const;
  /// Compact bytes of an operand.
  [[nodiscard]] std::vector<std::byte> operand_bytes(const OwnedLaunch& launch,
                                                     std::size_t access) const;
  void set_operand_bytes(const OwnedLaunch& launch, std::size_t access,
                         std::span<const std::byte> bytes) const;

  /// The array's contents gathered from where the engine says that they are; elements that are
  /// nowhere (never written, or lost) stay as `otherwise`.
  [[nodiscard]] std::vector<std::byte> contents(const core::Engine& engine, core::ArrayId array,
                                                std::byte otherwise) const;

 private:
  struct Slab {
    std::byte* data = nullptr;
    std::size_t bytes = 0;
  };

  const core::Program* program_;
  const core::Machine* machine_;
  core::IdVector<core::SpaceId, Slab> slabs_;
};

/// Throws RuleBroken when an operand that the launch reads does not have the bytes that the
/// program's meaning prescribes.
void check_bytes_read(const Slabs& slabs, const core::Program& program, const Meaning& meaning,
                      const OwnedLaunch& launch);

/// Throws RuleBroken when an array's final contents are not those of sequential execution. Where
/// alternatives have kernels of their own the tasks' choices count: `alternative_of`.
void check_final_bytes(const Slabs& slabs, const core::Program& program, const core::Engine& engine,
                       const exec::AlternativeOf& alternative_of);

}  // namespace parley::test
