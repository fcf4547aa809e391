#include "exec/cuda/task_launcher.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/base/check.h"
#include "core/machine/cost_model.h"
#include "core/memory/arena.h"
#include "exec/backend.h"
#include "exec/task_kernel.h"

namespace parley::exec::cuda {
namespace {

/// Whether an alternative can only run on a CPU.
bool is_for_cpu(const core::Alternative& alternative) {
  return std::ranges::all_of(alternative.members, [](const std::string& member) {
    return member == "cpu" || member.starts_with("cpu:");
  });
}

void check_kernel(const core::Kernel& kernel, const DeviceKernelRegistry& kernels,
                  std::set<std::string>& missing) {
  for (const core::KernelCall& call : kernel) {
    if (kernels.find(call.name) == nullptr) missing.insert(call.name);
  }
}

core::ArgumentMode argument_mode(core::AccessMode mode) {
  switch (mode) {
    case core::AccessMode::kIn:
      return core::ArgumentMode::kRead;
    case core::AccessMode::kOut:
      return core::ArgumentMode::kWrite;
    case core::AccessMode::kInout:
      break;
  }
  return core::ArgumentMode::kReadWrite;
}

bool is_of_library(const core::KernelCall& call) {
  const core::KernelSignature* signature = core::find_kernel(call.name);
  if (signature == nullptr) return true;  // a user's own: it may want them
  switch (signature->shapes) {
    case core::ShapeRule::kAny:
    case core::ShapeRule::kElementwise:
    case core::ShapeRule::kReduction:
    case core::ShapeRule::kStencil:
      return false;
    case core::ShapeRule::kGemm:
    case core::ShapeRule::kSyrk:
    case core::ShapeRule::kTrsm:
    case core::ShapeRule::kSquare:
      break;
  }
  return true;
}

}  // namespace

core::Faults TaskLauncher::check(const core::Program& program,
                                 const DeviceKernelRegistry& kernels) {
  std::set<std::string> missing;
  for (std::size_t i = 0; i < program.task_count(); ++i) {
    const core::Task& task = program.task(core::TaskId(i));
    for (const core::Alternative& alternative : program.placement(task.placement)) {
      if (is_for_cpu(alternative)) continue;
      const core::Kernel& kernel =
          alternative.kernel ? *alternative.kernel : program.kernel(task.kernel);
      check_kernel(kernel, kernels, missing);
    }
  }
  core::Faults faults;
  for (const std::string& name : missing) {
    faults.push_back({"kernel " + name, "has no body for GPUs; place its tasks on \"cpu\""});
  }
  return faults;
}

TaskLauncher::TaskLauncher(const core::Program& program, const core::Machine& machine,
                           const DeviceKernelRegistry& kernels, CudaSlabs& slabs)
    : program_(&program),
      machine_(&machine),
      kernels_(&kernels),
      slabs_(&slabs),
      spin_(kernels.find("spin")),
      hash_mix_(kernels.find("hash_mix")) {
  PARLEY_CHECK(spin_ != nullptr && hash_mix_ != nullptr, "spin and hash_mix have device bodies");
  for (std::size_t i = 0; i < program.kernel_count(); ++i) {
    calls_.push_back({});
    resolve(program.kernel(core::KernelId(i)), calls_.back());
  }
  for (std::size_t i = 0; i < program.placement_count(); ++i) {
    std::vector<Calls>& all = alternative_calls_.emplace_back();
    for (const core::Alternative& alternative : program.placement(core::PlacementId(i))) {
      all.emplace_back();
      if (alternative.kernel) resolve(*alternative.kernel, all.back());
    }
  }
  const auto note_libraries = [this](const Calls& calls) {
    for (const auto& [call, kernel] : calls.calls) {
      uses_libraries_ = uses_libraries_ || is_of_library(*call);
    }
  };
  for (const Calls& calls : calls_) note_libraries(calls);
  for (const std::vector<Calls>& all : alternative_calls_) {
    for (const Calls& calls : all) note_libraries(calls);
  }
  find_spin_times(machine);
}

void TaskLauncher::resolve(const core::Kernel& kernel, Calls& calls) const {
  calls.spins = kernel.empty();
  for (const core::KernelCall& call : kernel) {
    if (call.name == "spin") calls.spins = true;
    calls.calls.emplace_back(&call, kernels_->find(call.name));
    calls.is_of_panel = calls.is_of_panel || core::is_of_panel(call);
  }
}

/// How long tasks spin that do: looked up once for all that agree in cost, placement and operand.
void TaskLauncher::find_spin_times(const core::Machine& machine) {
  std::map<
      std::tuple<std::size_t, std::size_t, std::size_t, std::uint16_t, std::size_t, std::int64_t>,
      std::uint32_t>
      known;
  const auto spin_of = [](core::Duration duration) {
    return core::KernelCall{"spin", {{"ns", static_cast<double>(duration.count())}}, {}};
  };
  spin_calls_.assign(1, spin_of(core::Duration(0)));
  first_spin_.resize(program_->task_count());
  for (std::size_t i = 0; i < program_->task_count(); ++i) {
    first_spin_[core::TaskId(i)] = static_cast<std::uint32_t>(spins_.size());
    spins_.resize(spins_.size() +
                  program_->placement(program_->task(core::TaskId(i)).placement).size());
  }
  const auto gpu = std::ranges::find_if(machine.spec().devices, [&](const core::Device& device) {
    return !machine.space(device.space).is_host;
  });
  if (gpu == machine.spec().devices.end()) return;
  const core::DeviceId device(static_cast<std::size_t>(gpu - machine.spec().devices.begin()));
  for (std::size_t i = 0; i < program_->task_count(); ++i) {
    const core::TaskId id(i);
    const core::Task& task = program_->task(id);
    if (task.kind != core::TaskKind::kCompute) continue;
    std::size_t dtype = 0;
    std::int64_t bytes = 0;
    for (const core::Access& access : program_->accesses(id)) {
      const core::Region& region = program_->region(access.region);
      bytes = bytes * 31 + region.bytes.count();
      dtype = dtype * 31 + static_cast<std::size_t>(program_->array(region.array).spec.dtype);
    }
    const std::size_t alternatives = program_->placement(task.placement).size();
    for (std::uint16_t a = 0; a < alternatives; ++a) {
      if (!calls_of(id, a).spins) continue;
      const auto [at, is_new] = known.try_emplace(
          {task.cost.index(), task.placement.index(), task.kernel.index(), a, dtype, bytes}, 0);
      if (is_new) {
        const auto duration =
            core::task_duration(*program_, machine, id, a, device, core::WhichCost::kTrue);
        if (duration.value_or(core::Duration(0)) > core::Duration(0)) {
          at->second = static_cast<std::uint32_t>(spin_calls_.size());
          spin_calls_.push_back(spin_of(*duration));
        }
      }
      spins_[first_spin_[id] + a] = at->second;
    }
  }
}

const TaskLauncher::Calls& TaskLauncher::calls_of(core::TaskId task,
                                                  std::uint16_t alternative) const {
  const core::Task& described = program_->task(task);
  const core::Alternative& chosen = program_->placement(described.placement)[alternative];
  return chosen.kernel ? alternative_calls_[described.placement.index()][alternative]
                       : calls_[described.kernel];
}

namespace {

// FNV-1a over words and texts.
class Fingerprint {
 public:
  void add(std::uint64_t word) { value_ = (value_ ^ word) * 0x100000001b3U; }
  void add(std::string_view text) {
    for (const char c : text) add(static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
    add(text.size());
  }
  void add(double number) { add(std::bit_cast<std::uint64_t>(number)); }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

void add_call(Fingerprint& print, const core::KernelCall& call) {
  print.add(std::string_view(call.name));
  for (const auto& [name, value] : call.parameters) {
    print.add(std::string_view(name));
    print.add(value);
  }
  for (const core::KernelArgument& argument : call.arguments) {
    print.add(static_cast<std::uint64_t>(argument.is_scratch) << 32U | argument.index);
    print.add(static_cast<std::uint64_t>(argument.view.dropped) << 8U | argument.view.flipped);
  }
}

}  // namespace

std::uint64_t TaskLauncher::fingerprint() const {
  Fingerprint print;
  for (std::size_t i = 0; i < program_->task_count(); ++i) {
    const core::TaskId id(i);
    const core::Task& task = program_->task(id);
    print.add(program_->task_name(id));  // tasks without a kernel hash it
    for (std::uint16_t a = 0; a < program_->placement(task.placement).size(); ++a) {
      add_call(print, spin_calls_[spins_[first_spin_[id] + a]]);
      for (const core::ScratchArray& array : program_->placement(task.placement)[a].scratch) {
        print.add(static_cast<std::uint64_t>(array.dtype));
        for (const std::int64_t extent : array.shape) print.add(static_cast<std::uint64_t>(extent));
      }
      for (const auto& [call, kernel] : calls_of(id, a).calls) add_call(print, *call);
    }
    for (const core::Access& access : program_->accesses(id)) {
      const core::Region& region = program_->region(access.region);
      print.add(static_cast<std::uint64_t>(program_->array(region.array).spec.dtype) << 8U |
                static_cast<std::uint64_t>(access.mode));
      for (const core::Range& range : region.box.ranges()) {
        print.add(static_cast<std::uint64_t>(range.start));
        print.add(static_cast<std::uint64_t>(range.step));
        print.add(static_cast<std::uint64_t>(range.count));
      }
    }
  }
  return print.value();
}

// ---- operands ----

DeviceOperand TaskLauncher::operand(const core::KernelArgument& argument,
                                    const StoredCommand& command, bool is_home_view) const {
  const core::Access& access = program_->accesses(command.task)[argument.index];
  const core::Region& region = program_->region(access.region);
  DeviceOperand seen;
  seen.dtype = program_->array(region.array).spec.dtype;
  seen.mode = argument_mode(access.mode);
  std::array<std::int64_t, core::Box::kMaxRank> strides{};
  const std::size_t rank = region.box.rank();
  if (!command.operands.empty()) {
    const core::OperandBinding& binding = command.operands[argument.index];
    is_home_view = binding.is_home_view;
    if (region.bytes.count() > 0) {
      seen.data = slabs_->at(binding.space, binding.offset.count());
    }
  }
  core::operand_strides(*program_, access.region, is_home_view, std::span(strides).first(rank));
  for (std::size_t dim = 0; dim < rank; ++dim) {
    const unsigned bit = 1U << dim;
    if ((argument.view.dropped & bit) != 0) continue;
    const std::int64_t count = region.box[dim].count;
    const bool is_flipped = (argument.view.flipped & bit) != 0;
    seen.shape[seen.rank] = count;
    seen.strides[seen.rank] = is_flipped ? -strides[dim] : strides[dim];
    if (is_flipped && count > 0 && seen.data != nullptr) seen.data += strides[dim] * (count - 1);
    ++seen.rank;
  }
  return seen;
}

DeviceOperand TaskLauncher::scratch(std::uint16_t index, const StoredCommand& command) const {
  const core::Task& task = program_->task(command.task);
  const auto& arrays = program_->placement(task.placement)[command.alternative].scratch;
  DeviceOperand seen;
  std::int64_t offset = 0;
  for (std::uint16_t i = 0; i <= index; ++i) {
    const core::ScratchArray& array = arrays[i];
    std::int64_t bytes = core::element_bytes(array.dtype);
    for (const std::int64_t extent : array.shape) bytes *= extent;
    if (i < index) {
      offset += core::Arena::rounded(core::Bytes(bytes)).count();
      continue;
    }
    seen.dtype = array.dtype;
    seen.rank = static_cast<std::uint32_t>(array.shape.size());
    std::int64_t stride = core::element_bytes(array.dtype);
    for (std::size_t dim = array.shape.size(); dim-- > 0;) {
      seen.shape[dim] = array.shape[dim];
      seen.strides[dim] = stride;
      stride *= array.shape[dim];
    }
  }
  if (!command.scratch_offsets.empty()) {
    const core::SpaceId space = machine_->device(command.devices.front()).space;
    seen.data = slabs_->at(space, command.scratch_offsets.front().count() + offset);
  }
  return seen;
}

int TaskLauncher::gpu_of(const StoredCommand& command) const {
  for (const core::DeviceId device : command.devices) {
    const int gpu = slabs_->gpu_of(machine_->device(device).space);
    if (gpu >= 0) return gpu;
  }
  return -1;
}

void TaskLauncher::pin_host_operands(const StoredCommand& command) const {
  const std::span<const core::Access> accesses = program_->accesses(command.task);
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    const core::OperandBinding& binding = command.operands[i];
    const core::Region& region = program_->region(accesses[i].region);
    if (!slabs_->is_host(binding.space) || region.bytes.count() == 0) continue;
    std::array<std::int64_t, core::Box::kMaxRank> strides{};
    core::operand_strides(*program_, accesses[i].region, binding.is_home_view,
                          std::span(strides).first(region.box.rank()));
    std::int64_t extent = program_->array(region.array).element_bytes;
    for (std::size_t dim = 0; dim < region.box.rank(); ++dim) {
      extent += (region.box[dim].count - 1) * strides[dim];
    }
    slabs_->pin(binding.offset.count(), extent);
  }
  const core::SpaceId first = machine_->device(command.devices.front()).space;
  if (!slabs_->is_host(first)) return;
  const core::Placement& placement = program_->placement(program_->task(command.task).placement);
  std::int64_t bytes = 0;
  for (const core::ScratchArray& array : placement[command.alternative].scratch) {
    std::int64_t size = core::element_bytes(array.dtype);
    for (const std::int64_t extent : array.shape) size *= extent;
    bytes += core::Arena::rounded(core::Bytes(size)).count();
  }
  slabs_->pin(command.scratch_offsets.front().count(), bytes);
}

// ---- launching ----

/// What one call asks for; calls that agree in kernel and operands ask for the same.
std::size_t TaskLauncher::workspace_of(const core::KernelCall& call, const DeviceKernel* kernel,
                                       const StoredCommand& command, bool is_home_view,
                                       const LaunchContext& context, Asked& asked) const {
  if (kernel == nullptr || !kernel->workspace_bytes) return 0;
  std::vector<DeviceOperand> operands;
  std::vector<std::int64_t> key;
  for (const core::KernelArgument& argument : call.arguments) {
    operands.push_back(argument.is_scratch ? scratch(argument.index, command)
                                           : operand(argument, command, is_home_view));
    const DeviceOperand& seen = operands.back();
    key.push_back(static_cast<std::int64_t>(seen.dtype));
    key.insert(key.end(), seen.shape, seen.shape + seen.rank);
    key.insert(key.end(), seen.strides, seen.strides + seen.rank);
  }
  if (!asked.emplace(call.name, call.parameters, std::move(key)).second) return 0;
  return kernel->workspace_bytes(call, operands, context);
}

std::size_t TaskLauncher::workspace_bytes(const LaunchContext& context, bool is_of_panel) const {
  Asked asked;
  std::size_t most = 0;
  for (std::size_t i = 0; i < program_->task_count(); ++i) {
    const core::Task& task = program_->task(core::TaskId(i));
    if (task.kind != core::TaskKind::kCompute) continue;
    StoredCommand command;
    command.task = core::TaskId(i);
    const std::size_t alternatives = program_->placement(task.placement).size();
    for (std::uint16_t alternative = 0; alternative < alternatives; ++alternative) {
      command.alternative = alternative;
      const Calls& calls = calls_of(command.task, alternative);
      if (calls.is_of_panel != is_of_panel) continue;
      core::KernelCall hash = hash_of_all(*program_, command.task);
      hash.parameters.clear();  // the seed is each task's own, and needs no room
      // A member of a group may be the host, whose operands lie within whole arrays.
      const bool is_group = program_->placement(task.placement)[alternative].members.size() > 1;
      for (const bool is_home_view : {false, true}) {
        if (is_home_view && !is_group) continue;
        for (const auto& [call, kernel] : calls.calls) {
          most = std::max(most, workspace_of(*call, kernel, command, is_home_view, context, asked));
        }
        if (!calls.calls.empty()) continue;
        most = std::max(most, workspace_of(hash, hash_mix_, command, is_home_view, context, asked));
      }
    }
  }
  return most;
}

void TaskLauncher::call(const core::KernelCall& call, const DeviceKernel& kernel,
                        const StoredCommand& command, const LaunchContext& context) const {
  constexpr std::size_t kInline = 8;
  std::array<DeviceOperand, kInline> few;
  thread_local std::vector<DeviceOperand> many;
  const std::size_t count = call.arguments.size();
  if (count > kInline) many.assign(count, {});
  DeviceOperand* operands = count > kInline ? many.data() : few.data();
  for (std::size_t i = 0; i < count; ++i) {
    const core::KernelArgument& argument = call.arguments[i];
    operands[i] =
        argument.is_scratch ? scratch(argument.index, command) : operand(argument, command);
  }
  kernel.launch(call, {operands, count}, context);
}

void TaskLauncher::launch(const StoredCommand& command, const LaunchContext& context) const {
  if (command.devices.size() > 1) pin_host_operands(command);
  const Calls& calls = calls_of(command.task, command.alternative);
  const std::uint32_t spin = spins_[first_spin_[command.task] + command.alternative];
  if (calls.calls.empty()) {  // a task without a kernel takes its time, then hashes
    if (spin != 0) spin_->launch(spin_calls_[spin], {}, context);
    thread_local core::KernelCall hash;  // its memory is used again
    hash_of_all(*program_, command.task, hash);
    call(hash, *hash_mix_, command, context);
    return;
  }
  for (const auto& [given, kernel] : calls.calls) {
    if (kernel == spin_) {  // as long as it says, else as the task's cost
      const bool says = core::parameter_of(*given, "ns").has_value();
      spin_->launch(says ? *given : spin_calls_[spin], {}, context);
    } else {
      call(*given, *kernel, command, context);
    }
  }
}

}  // namespace parley::exec::cuda
