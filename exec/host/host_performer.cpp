#include "exec/host/host_performer.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "core/machine/cost_model.h"
#include "core/memory/arena.h"
#include "exec/current_task.h"
#include "exec/strided.h"

namespace parley::exec {
namespace {

using Clock = std::chrono::steady_clock;

/// Lets time pass: precisely when it is little, without a core when it is much.
void wait_for(core::Duration duration) {
  constexpr std::int64_t kWorthSleeping = 200'000;
  const auto end = Clock::now() + std::chrono::nanoseconds(duration.count());
  if (duration.count() > kWorthSleeping) std::this_thread::sleep_until(end);
  while (Clock::now() < end) {
  }
}

}  // namespace

HostPerformer::HostPerformer(const core::Program& program, const core::Machine& machine,
                             const KernelRegistry& kernels, SlabAddress address,
                             bool spins_for_cost)
    : program_(&program),
      machine_(&machine),
      kernels_(&kernels),
      address_(std::move(address)),
      spins_for_cost_(spins_for_cost) {}

void HostPerformer::perform(const StoredCommand& command) const {
  if (!command.is_copy) {
    launch(command);
    return;
  }
  for (const StoredPart& part : command.parts) copy(command, part);
}

void HostPerformer::copy(const StoredCommand& command, const StoredPart& part) const {
  HostOperand source, target;  // whose elements are the runs
  source.data = address_(command.from, part.source_offset);
  target.data = address_(command.to, part.target_offset);
  const auto dimensions =
      std::span(command.dimensions).subspan(part.first_dimension, part.dimension_count);
  for (const core::CopyDimension& dimension : dimensions) {
    source.shape.push_back(dimension.count);
    source.strides.push_back(dimension.source_stride);
    target.strides.push_back(dimension.target_stride);
  }
  target.shape = source.shape;
  for_each_element<2>({&source, &target}, [&](const auto& run) {
    std::memcpy(run[1], run[0], static_cast<std::size_t>(part.run_bytes));
  });
}

void HostPerformer::launch(const StoredCommand& command) const {
  const core::Duration spin = spin_of(command);
  if (spin > core::Duration(0)) wait_for(spin);
  const CurrentTask current(program_->task_name(command.task));
  run_task(*kernels_, *program_, command.task, command.alternative, operands(command),
           scratch(command));
}

/// How long the task shall take besides its work: its cost, if it spins or has no kernel.
core::Duration HostPerformer::spin_of(const StoredCommand& command) const {
  const core::Kernel& kernel = kernel_of(*program_, command.task, command.alternative);
  const bool spins = kernel.empty() || std::ranges::any_of(kernel, [](const auto& call) {
                       return call.name == "spin";
                     });
  core::Duration longest(0);
  if (!spins || !spins_for_cost_) return longest;
  for (const core::DeviceId device : command.devices) {
    const auto duration = core::task_duration(*program_, *machine_, command.task,
                                              command.alternative, device, core::WhichCost::kTrue);
    longest = std::max(longest, duration.value_or(core::Duration(0)));
  }
  return longest;
}

std::vector<OperandMemory> HostPerformer::operands(const StoredCommand& command) const {
  std::vector<OperandMemory> all;
  const std::span<const core::Access> accesses = program_->accesses(command.task);
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    const core::OperandBinding& operand = command.operands[i];
    const core::Region& region = program_->region(accesses[i].region);
    OperandMemory memory;
    memory.strides.resize(region.box.rank());
    core::operand_strides(*program_, accesses[i].region, operand.is_home_view, memory.strides);
    if (region.bytes.count() > 0) memory.data = address_(operand.space, operand.offset.count());
    all.push_back(std::move(memory));
  }
  return all;
}

/// Scratch arrays of a group lie on its first member, one after the other, each rounded up.
std::vector<std::byte*> HostPerformer::scratch(const StoredCommand& command) const {
  std::vector<std::byte*> all;
  const core::Placement& placement = program_->placement(program_->task(command.task).placement);
  const core::SpaceId space = machine_->device(command.devices.front()).space;
  std::int64_t offset = 0;
  for (const core::ScratchArray& array : placement[command.alternative].scratch) {
    all.push_back(address_(space, command.scratch_offsets.front().count() + offset));
    std::int64_t bytes = core::element_bytes(array.dtype);
    for (const std::int64_t extent : array.shape) bytes *= extent;
    offset += core::Arena::rounded(core::Bytes(bytes)).count();
  }
  return all;
}

}  // namespace parley::exec
