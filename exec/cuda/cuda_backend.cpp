#include "exec/cuda/cuda_backend.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/check.h"
#include "exec/cuda/command_slots.h"
#include "exec/cuda/cuda_slabs.h"
#include "exec/cuda/device_kernel.h"
#include "exec/cuda/gpu_streams.h"
#include "exec/cuda/graph_run.h"
#include "exec/cuda/host_commands.h"
#include "exec/cuda/peer_access.h"
#include "exec/cuda/stream_clock.h"
#include "exec/cuda/submitter.h"
#include "exec/cuda/task_launcher.h"
#include "exec/cuda/user_device_kernels.h"
#include "exec/host/host_performer.h"
#include "exec/processors.h"
#include "exec/user_kernels.h"

namespace parley::exec::cuda {
namespace {

using Clock = std::chrono::steady_clock;

class CudaBackend final : public Backend {
 public:
  CudaBackend(const CudaOptions& options, std::size_t gpus)
      : options_(options), gpu_count_(gpus), graph_(gpus_, slabs_) {}
  ~CudaBackend() override;

  core::Faults check(const core::Program& program, const core::Machine& machine) const override;
  void prepare(const core::Program& program, const core::Machine& machine,
               const core::Engine& engine) override;
  void write(core::SpaceId space, std::int64_t offset, std::span<const std::byte> bytes) override;
  void read(core::SpaceId space, std::int64_t offset, std::span<std::byte> bytes) override;
  void begin(bool is_timed) override;
  core::Time now() const override;
  void submit(const core::StartCopy& copy) override { submit_any(copy); }
  void submit(const core::LaunchTask& launch) override { submit_any(launch); }
  void flush() override;
  void collect(std::vector<Completion>& completions, bool waits) override;
  void end() override;
  [[nodiscard]] std::vector<core::SpaceId> lost_spaces() const override;

 private:
  template <class Command>
  void submit_any(const Command& command);
  void admit(Slot& slot);
  void report_graph(const GraphRun::Outcome& outcome, core::Time start);
  [[nodiscard]] bool has_stopped(core::CommandId id) const;
  void note_stopped(core::CommandId id);
  [[nodiscard]] bool has_lost_a_gpu() const noexcept;
  [[nodiscard]] int gpu_of(const StoredCommand& command) const;
  [[nodiscard]] int ordinal_of(std::size_t gpu) const;
  void take_ended();
  void report_ended();
  void report(Slot& slot);
  void set_clocks(bool is_timed);
  void start_threads(bool is_timed);
  void stop_threads();
  void provide_devices(const core::Machine& machine);
  void provide_kernels(const core::Program& program);
  void refuse_groups_without_peers(const core::Program& program) const;

  CudaOptions options_;
  std::size_t gpu_count_;  // of this computer
  DeviceKernelRegistry device_kernels_;
  KernelRegistry host_kernels_;
  CudaSlabs slabs_;
  std::vector<std::unique_ptr<GpuStreams>> gpus_;  // by space of the machine that is no host
  std::size_t spaces_ = 0;
  const core::Machine* machine_ = nullptr;
  std::optional<TaskLauncher> launcher_;
  std::optional<HostPerformer> performer_;
  GraphRun graph_;
  std::vector<StoredCommand> batch_;  // of the step, in graph mode
  core::Time graph_time_;
  std::uint64_t fingerprint_ = 0;  // of the program whose graphs are kept

  Clock::time_point start_;
  std::optional<CommandSlots> slots_;
  std::vector<std::unique_ptr<Submitter>> submitters_;
  std::vector<std::unique_ptr<StreamClock>> clocks_;
  std::optional<HostCommands> host_commands_;  // during a run
  std::vector<int> processors_;  // of the thread that owns the engine, then of each GPU; all runs'
  ThreadBinding binding_;        // of the thread that owns the engine, during a run
  bool is_bound_ = false;        // the busy threads of this run are
  std::vector<std::uint32_t> ended_;  // found, not reported
  std::vector<Completion> reported_;
  std::vector<char> stopped_;  // by command of this run; only as long as one that stopped needs
  bool has_failed_ = false;
  std::atomic<bool> a_gpu_failed_{false};
};

/// Told by a thread of its own, or by a call that threw.
bool CudaBackend::has_lost_a_gpu() const noexcept {
  try {
    return a_gpu_failed_ || std::ranges::any_of(gpus_, [](auto& gpu) { return gpu->is_lost(); });
  } catch (const std::exception&) {  // no thread to ask with: better to leave all as it is
    return true;
  }
}

CudaBackend::~CudaBackend() {
  stop_threads();
  if (!has_lost_a_gpu()) return;
  // To give memory back would wait for streams that wait for a GPU that is gone; the process's end
  // does it.
  expect_refused_releases();
  graph_.abandon();
  for (std::unique_ptr<Submitter>& submitter : submitters_) submitter->abandon_values();
  submitters_.clear();
  for (std::unique_ptr<GpuStreams>& gpu : gpus_) (void)gpu.release();
  slabs_.abandon();
}

// ---- before the run ----

/// The clock of a graph stands still between its launches: a time to come never would.
core::Faults refuse_releases(const core::Program& program) {
  for (std::size_t i = 0; i < program.task_count(); ++i) {
    const core::TaskId task(i);
    if (program.task(task).release <= core::Time(0)) continue;
    return {{"task \"" + std::string(program.task_name(task)) + "\"",
             "has a release time, for which a CUDA graph cannot wait"}};
  }
  return {};
}

core::Faults CudaBackend::check(const core::Program& program, const core::Machine& machine) const {
  DeviceKernelRegistry device_kernels = device_kernels_;
  core::Faults faults = add_user_kernels(program, device_kernels);
  KernelRegistry host_kernels = host_kernels_;
  const core::Faults of_host = exec::add_user_kernels(program, host_kernels);
  faults.insert(faults.end(), of_host.begin(), of_host.end());
  if (!faults.empty()) return faults;
  if (options_.uses_graph) faults = refuse_releases(program);
  if (!faults.empty()) return faults;
  faults = TaskLauncher::check(program, device_kernels);
  std::size_t hosts = 0;
  for (const core::MemorySpace& space : machine.spec().spaces) hosts += space.is_host ? 1 : 0;
  const std::size_t gpus = machine.space_count() - hosts;
  if (hosts != 1) {
    faults.push_back({"machine " + machine.name(),
                      "has " + std::to_string(hosts) + " host spaces; a run on GPUs needs one"});
  }
  if (gpus == 0 || gpus > gpu_count_ * options_.devices_per_gpu) {
    faults.push_back({"machine " + machine.name(), "has " + std::to_string(gpus) +
                                                       " GPU spaces; this computer has " +
                                                       std::to_string(gpu_count_) + " GPUs, for " +
                                                       std::to_string(options_.devices_per_gpu) +
                                                       " each, and a run needs at least one"});
  }
  return faults;
}

/// Neighbours are on different GPUs where there are several.
int CudaBackend::ordinal_of(std::size_t gpu) const { return static_cast<int>(gpu % gpu_count_); }

void CudaBackend::provide_devices(const core::Machine& machine) {
  std::size_t gpus = 0;
  for (const core::MemorySpace& space : machine.spec().spaces) gpus += space.is_host ? 0 : 1;
  if (submitters_.size() == gpus && spaces_ == machine.space_count()) return;
  graph_.forget();
  submitters_.clear();
  gpus_.clear();
  spaces_ = machine.space_count();
  std::vector<int> ordinals;
  for (std::size_t gpu = 0; gpu < gpus; ++gpu) {
    ordinals.push_back(ordinal_of(gpu));
    gpus_.push_back(std::make_unique<GpuStreams>(ordinals.back(),
                                                 std::max(1U, options_.compute_streams), spaces_));
  }
  for (std::size_t gpu = 0; gpu < gpus; ++gpu) {
    bool reaches_all = true;
    for (const int peer : ordinals) {
      if (peer != ordinals[gpu]) reaches_all &= enable_peer_access(ordinals[gpu], peer);
    }
    gpus_[gpu]->set_reaches_peers(reaches_all);
  }
  slabs_.use_gpus(std::move(ordinals));
  slots_.emplace(gpus);
  for (std::size_t gpu = 0; gpu < gpus; ++gpu) {
    submitters_.push_back(std::make_unique<Submitter>(static_cast<std::uint16_t>(gpu), *gpus_[gpu],
                                                      *slots_, slabs_, submitters_, a_gpu_failed_,
                                                      options_.writes_marks));
  }
}

/// Built-in kernels, and the program's own, compiled for the first device.
void CudaBackend::provide_kernels(const core::Program& program) {
  if (program.user_kernel_count() == 0) return;
  graph_.forget();  // their code goes with the registry
  device_kernels_ = DeviceKernelRegistry();
  host_kernels_ = kernels_of(program);
  check_cuda(cudaSetDevice(0), "choosing a GPU");
  const core::Faults faults = add_user_kernels(program, device_kernels_);
  if (!faults.empty()) throw EnvironmentFailure(faults.front().where + ": " + faults.front().what);
}

void CudaBackend::prepare(const core::Program& program, const core::Machine& machine,
                          const core::Engine& engine) {
  stop_threads();
  machine_ = &machine;
  provide_kernels(program);
  launcher_.emplace(program, machine, device_kernels_, slabs_);
  performer_.emplace(
      program, machine, host_kernels_,
      [this](core::SpaceId space, std::int64_t offset) { return slabs_.at(space, offset); }, true);
  provide_devices(machine);
  // Libraries take their memory before the slabs take the rest.
  for (const std::unique_ptr<GpuStreams>& gpu : gpus_) {
    gpu->provide(launcher_->uses_libraries(), [&](const LaunchContext& context, bool is_of_panel) {
      return launcher_->workspace_bytes(context, is_of_panel);
    });
  }
  slabs_.provide(machine, engine);
  refuse_groups_without_peers(program);
  pin_what_will_be_used(slabs_, program, machine, engine);
  if (!options_.uses_graph) return;
  std::uint64_t fingerprint = launcher_->fingerprint();
  for (std::size_t i = 0; i < machine.space_count(); ++i) {  // a slab may have moved
    fingerprint =
        fingerprint * 31 + reinterpret_cast<std::uintptr_t>(slabs_.at(core::SpaceId(i), 0));
  }
  for (const std::unique_ptr<GpuStreams>& gpu : gpus_) {
    for (std::uint32_t i = 0; i < gpu->launch_streams(); ++i) {
      fingerprint = fingerprint * 31 + reinterpret_cast<std::uintptr_t>(gpu->context(i).workspace);
    }
  }
  if (std::exchange(fingerprint_, fingerprint) != fingerprint) graph_.forget();
}

/// The kernel of a task on several GPUs runs on the first and reaches into the others.
void CudaBackend::refuse_groups_without_peers(const core::Program& program) const {
  const bool all_reach =
      std::ranges::all_of(gpus_, [](const auto& gpu) { return gpu->reaches_peers(); });
  if (all_reach) return;
  for (std::size_t i = 0; i < program.placement_count(); ++i) {
    for (const core::Alternative& alternative : program.placement(core::PlacementId(i))) {
      if (alternative.members.size() < 2) continue;
      throw EnvironmentFailure(
          "a task of a group needs GPUs that reach each other's memory; these do not");
    }
  }
}

void CudaBackend::write(core::SpaceId space, std::int64_t offset,
                        std::span<const std::byte> bytes) {
  if (slabs_.is_host(space)) {
    std::memcpy(slabs_.at(space, offset), bytes.data(), bytes.size());
    return;
  }
  check_cuda(cudaSetDevice(slabs_.ordinal_of(space)), "choosing a GPU");
  check_cuda(cudaMemcpy(slabs_.at(space, offset), bytes.data(), bytes.size(), cudaMemcpyDefault),
             "writing initial contents");
  // What comes from pageable memory may still be on its way, and our streams wait for no other.
  check_cuda(cudaStreamSynchronize(cudaStreamLegacy), "writing initial contents");
}

void CudaBackend::read(core::SpaceId space, std::int64_t offset, std::span<std::byte> bytes) {
  if (slabs_.is_host(space)) {
    std::memcpy(bytes.data(), slabs_.at(space, offset), bytes.size());
    return;
  }
  const auto read_here = [&] {
    check_cuda(cudaSetDevice(slabs_.ordinal_of(space)), "choosing a GPU");
    check_cuda(cudaMemcpy(bytes.data(), slabs_.at(space, offset), bytes.size(), cudaMemcpyDefault),
               "reading contents");
  };
  if (a_gpu_failed_) {
    on_new_thread(read_here);
  } else {
    read_here();
  }
}

// ---- the run ----

void CudaBackend::begin(bool is_timed) {
  stopped_.clear();
  batch_.clear();
  reported_.clear();
  has_failed_ = false;
  graph_time_ = core::Time(0);
  graph_.rewind();
  start_ = Clock::now();
  for (const std::unique_ptr<GpuStreams>& gpu : gpus_) {
    check_cuda(cudaSetDevice(gpu->ordinal()), "choosing a GPU");
    check_cuda(cudaDeviceSynchronize(), "waiting for initial contents");
  }
  if (options_.uses_graph) return;
  start_ = Clock::now();
  set_clocks(is_timed);
  try {
    start_threads(is_timed);
  } catch (...) {
    stop_threads();
    throw;
  }
  // Threads and clocks are there before a run, and no part of it.
  const core::Duration spent = now() - core::Time(0);
  for (const std::unique_ptr<StreamClock>& clock : clocks_) clock->postpone(spent);
  start_ += std::chrono::nanoseconds(spent.count());
  for (const std::unique_ptr<Submitter>& submitter : submitters_) submitter->serve_from_now();
}

/// The host's threads inherit the binding of the one that starts them.
void CudaBackend::start_threads(bool is_timed) {
  if (options_.binds_threads && processors_.size() != gpus_.size() + 1) {
    processors_ = spread(allowed_processors(), current_processor(), gpus_.size() + 1);
  }
  is_bound_ = !processors_.empty();
  for (std::size_t gpu = 0; gpu < gpus_.size(); ++gpu) {
    submitters_[gpu]->start(
        *launcher_, launcher_->program(), is_timed ? clocks_[gpu].get() : nullptr,
        [this] { return now(); }, is_bound_ ? std::optional(processors_[gpu + 1]) : std::nullopt);
  }
  for (const std::unique_ptr<Submitter>& submitter : submitters_) submitter->wait_until_ready();
  if (is_bound_) binding_ = ThreadBinding::to_others_than(processors_);
  host_commands_.emplace(*machine_, *slots_, *performer_, [this] { return now(); });
  if (!is_bound_) return;
  binding_ = ThreadBinding();  // as before
  binding_ = ThreadBinding::to(processors_.front());
  is_bound_ = binding_.is_bound();
}

void CudaBackend::set_clocks(bool is_timed) {
  clocks_.clear();
  if (!is_timed) return;
  for (const std::unique_ptr<GpuStreams>& gpu : gpus_) {
    check_cuda(cudaSetDevice(gpu->ordinal()), "choosing a GPU");
    clocks_.push_back(std::make_unique<StreamClock>());
    clocks_.back()->set(gpu->stream(0), [this] { return now(); });
  }
}

core::Time CudaBackend::now() const {
  if (options_.uses_graph) return graph_time_;
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start_);
  return core::Time(since.count());
}

/// The GPU that performs a command; -1: the host.
int CudaBackend::gpu_of(const StoredCommand& command) const {
  if (!command.is_copy) return launcher_->gpu_of(command);
  const int from = slabs_.gpu_of(command.from);
  return from >= 0 ? from : slabs_.gpu_of(command.to);
}

template <class Command>
void CudaBackend::submit_any(const Command& command) {
  if (options_.uses_graph) {
    batch_.emplace_back().assign(command);
    return;
  }
  Slot& slot = slots_->of(command.id);
  while (!slot.is_reported || slot.users.load(std::memory_order_acquire) != 0) take_ended();
  slot.command.assign(command);
  admit(slot);
}

/// Hands a command to the thread of its GPU. Of what it waits for only commands in flight are kept.
void CudaBackend::admit(Slot& slot) {
  const std::uint32_t index = CommandSlots::index_of(slot.command.id);
  slot.is_reported = false;
  slot.is_cancelled = false;
  slot.issue = core::Duration(0);
  slot.cause.clear();
  std::ranges::fill(slot.newest, 0);
  bool is_stopped = false;
  std::erase_if(slot.command.after, [&](core::CommandId id) {
    const Slot& earlier = slots_->of(id);
    if (earlier.command.id == id && !earlier.is_reported) return false;
    is_stopped = is_stopped || has_stopped(id);
    return true;
  });
  for (const core::CommandId id : slot.command.after) {
    slots_->of(id).users.fetch_add(1, std::memory_order_relaxed);
  }
  const int gpu = gpu_of(slot.command);
  slot.gpu = gpu < 0 ? Slot::kHost : static_cast<std::uint16_t>(gpu);
  if (is_stopped) {
    for (const core::CommandId id : slot.command.after) {
      slots_->of(id).users.fetch_sub(1, std::memory_order_relaxed);
    }
    slot.is_cancelled = true;
    slot.phase.store(Phase::kStopped, std::memory_order_release);
    ended_.push_back(index);
    return;
  }
  slot.phase.store(Phase::kPending, std::memory_order_release);
  if (gpu < 0) {
    host_commands_->add(index);
  } else {
    submitters_[static_cast<std::size_t>(gpu)]->push(index);
  }
}

void CudaBackend::flush() {
  if (!options_.uses_graph) {
    if (host_commands_) host_commands_->start_ready(ended_);
    return;
  }
  if (batch_.empty()) return;
  const GraphRun::Outcome outcome = graph_.perform(std::move(batch_), *launcher_, *performer_);
  batch_.clear();
  const core::Time start = graph_time_;
  graph_time_ = graph_time_ + outcome.duration;
  if (outcome.failure) a_gpu_failed_ = true;
  report_graph(outcome, start);
}

/// When a GPU has failed, so has every command that follows none of the same graph. What followed a
/// failed command of the host was carried out, and is worth nothing.
void CudaBackend::report_graph(const GraphRun::Outcome& outcome, core::Time start) {
  const auto failure_of = [&](core::CommandId id) -> std::optional<std::string> {
    if (outcome.failure) return outcome.failure;
    const auto failed = std::ranges::find(outcome.of_host, id, &GraphRun::HostFailure::command);
    if (failed == outcome.of_host.end()) return std::nullopt;
    return failed->cause;
  };
  const auto report_as = [&](Completion::Kind kind, core::CommandId id, std::string cause) {
    reported_.push_back({kind, id, start, graph_time_, std::move(cause)});
    if (kind != Completion::Kind::kDone) note_stopped(id);
  };
  for (const StoredCommand& command : *outcome.commands) {
    if (std::ranges::any_of(command.after, [this](auto id) { return has_stopped(id); })) {
      report_as(Completion::Kind::kCancelled, command.id, "");
    } else if (std::optional<std::string> cause = failure_of(command.id)) {
      report_as(Completion::Kind::kFailed, command.id, *std::move(cause));
    } else {
      report_as(Completion::Kind::kDone, command.id, "");
    }
  }
}

/// A command of this run that failed or was cancelled, and was reported.
bool CudaBackend::has_stopped(core::CommandId id) const {
  return id.index() < stopped_.size() && stopped_[id.index()] != 0;
}

void CudaBackend::note_stopped(core::CommandId id) {
  if (stopped_.size() <= id.index()) stopped_.resize(id.index() + 1, 0);
  stopped_[id.index()] = 1;
  has_failed_ = true;
}

std::vector<core::SpaceId> CudaBackend::lost_spaces() const {
  std::vector<core::SpaceId> lost;
  for (std::size_t i = 0; i < spaces_; ++i) {
    const core::SpaceId space(i);
    if (slabs_.is_host(space)) continue;
    const auto gpu = static_cast<std::size_t>(slabs_.gpu_of(space));
    if (gpus_[gpu]->is_lost()) lost.push_back(space);
  }
  return lost;
}

// ---- ends ----

void CudaBackend::take_ended() {
  std::uint32_t index = 0;
  for (const std::unique_ptr<Submitter>& submitter : submitters_) {
    while (submitter->pop_ended(index)) ended_.push_back(index);
  }
  if (host_commands_) {
    host_commands_->take_ended(ended_);
    host_commands_->start_ready(ended_);
  }
  report_ended();
}

/// Two GPUs are looked at one after the other, so that an end may be found before that of a command
/// which it waited for: it is then kept back.
void CudaBackend::report_ended() {
  bool has_reported = true;
  while (has_reported && !ended_.empty()) {
    has_reported = false;
    std::erase_if(ended_, [&](std::uint32_t index) {
      Slot& slot = slots_->at(index);
      for (const core::CommandId id : slot.command.after) {
        const Slot& earlier = slots_->of(id);
        if (earlier.command.id == id && !earlier.is_reported) return false;
      }
      report(slot);
      has_reported = true;
      return true;
    });
  }
}

void CudaBackend::report(Slot& slot) {
  slot.is_reported = true;
  auto kind = Completion::Kind::kDone;
  // What waited for something that stopped on another GPU did nothing useful, whatever its own
  // says.
  const bool follows = std::ranges::any_of(slot.command.after,
                                           [this](core::CommandId id) { return has_stopped(id); });
  if (follows) slot.is_cancelled = true;
  if (follows || slot.phase.load(std::memory_order_acquire) == Phase::kStopped) {
    kind = slot.is_cancelled ? Completion::Kind::kCancelled : Completion::Kind::kFailed;
    note_stopped(slot.command.id);
  }
  reported_.push_back({kind, slot.command.id, slot.start, slot.end, slot.cause, slot.issue});
}

void CudaBackend::collect(std::vector<Completion>& completions, bool waits) {
  constexpr auto kMostWait = std::chrono::milliseconds(20);
  constexpr auto kSpin = std::chrono::microseconds(200);
  if (!options_.uses_graph) {
    take_ended();
    const auto start = Clock::now();
    while (waits && reported_.empty()) {
      const auto waited = Clock::now() - start;
      if (waited > kMostWait) break;
      if (!is_bound_ || waited > kSpin) {
        std::this_thread::yield();
      } else {
        relax();
      }
      take_ended();
    }
  }
  for (Completion& completion : reported_) completions.push_back(std::move(completion));
  reported_.clear();
}

void CudaBackend::stop_threads() {
  for (const std::unique_ptr<Submitter>& submitter : submitters_) submitter->stop();
  host_commands_.reset();
  binding_ = ThreadBinding();
}

void CudaBackend::end() {
  stop_threads();
  if (has_failed_) return;  // a stream may wait for a GPU that is gone
  for (const std::unique_ptr<GpuStreams>& gpu : gpus_) {
    check_cuda(cudaSetDevice(gpu->ordinal()), "choosing a GPU");
    check_cuda(cudaDeviceSynchronize(), "waiting for the end");
  }
}

}  // namespace

core::Result<std::unique_ptr<Backend>> create_backend(const CudaOptions& options) {
  const core::Result<std::vector<Gpu>> gpus = find_gpus();
  if (!gpus) return gpus.faults();
  return std::unique_ptr<Backend>(std::make_unique<CudaBackend>(options, gpus->size()));
}

}  // namespace parley::exec::cuda
