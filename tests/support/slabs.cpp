#include "tests/support/slabs.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "core/memory/arena.h"
#include "exec/strided.h"
#include "tests/support/command_checker.h"
#include "tests/support/geometry.h"

namespace parley::test {

using namespace core;  // NOLINT

namespace {

constexpr std::size_t kMostPoisoned = std::size_t{1} << 20U;
constexpr std::int64_t kRoomToGrow = std::int64_t{1} << 20U;

}  // namespace

Slabs::Slabs(const Program& program, const Machine& machine, const Engine& engine)
    : program_(&program), machine_(&machine) {
  for (std::size_t i = 0; i < machine.space_count(); ++i) {
    Slab slab;
    // A host's slab grows with a program that grows.
    slab.bytes =
        static_cast<std::size_t>(std::min(machine.space(SpaceId(i)).capacity,
                                          engine.slab_bytes(SpaceId(i)) + Bytes(kRoomToGrow))
                                     .count());
    if (slab.bytes > 0) {
      void* memory = mmap(nullptr, slab.bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (memory == MAP_FAILED) throw std::bad_alloc();
      slab.data = static_cast<std::byte*>(memory);
      std::memset(slab.data, std::to_integer<int>(kPoison), std::min(slab.bytes, kMostPoisoned));
    }
    slabs_.push_back(slab);
  }
  for (const InitialReplica& initial : engine.initial_replicas()) {
    const Array& array = program.array(initial.array);
    if (array.bytes.count() == 0) continue;
    initial_bytes(array.spec, {at(initial.space, initial.offset.count()),
                               static_cast<std::size_t>(array.bytes.count())});
  }
}

Slabs::~Slabs() {
  for (const Slab& slab : slabs_) {
    if (slab.data != nullptr) munmap(slab.data, slab.bytes);
  }
}

void Slabs::poison(SpaceId space, std::int64_t offset, std::int64_t bytes) const {
  std::memset(at(space, offset), std::to_integer<int>(kPoison), static_cast<std::size_t>(bytes));
}

void Slabs::copy(const OwnedCopy& copy) const {
  for (const OwnedPart& part : copy.parts) {
    // The runs are the elements of two operands that differ in their strides.
    exec::HostOperand source, target;
    source.data = at(copy.from, part.source_offset);
    target.data = at(copy.to, part.target_offset);
    for (const OwnedDimension& dimension : part.dimensions) {
      source.shape.push_back(dimension.count);
      source.strides.push_back(dimension.source_stride);
      target.strides.push_back(dimension.target_stride);
    }
    target.shape = source.shape;
    exec::for_each_element<2>({&source, &target}, [&](const auto& run) {
      std::memcpy(run[1], run[0], static_cast<std::size_t>(part.run_bytes));
    });
  }
}

std::vector<exec::OperandMemory> Slabs::operands(const OwnedLaunch& launch) const {
  std::vector<exec::OperandMemory> all;
  const std::span<const Access> accesses = program_->accesses(launch.task);
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    const OwnedBinding& operand = launch.operands[i];
    exec::OperandMemory memory;
    memory.strides.resize(program_->region(accesses[i].region).box.rank());
    operand_strides(*program_, accesses[i].region, operand.is_home_view, memory.strides);
    const bool has_bytes = program_->region(accesses[i].region).bytes.count() > 0;
    if (has_bytes) memory.data = at(operand.space, operand.offset);
    all.push_back(std::move(memory));
  }
  return all;
}

// Scratch arrays of a group lie on its first member.
std::vector<std::byte*> Slabs::scratch(const OwnedLaunch& launch) const {
  std::vector<std::byte*> all;
  const Placement& placement = program_->placement(program_->task(launch.task).placement);
  const SpaceId space = machine_->device(launch.devices.front()).space;
  std::int64_t offset = 0;
  for (const ScratchArray& array : placement[launch.alternative].scratch) {
    all.push_back(at(space, launch.scratch_offsets.front() + offset));
    std::int64_t bytes = element_bytes(array.dtype);
    for (const std::int64_t extent : array.shape) bytes *= extent;
    offset += Arena::rounded(Bytes(bytes)).count();
  }
  return all;
}

std::vector<std::byte> Slabs::operand_bytes(const OwnedLaunch& launch, std::size_t access) const {
  const RegionId region = program_->accesses(launch.task)[access].region;
  const OwnedBinding& operand = launch.operands[access];
  const auto bytes =
      static_cast<std::size_t>(program_->array(program_->region(region).array).element_bytes);
  std::vector<std::byte> compact;
  for (const std::int64_t offset : offsets_of(*program_, region, operand.is_home_view)) {
    const std::byte* element = at(operand.space, operand.offset + offset);
    compact.insert(compact.end(), element, element + bytes);
  }
  return compact;
}

void Slabs::set_operand_bytes(const OwnedLaunch& launch, std::size_t access,
                              std::span<const std::byte> bytes) const {
  const RegionId region = program_->accesses(launch.task)[access].region;
  const OwnedBinding& operand = launch.operands[access];
  const auto element =
      static_cast<std::size_t>(program_->array(program_->region(region).array).element_bytes);
  std::size_t next = 0;
  for (const std::int64_t offset : offsets_of(*program_, region, operand.is_home_view)) {
    std::memcpy(at(operand.space, operand.offset + offset), bytes.data() + next, element);
    next += element;
  }
}

std::vector<std::byte> Slabs::contents(const Engine& engine, ArrayId array,
                                       std::byte otherwise) const {
  const Array& described = program_->array(array);
  std::vector<std::byte> bytes(static_cast<std::size_t>(described.bytes.count()), otherwise);
  const auto width = static_cast<std::size_t>(described.element_bytes);
  for (const PieceLocation& location : engine.locations(array)) {
    const std::vector<std::int64_t> held = elements_of(*program_, location.replica_region);
    const std::vector<std::int64_t> offsets =
        offsets_of(*program_, location.replica_region, location.is_home_view);
    for_each_element_of(location.box, described.spec.shape, [&](std::int64_t element) {
      const auto found = std::lower_bound(held.begin(), held.end(), element);
      const auto position = static_cast<std::size_t>(found - held.begin());
      std::memcpy(bytes.data() + static_cast<std::size_t>(element) * width,
                  at(location.space, location.offset.count() + offsets[position]), width);
    });
  }
  return bytes;
}

void check_bytes_read(const Slabs& slabs, const Program& program, const Meaning& meaning,
                      const OwnedLaunch& launch) {
  if (!meaning.has_unique_bytes()) return;
  const std::span<const Access> accesses = program.accesses(launch.task);
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    if (!reads(accesses[i].mode)) continue;
    if (digest_of(slabs.operand_bytes(launch, i)) == meaning.digest_read(launch.task, i)) continue;
    throw RuleBroken("bytes: " + std::string(program.task_name(launch.task)) +
                     " reads wrong bytes of " +
                     program.region_text(accesses[i].region, accesses[i].view) + "\n  at " +
                     text_of(program, launch));
  }
}

void check_final_bytes(const Slabs& slabs, const Program& program, const Engine& engine,
                       const exec::AlternativeOf& alternative_of) {
  const exec::KernelRegistry registry;
  const exec::SequentialResult expected =
      exec::execute_sequentially(program, registry, alternative_of);
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    const ArrayId array(i);
    if (program.array(array).spec.at_end == AtEnd::kDiscard) continue;
    const std::vector<std::byte> found =
        slabs.contents(engine, array, exec::SequentialExecution::kUndefined);
    if (const auto difference =
            exec::first_difference(program, array, expected.arrays[array], found)) {
      throw RuleBroken("bytes: in the end " + *difference);
    }
  }
}

}  // namespace parley::test
