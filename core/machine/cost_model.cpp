#include "core/machine/cost_model.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace parley::core {
namespace {

constexpr double kNsPerSecond = 1e9;

Duration rounded(double ns) {
  const auto longest = static_cast<double>(kTooLong.count());
  return Duration(std::llround(std::min(ns, longest)));
}

// ---- roofline ----

/// The dtype whose rate stands in where a device states none for `dtype`; nothing beyond these.
std::optional<DType> stand_in(DType dtype) {
  switch (dtype) {
    case DType::kComplex128:
    case DType::kInt64:
    case DType::kUint64:
      return DType::kFloat64;
    case DType::kBfloat16:
      return DType::kFloat16;
    case DType::kFloat16:
    case DType::kComplex64:
    case DType::kBool:
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kUint8:
    case DType::kUint16:
    case DType::kUint32:
      return DType::kFloat32;
    case DType::kFloat32:
      return DType::kFloat64;
    case DType::kFloat64:
      return std::nullopt;
  }
  return std::nullopt;
}

/// 0 when the device states no rate that fits.
double flops_per_s(const Device& device, DType dtype) {
  for (std::optional<DType> type = dtype; type; type = stand_in(*type)) {
    const auto rate = device.flops_per_s.find(std::string(name_of(*type)));
    if (rate != device.flops_per_s.end()) return rate->second;
  }
  return 0.0;
}

/// Of the first operand written, else of the first, else float64.
DType dtype_of(const Program& program, TaskId task) {
  const auto accesses = program.accesses(task);
  if (accesses.empty()) return DType::kFloat64;
  const auto written = std::find_if(accesses.begin(), accesses.end(),
                                    [](const Access& access) { return writes(access.mode); });
  const Access& access = written == accesses.end() ? accesses.front() : *written;
  return program.array(program.region(access.region).array).spec.dtype;
}

std::optional<Duration> roofline(const CostEntry& cost, const Device& device, DType dtype) {
  const double flops_rate = flops_per_s(device, dtype);
  const bool has_flops = cost.flops > 0.0 && flops_rate > 0.0;
  const bool has_bytes = cost.bytes > 0.0 && device.bytes_per_s > 0.0;
  if (!has_flops && !has_bytes && (cost.flops > 0.0 || cost.bytes > 0.0)) return std::nullopt;
  const double seconds = std::max(has_flops ? cost.flops / flops_rate : 0.0,
                                  has_bytes ? cost.bytes / device.bytes_per_s : 0.0);
  return device.launch + rounded(seconds * kNsPerSecond);
}

/// The rates that roofline() wants and the device does not state.
std::string missing_rates(const CostEntry& cost, const Device& device, DType dtype) {
  std::string missing;
  if (cost.flops > 0.0 && flops_per_s(device, dtype) <= 0.0) {
    missing = "flops_per_s for " + std::string(name_of(dtype));
  }
  if (cost.bytes > 0.0 && device.bytes_per_s <= 0.0) {
    missing += missing.empty() ? "bytes_per_s" : " and no bytes_per_s";
  }
  return missing;
}

const CostEntry* entry_for(const Cost& cost, const Device& device) {
  const CostEntry* found = nullptr;
  int best = -1;
  for (const CostEntry& entry : cost) {
    const int rank = entry.on == device.name           ? 2
                     : entry.on == device.device_class ? 1
                     : entry.on.empty()                ? 0
                                                       : -1;
    if (rank <= best) continue;
    best = rank;
    found = &entry;
  }
  return found;
}

// ---- kernel table ----

using Points = std::vector<std::pair<std::int64_t, Duration>>;

/// Power of the size with which a kernel's work grows.
double growth(ShapeRule rule) {
  switch (rule) {
    case ShapeRule::kGemm:
    case ShapeRule::kSyrk:
    case ShapeRule::kTrsm:
    case ShapeRule::kSquare:
      return 3.0;
    case ShapeRule::kAny:
    case ShapeRule::kElementwise:
    case ShapeRule::kReduction:
    case ShapeRule::kStencil:
      return 1.0;
  }
  return 1.0;
}

/// KernelTable says how. Requires: sizes positive and ascending, at least one point.
Duration interpolated(const Points& points, std::int64_t size, ShapeRule rule) {
  if (size <= points.front().first) return points.front().second;
  const auto next =
      std::lower_bound(points.begin(), points.end(), size,
                       [](const auto& point, std::int64_t n) { return point.first < n; });
  const auto n = static_cast<double>(size);
  if (next == points.end()) {
    const double ratio = n / static_cast<double>(points.back().first);
    return rounded(static_cast<double>(points.back().second.count()) *
                   std::pow(ratio, growth(rule)));
  }
  const auto& [low_size, low] = *(next - 1);
  const auto& [high_size, high] = *next;
  if (high_size == size) return high;
  const auto low_ns = static_cast<double>(std::max<std::int64_t>(low.count(), 1));
  const auto high_ns = static_cast<double>(std::max<std::int64_t>(high.count(), 1));
  const double share = std::log(n / static_cast<double>(low_size)) /
                       std::log(static_cast<double>(high_size) / static_cast<double>(low_size));
  return rounded(low_ns * std::pow(high_ns / low_ns, share));
}

/// The table's points for the kernel; the device's name counts before its class. Null: none.
template <class Table>
auto find_points(const Table& table, const std::string& kernel, const Device& device, DType dtype)
    -> const typename Table::mapped_type::mapped_type::mapped_type* {
  const auto by_device = table.find(kernel);
  if (by_device == table.end()) return nullptr;
  for (const std::string* on : {&device.name, &device.device_class}) {
    const auto by_dtype = by_device->second.find(*on);
    if (by_dtype == by_device->second.end()) continue;
    const auto points = by_dtype->second.find(std::string(name_of(dtype)));
    if (points != by_dtype->second.end()) return &points->second;
  }
  return nullptr;
}

/// Extents as the kernel sees them: without the dimensions that an integer index removes.
std::vector<std::int64_t> seen_shape(const Program& program, const Access& access,
                                     OperandView view) {
  std::vector<std::int64_t> shape;
  const Box& box = program.region(access.region).box;
  for (std::size_t dim = 0; dim < box.rank(); ++dim) {
    const bool is_dropped = ((static_cast<unsigned>(view.dropped) >> dim) & 1U) != 0U;
    if (!is_dropped) shape.push_back(box[dim].count);
  }
  return shape;
}

/// Bytes that the task reads, plus bytes that it writes.
std::int64_t bytes_touched(const Program& program, TaskId task) {
  std::int64_t bytes = 0;
  for (const Access& access : program.accesses(task)) {
    const std::int64_t of_region = program.region(access.region).bytes.count();
    bytes += of_region * ((reads(access.mode) ? 1 : 0) + (writes(access.mode) ? 1 : 0));
  }
  return bytes;
}

/// Hashing goes element by element: bytes take longer than numbers.
DType hashed_as(const Program& program, TaskId task) {
  return element_bytes(dtype_of(program, task)) < 4 ? DType::kUint8 : DType::kFloat64;
}

/// What a call is looked up by.
struct TableKey {
  const KernelSignature* signature = nullptr;
  DType dtype = DType::kFloat64;
  std::int64_t size = 0;
};

std::optional<TableKey> table_key(const Program& program, TaskId task,
                                  const Alternative* alternative, const KernelCall& call) {
  TableKey key;
  key.signature = find_kernel(call.name);
  if (key.signature == nullptr) return std::nullopt;
  std::vector<std::vector<std::int64_t>> shapes;
  for (const KernelArgument& argument : call.arguments) {
    if (argument.is_scratch) {
      if (alternative == nullptr) return std::nullopt;
      const ScratchArray& scratch = alternative->scratch[argument.index];
      shapes.push_back(scratch.shape);
      key.dtype = scratch.dtype;
    } else {
      const Access& access = program.accesses(task)[argument.index];
      shapes.push_back(seen_shape(program, access, argument.view));
      key.dtype = program.array(program.region(access.region).array).spec.dtype;
    }
  }
  key.size = kernel_table_size(*key.signature, shapes);
  // What is done to bytes, and what is done to nothing: whatever the operands are.
  if (call.name == "hash_mix") {
    key = {key.signature, hashed_as(program, task), bytes_touched(program, task)};
  }
  if (call.name == "spin") key = {key.signature, DType::kFloat64, 1};
  return key;
}

std::optional<Duration> call_duration(const Program& program, const Machine& machine, TaskId task,
                                      const Alternative* alternative, const Device& device,
                                      const KernelCall& call) {
  if (call.name == "none") return Duration(0);
  const std::optional<double> spins = call.name == "spin" ? parameter_of(call, "ns") : std::nullopt;
  if (spins) return rounded(*spins);
  const auto key = table_key(program, task, alternative, call);
  if (!key || key->signature->size_meaning.empty()) return std::nullopt;
  const Points* points = find_points(machine.spec().kernels, call.name, device, key->dtype);
  if (points == nullptr) return std::nullopt;
  return interpolated(*points, key->size, key->signature->shapes);
}

/// The alternative's, else the task's; null when there is none, or an empty one.
const Kernel* kernel_of(const Program& program, TaskId task, const Alternative* alternative) {
  const KernelId of_task = program.task(task).kernel;
  const Kernel* kernel = nullptr;
  if (alternative != nullptr && alternative->kernel) {
    kernel = &*alternative->kernel;
  } else if (!of_task.is_none()) {
    kernel = &program.kernel(of_task);
  }
  return kernel == nullptr || kernel->empty() ? nullptr : kernel;
}

const Alternative* alternative_of(const Program& program, TaskId task, std::size_t index) {
  const Placement& placement = program.placement(program.task(task).placement);
  return index < placement.size() ? &placement[index] : nullptr;
}

/// Linear between the logarithms of two sizes.
KernelShare interpolated_share(const std::vector<std::pair<std::int64_t, KernelShare>>& points,
                               std::int64_t size) {
  if (size <= points.front().first) return points.front().second;
  if (size >= points.back().first) return points.back().second;
  const auto next =
      std::lower_bound(points.begin(), points.end(), size,
                       [](const auto& point, std::int64_t n) { return point.first < n; });
  const auto& [low_size, low] = *(next - 1);
  const auto& [high_size, high] = *next;
  const double part = std::log(static_cast<double>(size) / static_cast<double>(low_size)) /
                      std::log(static_cast<double>(high_size) / static_cast<double>(low_size));
  return {low.of_all + part * (high.of_all - low.of_all),
          low.of_two + part * (high.of_two - low.of_two)};
}

std::optional<Duration> kernel_duration(const Program& program, const Machine& machine, TaskId task,
                                        const Alternative* alternative, const Device& device) {
  const Kernel* kernel = kernel_of(program, task, alternative);
  if (kernel == nullptr) return std::nullopt;
  Duration sum;
  for (const KernelCall& call : *kernel) {
    const auto duration = call_duration(program, machine, task, alternative, device, call);
    if (!duration) return std::nullopt;
    sum += *duration;
  }
  return sum;
}

/// What policies are told instead of the true cost, or nothing.
const Cost* expected_cost_of(const Program& program, const Task& task,
                             const Alternative* alternative) {
  if (alternative != nullptr && alternative->expected_cost) return &*alternative->expected_cost;
  return task.expected_cost.is_none() ? nullptr : &program.cost(task.expected_cost);
}

const Cost* true_cost_of(const Program& program, const Task& task, const Alternative* alternative) {
  if (alternative != nullptr && alternative->cost) return &*alternative->cost;
  return task.cost.is_none() ? nullptr : &program.cost(task.cost);
}

}  // namespace

std::optional<Duration> task_duration(const Program& program, const Machine& machine, TaskId id,
                                      std::size_t alternative_index, DeviceId device_id,
                                      WhichCost which) {
  const Task& task = program.task(id);
  if (task.kind == TaskKind::kEvict) return Duration(0);
  const Alternative* alternative = alternative_of(program, id, alternative_index);
  const Device& device = machine.device(device_id);
  const Cost* told =
      which == WhichCost::kExpected ? expected_cost_of(program, task, alternative) : nullptr;
  const Cost* cost = told != nullptr ? told : true_cost_of(program, task, alternative);
  const CostEntry* entry = cost == nullptr ? nullptr : entry_for(*cost, device);
  if (entry != nullptr && entry->stated) return entry->stated;
  if (told == nullptr || entry == nullptr) {
    const auto measured = kernel_duration(program, machine, id, alternative, device);
    if (measured || entry == nullptr) return measured;
  }
  return roofline(*entry, device, dtype_of(program, id));
}

std::string cost_gap(const Program& program, const Machine& machine, TaskId id,
                     std::size_t alternative_index, DeviceId device_id, bool as_executed) {
  const Task& task = program.task(id);
  if (task.kind == TaskKind::kEvict) return "";
  const Alternative* alternative = alternative_of(program, id, alternative_index);
  const Device& device = machine.device(device_id);
  const Cost* cost = true_cost_of(program, task, alternative);
  const CostEntry* entry = cost == nullptr ? nullptr : entry_for(*cost, device);
  if (entry != nullptr && entry->stated) return "";
  if (kernel_duration(program, machine, id, alternative, device)) return "";
  if (entry != nullptr) {
    const std::string missing = missing_rates(*entry, device, dtype_of(program, id));
    return missing.empty() ? "" : device.name + " states no " + missing;
  }
  const Kernel* kernel = kernel_of(program, id, alternative);
  if (kernel == nullptr) {
    const bool is_timed = as_executed && executed_extra(program, machine, id, alternative_index,
                                                        device_id) > Duration(0);
    return is_timed ? "" : "the task states none for " + device.name + ", and has no kernel";
  }
  for (const KernelCall& call : *kernel) {
    if (call_duration(program, machine, id, alternative, device, call)) continue;
    const auto key = table_key(program, id, alternative, call);
    return "the machine's kernel table has no \"" + call.name + "\"" +
           (key ? " of " + std::string(name_of(key->dtype)) : "") + " on " + device.name;
  }
  return "";
}

Duration executed_extra(const Program& program, const Machine& machine, TaskId task,
                        std::size_t alternative, DeviceId device_id) {
  const Device& device = machine.device(device_id);
  const Kernel* kernel = kernel_of(program, task, alternative_of(program, task, alternative));
  if (kernel != nullptr) {
    const bool spins =
        std::ranges::any_of(*kernel, [](const KernelCall& call) { return call.name == "spin"; });
    return spins ? device.launch : Duration(0);
  }
  const Points* points =
      find_points(machine.spec().kernels, "hash_mix", device, hashed_as(program, task));
  if (points == nullptr) return Duration(0);
  return device.launch + interpolated(*points, bytes_touched(program, task), ShapeRule::kAny);
}

Duration issue_extra(const Program& program, const Machine& machine, TaskId task,
                     std::size_t alternative_index, DeviceId device, bool as_executed) {
  const KernelTable& table = machine.spec().issue;
  const Alternative* alternative = alternative_of(program, task, alternative_index);
  Duration sum(0);
  if (table.empty()) return sum;
  const Kernel* kernel = kernel_of(program, task, alternative);
  if (kernel == nullptr) {
    const Points* points =
        find_points(table, "hash_mix", machine.device(device), hashed_as(program, task));
    if (!as_executed || points == nullptr) return sum;
    const std::int64_t bytes = std::min(bytes_touched(program, task), points->back().first);
    return interpolated(*points, bytes, ShapeRule::kAny);
  }
  for (const KernelCall& call : *kernel) {
    const auto key = table_key(program, task, alternative, call);
    if (!key || key->signature->size_meaning.empty()) continue;
    const Points* points = find_points(table, call.name, machine.device(device), key->dtype);
    // Beyond the last size as that: the number of launches does not grow with the work.
    if (points == nullptr) continue;
    sum += interpolated(*points, std::min(key->size, points->back().first), ShapeRule::kAny);
  }
  return sum;
}

std::string kernel_names(const Program& program, TaskId task, std::size_t alternative) {
  const Kernel* kernel = kernel_of(program, task, alternative_of(program, task, alternative));
  std::string names;
  if (kernel == nullptr) return names;
  for (const KernelCall& call : *kernel) names += (names.empty() ? "" : " ") + call.name;
  return names;
}

bool is_of_panel(const Program& program, TaskId task, std::size_t alternative) {
  const Kernel* kernel = kernel_of(program, task, alternative_of(program, task, alternative));
  return kernel != nullptr &&
         std::ranges::any_of(*kernel, [](const KernelCall& call) { return is_of_panel(call); });
}

KernelShare kernel_share(const Program& program, const Machine& machine, TaskId task,
                         std::size_t alternative_index, DeviceId device, bool as_executed) {
  const KernelShares& shares = machine.spec().shares;
  const Alternative* alternative = alternative_of(program, task, alternative_index);
  const double whole = alternative == nullptr ? 1.0 : alternative->milli_vcus / 1000.0;
  if (shares.empty()) return whole;
  const Kernel* kernel = kernel_of(program, task, alternative);
  const auto share_of = [&](const std::string& name, DType dtype, std::int64_t size) {
    const auto* points = find_points(shares, name, machine.device(device), dtype);
    return points == nullptr ? KernelShare(whole) : interpolated_share(*points, size);
  };
  if (kernel == nullptr) {
    if (!as_executed) return whole;
    const auto cost =
        task_duration(program, machine, task, alternative_index, device, WhichCost::kTrue);
    const auto spins = static_cast<double>(cost.value_or(Duration(0)).count());
    const auto hashes = static_cast<double>(
        executed_extra(program, machine, task, alternative_index, device).count());
    if (spins + hashes <= 0.0) return whole;
    const KernelShare spin = share_of("spin", DType::kFloat64, 1);
    const KernelShare hash =
        share_of("hash_mix", hashed_as(program, task), bytes_touched(program, task));
    const auto mean = [&](double of_spin, double of_hash) {
      return (spins * of_spin + hashes * of_hash) / (spins + hashes);
    };
    return {mean(spin.of_all, hash.of_all), mean(spin.of_two, hash.of_two)};
  }
  KernelShare most = 0.0;
  for (const KernelCall& call : *kernel) {
    if (call.name == "none") continue;
    const auto key = table_key(program, task, alternative, call);
    const KernelShare next = key ? share_of(call.name, key->dtype, key->size) : KernelShare(whole);
    most = {std::max(most.of_all, next.of_all), std::max(most.of_two, next.of_two)};
  }
  return most;
}

namespace {

/// Durations by kernel, with what each can use of the device.
using TimedShares = std::vector<std::pair<Duration, KernelShare>>;

std::vector<KernelPhase> phases_of(const TimedShares& kernels) {
  double sum = 0.0;
  for (const auto& [duration, share] : kernels) sum += static_cast<double>(duration.count());
  if (kernels.size() < 2 || sum <= 0.0) return {};
  std::vector<KernelPhase> phases;
  for (const auto& [duration, share] : kernels) {
    phases.push_back({static_cast<double>(duration.count()) / sum, share});
  }
  return phases;
}

}  // namespace

std::vector<KernelPhase> kernel_phases(const Program& program, const Machine& machine, TaskId task,
                                       std::size_t alternative_index, DeviceId device,
                                       bool as_executed) {
  const KernelShares& shares = machine.spec().shares;
  const Alternative* alternative = alternative_of(program, task, alternative_index);
  if (shares.empty()) return {};
  const double whole = alternative == nullptr ? 1.0 : alternative->milli_vcus / 1000.0;
  const auto share_of = [&](const std::string& name, DType dtype, std::int64_t size) {
    const auto* points = find_points(shares, name, machine.device(device), dtype);
    return points == nullptr ? KernelShare(whole) : interpolated_share(*points, size);
  };
  TimedShares kernels;
  const Kernel* kernel = kernel_of(program, task, alternative);
  if (kernel == nullptr) {
    if (!as_executed) return {};
    const auto cost =
        task_duration(program, machine, task, alternative_index, device, WhichCost::kTrue);
    const Duration start = machine.device(device).launch;
    const Duration extra = executed_extra(program, machine, task, alternative_index, device);
    kernels.emplace_back(cost.value_or(Duration(0)) + std::min(start, extra),
                         share_of("spin", DType::kFloat64, 1));
    kernels.emplace_back(
        extra - std::min(start, extra),
        share_of("hash_mix", hashed_as(program, task), bytes_touched(program, task)));
    return phases_of(kernels);
  }
  for (const KernelCall& call : *kernel) {
    const auto duration =
        call_duration(program, machine, task, alternative, machine.device(device), call);
    const auto key = table_key(program, task, alternative, call);
    if (!duration || !key) return {};
    kernels.emplace_back(*duration, share_of(call.name, key->dtype, key->size));
  }
  return phases_of(kernels);
}

double kernel_load(const Program& program, const Machine& machine, TaskId task,
                   std::size_t alternative_index, DeviceId device_id, Duration duration) {
  const Device& device = machine.device(device_id);
  const Alternative* alternative = alternative_of(program, task, alternative_index);
  const Kernel* kernel = kernel_of(program, task, alternative);
  const bool is_idle = kernel != nullptr && std::ranges::all_of(*kernel, [](const auto& call) {
                         return call.name == "spin" || call.name == "none";
                       });
  if (is_idle) return 0.0;
  const Cost* cost = true_cost_of(program, program.task(task), alternative);
  const CostEntry* entry = cost == nullptr ? nullptr : entry_for(*cost, device);
  if (entry == nullptr || entry->stated) return 1.0;
  const double rate = flops_per_s(device, dtype_of(program, task));
  if (rate <= 0.0 || duration <= Duration(0)) return 1.0;
  const double seconds = static_cast<double>(duration.count()) / kNsPerSecond;
  return std::clamp(entry->flops / (seconds * rate), 0.0, 1.0);
}

}  // namespace parley::core
