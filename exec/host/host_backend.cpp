#include "exec/host/host_backend.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/machine/cost_model.h"
#include "core/memory/arena.h"
#include "exec/host/command_scheduler.h"
#include "exec/host/host_slabs.h"
#include "exec/kernel_registry.h"
#include "exec/strided.h"
#include "exec/task_kernel.h"

namespace parley::exec {
namespace {

using Clock = std::chrono::steady_clock;

void copy_part(const StoredCommand& copy, const StoredPart& part, const HostSlabs& slabs) {
  HostOperand source, target;  // whose elements are the runs
  source.data = slabs.at(copy.from, part.source_offset);
  target.data = slabs.at(copy.to, part.target_offset);
  const auto dimensions =
      std::span(copy.dimensions).subspan(part.first_dimension, part.dimension_count);
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

/// Lets time pass: precisely when it is little, without a core when it is much.
void wait_for(core::Duration duration) {
  constexpr std::int64_t kWorthSleeping = 200'000;
  const auto end = Clock::now() + std::chrono::nanoseconds(duration.count());
  if (duration.count() > kWorthSleeping) std::this_thread::sleep_until(end);
  while (Clock::now() < end) {
  }
}

class HostBackend final : public Backend {
 public:
  explicit HostBackend(const HostOptions& options) : options_(options) {}
  ~HostBackend() override { stop_threads(); }

  core::Faults check(const core::Program& program, const core::Machine& machine) const override;
  void prepare(const core::Program& program, const core::Machine& machine,
               const core::Engine& engine) override;
  void write(core::SpaceId space, std::int64_t offset, std::span<const std::byte> bytes) override {
    std::memcpy(slabs_.at(space, offset), bytes.data(), bytes.size());
  }
  void read(core::SpaceId space, std::int64_t offset, std::span<std::byte> bytes) override {
    std::memcpy(bytes.data(), slabs_.at(space, offset), bytes.size());
  }
  void begin(bool is_timed) override;
  core::Time now() const override {
    const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start_);
    return core::Time(since.count());
  }
  void submit(const core::StartCopy& copy) override { scheduler_->submit(copy); }
  void submit(const core::LaunchTask& launch) override { scheduler_->submit(launch); }
  void flush() override {}
  void collect(std::vector<Completion>& completions, bool waits) override {
    scheduler_->collect(completions, waits);
  }
  void end() override { stop_threads(); }

 private:
  void stop_threads();
  void serve_launches();
  void serve_copies();
  void perform(const StoredCommand& command);
  void run(const StoredCommand& launch) const;
  [[nodiscard]] core::Duration spin_of(const StoredCommand& launch) const;
  [[nodiscard]] std::vector<OperandMemory> operands(const StoredCommand& launch) const;
  [[nodiscard]] std::vector<std::byte*> scratch(const StoredCommand& launch) const;

  HostOptions options_;
  KernelRegistry kernels_;
  HostSlabs slabs_;
  const core::Program* program_ = nullptr;
  const core::Machine* machine_ = nullptr;
  Clock::time_point start_;
  std::unique_ptr<CommandScheduler> scheduler_;
  std::vector<std::jthread> threads_;
};

core::Faults HostBackend::check(const core::Program& program, const core::Machine&) const {
  core::Faults faults;
  for (std::size_t i = 0; i < program.kernel_count(); ++i) {
    for (const core::KernelCall& call : program.kernel(core::KernelId(i))) {
      if (kernels_.find(call.name) != nullptr) continue;
      faults.push_back({"kernel " + call.name, "has no body for the host"});
    }
  }
  return faults;
}

void HostBackend::prepare(const core::Program& program, const core::Machine& machine,
                          const core::Engine& engine) {
  stop_threads();
  program_ = &program;
  machine_ = &machine;
  slabs_.provide(machine, engine);
}

void HostBackend::begin(bool /*is_timed: always*/) {
  constexpr std::size_t kMostThreads = 64;
  constexpr std::size_t kMostCopyThreads = 8;
  scheduler_ = std::make_unique<CommandScheduler>(*machine_);
  std::size_t slots = 0;
  const auto cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  for (const core::Device& device : machine_->spec().devices) {
    // A device of many slots is one of real cores; one of a single slot stands for a GPU.
    slots += static_cast<std::size_t>(std::clamp(device.slots, 1, std::max(cores, 2)));
  }
  const std::size_t spaces = machine_->space_count();
  start_ = Clock::now();
  for (std::size_t i = 0; i < std::min(slots, kMostThreads); ++i) {
    threads_.emplace_back([this] { serve_launches(); });
  }
  for (std::size_t i = 0; i < std::min(2 * spaces - 1, kMostCopyThreads); ++i) {
    threads_.emplace_back([this] { serve_copies(); });
  }
}

void HostBackend::stop_threads() {
  if (scheduler_) scheduler_->close();
  threads_.clear();
}

void HostBackend::serve_launches() {
  while (const StoredCommand* launch = scheduler_->next_launch()) perform(*launch);
}

void HostBackend::serve_copies() {
  while (const StoredCommand* copy = scheduler_->next_copy()) perform(*copy);
}

void HostBackend::perform(const StoredCommand& command) {
  const core::Time start = now();
  std::optional<std::string> failure;
  try {
    if (options_.injector) {
      const core::DeviceId device =
          command.is_copy ? core::DeviceId::none() : command.devices.front();
      failure = options_.injector(
          {command.id, command.is_copy, command.task, device, command.from, command.to});
    }
    if (!failure && command.is_copy) {
      for (const StoredPart& part : command.parts) copy_part(command, part, slabs_);
    } else if (!failure) {
      run(command);
    }
  } catch (const std::exception& thrown) {
    failure = thrown.what();
  }
  scheduler_->ended(command, start, now(), failure);
}

void HostBackend::run(const StoredCommand& launch) const {
  const core::Duration spin = spin_of(launch);
  if (spin > core::Duration(0)) wait_for(spin);
  run_task(kernels_, *program_, launch.task, launch.alternative, operands(launch), scratch(launch));
}

/// How long the task shall take besides its work: its cost, if it spins or has no kernel.
core::Duration HostBackend::spin_of(const StoredCommand& launch) const {
  const core::Kernel& kernel = kernel_of(*program_, launch.task, launch.alternative);
  const bool spins = kernel.empty() || std::ranges::any_of(kernel, [](const auto& call) {
                       return call.name == "spin";
                     });
  core::Duration longest(0);
  if (!spins || !options_.spins_for_cost) return longest;
  for (const core::DeviceId device : launch.devices) {
    const auto duration = core::task_duration(*program_, *machine_, launch.task, launch.alternative,
                                              device, core::WhichCost::kTrue);
    longest = std::max(longest, duration.value_or(core::Duration(0)));
  }
  return longest;
}

std::vector<OperandMemory> HostBackend::operands(const StoredCommand& launch) const {
  std::vector<OperandMemory> all;
  const std::span<const core::Access> accesses = program_->accesses(launch.task);
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    const core::OperandBinding& operand = launch.operands[i];
    const core::Region& region = program_->region(accesses[i].region);
    OperandMemory memory;
    memory.strides.resize(region.box.rank());
    core::operand_strides(*program_, accesses[i].region, operand.is_home_view, memory.strides);
    if (region.bytes.count() > 0) memory.data = slabs_.at(operand.space, operand.offset.count());
    all.push_back(std::move(memory));
  }
  return all;
}

/// Scratch arrays of a group lie on its first member, one after the other, each rounded up.
std::vector<std::byte*> HostBackend::scratch(const StoredCommand& launch) const {
  std::vector<std::byte*> all;
  const core::Placement& placement = program_->placement(program_->task(launch.task).placement);
  const core::SpaceId space = machine_->device(launch.devices.front()).space;
  std::int64_t offset = 0;
  for (const core::ScratchArray& array : placement[launch.alternative].scratch) {
    all.push_back(slabs_.at(space, launch.scratch_offsets.front().count() + offset));
    std::int64_t bytes = core::element_bytes(array.dtype);
    for (const std::int64_t extent : array.shape) bytes *= extent;
    offset += core::Arena::rounded(core::Bytes(bytes)).count();
  }
  return all;
}

}  // namespace

std::unique_ptr<Backend> create_host_backend(const HostOptions& options) {
  return std::make_unique<HostBackend>(options);
}

}  // namespace parley::exec
