#include "exec/host/host_backend.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "exec/host/command_scheduler.h"
#include "exec/host/host_performer.h"
#include "exec/host/host_slabs.h"
#include "exec/kernel_registry.h"
#include "exec/user_kernels.h"

namespace parley::exec {
namespace {

using Clock = std::chrono::steady_clock;

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
    const std::vector<core::SpaceId> lost = lost_spaces();
    if (std::ranges::find(lost, space) != lost.end()) throw EnvironmentFailure("memory is gone");
    std::memcpy(bytes.data(), slabs_.at(space, offset), bytes.size());
  }
  void begin(bool is_timed) override;
  core::Time now() const override {
    const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start_);
    return core::Time(since.count());
  }
  void submit(const core::StartCopy& copy) override { scheduler_->submit(copy); }
  void submit(const core::LaunchTask& launch) override { scheduler_->submit(launch); }
  void cancel_waiting() override { scheduler_->cancel_waiting(); }
  void flush() override {}
  void collect(std::vector<Completion>& completions, bool waits) override {
    scheduler_->collect(completions, waits);
  }
  void end() override { stop_threads(); }
  [[nodiscard]] std::vector<core::SpaceId> lost_spaces() const override {
    return has_failed_ ? options_.lost_by_failure : std::vector<core::SpaceId>();
  }

 private:
  void stop_threads();
  void serve_launches();
  void serve_copies();
  void perform(const StoredCommand& command);

  HostOptions options_;
  KernelRegistry kernels_;
  HostSlabs slabs_;
  std::optional<HostPerformer> performer_;
  const core::Machine* machine_ = nullptr;
  Clock::time_point start_;
  std::unique_ptr<CommandScheduler> scheduler_;
  std::vector<std::jthread> threads_;
  std::atomic<bool> has_failed_{false};
};

core::Faults HostBackend::check(const core::Program& program, const core::Machine&) const {
  KernelRegistry kernels = kernels_;
  core::Faults faults = add_user_kernels(program, kernels);
  if (!faults.empty()) return faults;
  for (std::size_t i = 0; i < program.kernel_count(); ++i) {
    for (const core::KernelCall& call : program.kernel(core::KernelId(i))) {
      if (kernels.find(call.name) != nullptr) continue;
      faults.push_back({"kernel " + call.name, "has no body for the host"});
    }
  }
  return faults;
}

void HostBackend::prepare(const core::Program& program, const core::Machine& machine,
                          const core::Engine& engine) {
  stop_threads();
  machine_ = &machine;
  slabs_.provide(machine, engine);
  if (program.user_kernel_count() > 0) kernels_ = kernels_of(program);
  performer_.emplace(
      program, machine, kernels_,
      [this](core::SpaceId space, std::int64_t offset) { return slabs_.at(space, offset); },
      options_.spins_for_cost);
}

void HostBackend::begin(bool /*is_timed: always*/) {
  constexpr std::size_t kMostThreads = 64;
  constexpr std::size_t kMostCopyThreads = 8;
  has_failed_ = false;
  scheduler_ = std::make_unique<CommandScheduler>(*machine_);
  std::size_t slots = 0;
  const auto cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  for (const core::Device& device : machine_->spec().devices) {
    // A device of many slots is one of real cores; one of a single slot stands for a GPU.
    slots += static_cast<std::size_t>(std::clamp(device.slots, 1, std::max(cores, 2)));
  }
  const std::size_t spaces = machine_->space_count();
  for (std::size_t i = 0; i < std::min(slots, kMostThreads); ++i) {
    threads_.emplace_back([this] { serve_launches(); });
  }
  for (std::size_t i = 0; i < std::min(2 * spaces - 1, kMostCopyThreads); ++i) {
    threads_.emplace_back([this] { serve_copies(); });
  }
  start_ = Clock::now();  // threads are there before a run, and no part of it
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
    if (!failure) performer_->perform(command);
  } catch (const std::exception& thrown) {
    failure = thrown.what();
  } catch (...) {  // a user's kernel may throw anything
    failure = kThrewAnything;
  }
  if (failure) has_failed_ = true;
  scheduler_->ended(command, start, now(), failure);
}

}  // namespace

std::unique_ptr<Backend> create_host_backend(const HostOptions& options) {
  return std::make_unique<HostBackend>(options);
}

}  // namespace parley::exec
