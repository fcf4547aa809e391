#include "exec/calibrate/laboratory.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "core/base/check.h"
#include "exec/backend.h"

namespace parley::exec {
namespace {

using core::AccessMode;
using core::ArraySpec;
using core::Program;
using core::RegionView;

/// Throws what was refused.
template <class T>
T required(core::Result<T> result) {
  if (result) return std::move(*result);
  const core::Fault& fault = result.faults().front();
  throw EnvironmentFailure(fault.where.empty() ? fault.what : fault.where + ": " + fault.what);
}

core::Access access(RegionView view, AccessMode mode) {
  return {.region = view.region, .mode = mode, .member = 0, .view = view.view};
}

/// On that device only, and free of cost as far as policies are told.
core::TaskSpec task_on(const core::Machine& machine, core::DeviceId device,
                       std::vector<core::Access> accesses) {
  core::TaskSpec task;
  core::Alternative alternative;
  alternative.members = {machine.device(device).name};
  task.placement = {alternative};
  core::CostEntry cost;
  cost.stated = core::Duration(0);
  task.cost = {cost};
  task.accesses = std::move(accesses);
  return task;
}

/// With a kernel that does nothing.
void spawn_empty(Program& program, const core::Machine& machine, core::DeviceId device,
                 std::vector<core::Access> accesses) {
  core::TaskSpec task = task_on(machine, device, std::move(accesses));
  task.kernel = {{"spin", {{"ns", 0.0}}, {}}};
  required(program.spawn(std::move(task)));
}

RegionView add_array(Program& program, const std::string& name, std::vector<std::int64_t> shape,
                     core::DType dtype, core::Initial initial, const std::string& home) {
  ArraySpec spec;
  spec.name = name;
  spec.shape = std::move(shape);
  spec.dtype = dtype;
  spec.initial = std::move(initial);
  spec.homes = {home};
  return program.whole(required(program.add_array(std::move(spec))));
}

core::Initial zeros(core::DType dtype) {
  core::Initial initial;
  initial.kind = core::Initial::Kind::kFill;
  initial.data.resize(static_cast<std::size_t>(core::element_bytes(dtype)));
  return initial;
}

core::Initial random_values(std::uint64_t seed, double diagonal) {
  core::Initial initial;
  initial.kind = core::Initial::Kind::kRandom;
  initial.seed = seed << 30U;
  initial.diagonal = diagonal;
  return initial;
}

double seconds(core::Time time) { return static_cast<double>(time.ns()) * 1e-9; }

/// Tasks that do nothing where the data of each flow go, so that they are copied.
Program program_of_copies(const core::Machine& machine, const std::vector<CopyFlow>& flows,
                          std::int64_t bytes, std::size_t count) {
  Program program("copies");
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t f = 0; f < flows.size(); ++f) {
      // Within a space a part is copied out of what is there.
      const bool is_local = flows[f].from == flows[f].to;
      RegionView block = add_array(program, "B_" + std::to_string(f) + "_" + std::to_string(i),
                                   {is_local ? 2 * bytes : bytes}, core::DType::kUint8,
                                   zeros(core::DType::kUint8), machine.space(flows[f].from).name);
      if (is_local) {
        const core::Index half[] = {core::Slice{.start = 0, .stop = bytes, .step = {}}};
        block = required(program.slice(block, half));
      }
      core::TaskSpec task =
          task_on(machine, device_of(machine, flows[f].to), {access(block, AccessMode::kIn)});
      task.kernel = {{"none", {}, {}}};
      required(program.spawn(std::move(task)));
    }
  }
  return program;
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0.0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

core::DeviceId device_of(const core::Machine& machine, core::SpaceId space) {
  for (std::size_t d = 0; d < machine.device_count(); ++d) {
    if (machine.device(core::DeviceId(d)).space == space) return core::DeviceId(d);
  }
  return core::DeviceId::none();
}

core::EngineOptions Laboratory::plain_policies() {
  core::EngineOptions options;
  options.mapper = "round_robin";
  options.order = "fifo";
  options.prefetch = "none";
  return options;
}

core::RunRecord Laboratory::run(Program& program, std::uint32_t window, bool is_timed) const {
  required(program.close());
  core::EngineOptions options = policies_;
  options.window = window;
  return required(run_(program, machine_, options, is_timed));
}

std::vector<MeasuredCopy> Laboratory::copies(const std::vector<CopyFlow>& flows, std::int64_t bytes,
                                             std::size_t count, bool is_one_by_one) const {
  Program program = program_of_copies(machine_, flows, bytes, count);
  std::vector<MeasuredCopy> measured;
  for (const core::CopyRecord& copy : run(program, is_one_by_one ? 1 : 0, true).copies) {
    measured.push_back({{copy.from, copy.to},
                        static_cast<double>(copy.bytes.count()),
                        seconds(copy.start),
                        seconds(copy.end),
                        static_cast<double>(copy.issue.count()) * 1e-9});
  }
  return measured;
}

namespace {

/// Adds a chain of repetitions of a kernel to a program. An array of 0 bytes orders them and moves
/// nothing: two kernels at a time would share the device.
class KernelChain {
 public:
  KernelChain(Program& program, const core::Machine& machine, const KernelProbe& probe,
              core::DeviceId device, std::string name)
      : program_(program),
        machine_(machine),
        probe_(probe),
        device_(device),
        name_(std::move(name)),
        turn_(
            add_array(program, name_ + "_turn", {0}, core::DType::kUint8, core::Initial{}, "host")),
        shared_(probe.operands.size()) {}

  /// Something that keeps the device busy until all that follows is on its queue. A clock that
  /// starts on an idle device also counts the time until the kernel has been put there.
  static core::TaskId add_gate(Program& program, const core::Machine& machine,
                               core::DeviceId device, const std::vector<KernelChain>& chains,
                               double ns) {
    std::vector<core::Access> turns;
    for (const KernelChain& chain : chains) {
      turns.push_back(access(chain.turn_, AccessMode::kInout));
    }
    core::TaskSpec task = task_on(machine, device, std::move(turns));
    task.cost.clear();  // the kernel says
    task.kernel = {{"spin", {{"ns", ns}}, {}}};
    return required(program.spawn(std::move(task)));
  }

  core::TaskId add_repetition() {
    std::vector<core::Access> accesses;
    core::KernelCall call{probe_.kernel, probe_.parameters, {}};
    for (std::size_t i = 0; i < probe_.operands.size(); ++i) {
      if (is_first_ || probe_.operands[i].is_fresh) shared_[i] = make(probe_.operands[i]);
      accesses.push_back(access(shared_[i], probe_.operands[i].mode));
      call.arguments.push_back({false, static_cast<std::uint16_t>(i), {}});
    }
    is_first_ = false;
    accesses.push_back(access(turn_, AccessMode::kInout));
    core::TaskSpec task = task_on(machine_, device_, std::move(accesses));
    task.cost.clear();  // as the machine's kernel table says, where policies want to know
    task.kernel = {std::move(call)};
    return required(program_.spawn(std::move(task)));
  }

 private:
  RegionView make(const KernelProbe::Operand& operand) {
    const std::uint64_t number = arrays_++;
    return add_array(
        program_, name_ + "_" + std::to_string(number), operand.shape, probe_.dtype,
        operand.is_random ? random_values(number, operand.diagonal) : zeros(probe_.dtype),
        machine_.space(machine_.device(device_).space).name);
  }

  Program& program_;
  const core::Machine& machine_;
  const KernelProbe& probe_;
  core::DeviceId device_;
  std::string name_;
  RegionView turn_;
  std::vector<RegionView> shared_;
  std::uint64_t arrays_ = 0;
  bool is_first_ = true;
};

}  // namespace

namespace {

// Longer than it takes to issue some calls of hundreds of kernels.
constexpr double kGateNs = 3e6;
constexpr std::size_t kMostQueued = 128;

}  // namespace

Laboratory::TimedKernel Laboratory::timed_kernel(const KernelProbe& probe, core::DeviceId device,
                                                 std::size_t repetitions) const {
  Program program(probe.kernel);
  std::vector<KernelChain> chains;
  KernelChain& chain = chains.emplace_back(program, machine_, probe, device, "x");
  const bool is_on_host = machine_.space(machine_.device(device).space).is_host;
  const core::TaskId warm_up = chain.add_repetition();  // loads code, too
  const core::TaskId gate =
      is_on_host ? warm_up : KernelChain::add_gate(program, machine_, device, chains, kGateNs);
  for (std::size_t i = 1; i < repetitions; ++i) chain.add_repetition();
  std::map<core::TaskId, const core::TaskRecord*> records;
  const auto window = static_cast<std::uint32_t>(std::min(repetitions + 1, kMostQueued));
  const core::RunRecord record = run(program, window, true);
  for (const core::TaskRecord& task : record.tasks) records[task.task] = &task;
  TimedKernel timed;
  for (const auto& [id, task] : records) {
    if (id == warm_up || id == gate) continue;
    timed.durations.push_back(seconds(task->end) - seconds(task->start));
    timed.issues.push_back(static_cast<double>(task->issue.count()) * 1e-9);
  }
  return timed;
}

std::vector<std::vector<core::TaskRecord>> Laboratory::run_together(
    const std::vector<Chain>& chains, core::DeviceId device) const {
  constexpr double kLongestGateNs = 5e7;
  std::size_t longest = 0;
  for (const Chain& chain : chains) longest = std::max(longest, chain.count);
  std::vector<std::vector<core::TaskRecord>> records;
  for (double gate_ns = kGateNs; gate_ns <= kLongestGateNs;) {
    Program program(chains.front().probe->kernel);
    std::vector<KernelChain> all;
    for (const Chain& chain : chains) {
      all.emplace_back(program, machine_, *chain.probe, device, "x" + std::to_string(all.size()));
      all.back().add_repetition();  // loads code, too
    }
    KernelChain::add_gate(program, machine_, device, all, gate_ns);
    std::map<core::TaskId, std::size_t> chain_of;
    for (std::size_t i = 0; i < longest; ++i) {
      for (std::size_t c = 0; c < all.size(); ++c) {
        if (i < chains[c].count) chain_of[all[c].add_repetition()] = c;
      }
    }
    records.assign(chains.size(), {});
    double issuing = 0.0;
    for (const core::TaskRecord& task : run(program, kMostQueued, true).tasks) {
      const auto found = chain_of.find(task.task);
      if (found == chain_of.end()) continue;
      records[found->second].push_back(task);
      issuing += static_cast<double>(task.issue.count()) * 1e-9;
    }
    const double needed = std::ceil(1.5e9 * issuing);
    if (needed <= gate_ns) break;
    gate_ns = needed;
  }
  for (std::vector<core::TaskRecord>& chain : records) {
    std::ranges::sort(chain, {}, &core::TaskRecord::start);
  }
  return records;
}

double Laboratory::kernels_together(const KernelProbe& probe, core::DeviceId device,
                                    std::size_t chains) const {
  const auto records = run_together(std::vector<Chain>(chains, {&probe, kTogether}), device);
  double start = std::numeric_limits<double>::infinity(), end = 0.0;
  for (const std::vector<core::TaskRecord>& chain : records) {
    for (const core::TaskRecord& task : chain) {
      start = std::min(start, seconds(task.start));
      end = std::max(end, seconds(task.end));
    }
  }
  return std::max(0.0, end - start) / static_cast<double>(chains * kTogether);
}

Laboratory::Periods Laboratory::kernels_beside(const KernelProbe& first, std::size_t count_of_first,
                                               const KernelProbe& second,
                                               std::size_t count_of_second,
                                               core::DeviceId device) const {
  const auto records = run_together({{&first, count_of_first}, {&second, count_of_second}}, device);
  if (records[0].empty() || records[1].empty()) return {};
  const core::Time from = std::max(records[0].front().start, records[1].front().start);
  const core::Time to = std::min(records[0].back().end, records[1].back().end);
  const auto period = [&](const std::vector<core::TaskRecord>& chain) {
    std::size_t count = 0;
    core::Time start, end;
    for (const core::TaskRecord& task : chain) {
      if (task.start < from || task.end > to) continue;
      if (count++ == 0) start = task.start;
      end = task.end;
    }
    return count == 0
               ? 0.0
               : static_cast<double>((end - start).count()) * 1e-9 / static_cast<double>(count);
  };
  return {period(records[0]), period(records[1])};
}

std::vector<double> Laboratory::issues_among(const std::vector<KernelProbe>& probes,
                                             core::DeviceId device,
                                             std::size_t repetitions) const {
  std::vector<Chain> chains;
  for (const KernelProbe& probe : probes) chains.push_back({&probe, repetitions});
  std::vector<double> issues;
  for (const std::vector<core::TaskRecord>& chain : run_together(chains, device)) {
    std::vector<double> of_chain;
    for (const core::TaskRecord& task : chain) {
      of_chain.push_back(static_cast<double>(task.issue.count()) * 1e-9);
    }
    issues.push_back(median(std::move(of_chain)));
  }
  return issues;
}

core::RunRecord Laboratory::run_empty_tasks(EmptyTasks kind, core::DeviceId device,
                                            std::size_t count, std::uint32_t window) const {
  Program program("empty tasks");
  const std::string& space = machine_.space(machine_.device(device).space).name;
  RegionView data;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<core::Access> accesses;
    if (kind == EmptyTasks::kCopies || (kind == EmptyTasks::kChain && i == 0)) {
      data = add_array(program, "x_" + std::to_string(i), {8}, core::DType::kUint8,
                       zeros(core::DType::kUint8), kind == EmptyTasks::kChain ? space : "host");
    }
    if (kind == EmptyTasks::kCopies) accesses.push_back(access(data, AccessMode::kIn));
    if (kind == EmptyTasks::kChain) accesses.push_back(access(data, AccessMode::kInout));
    spawn_empty(program, machine_, device, std::move(accesses));
  }
  return run(program, window, false);
}

double Laboratory::task(EmptyTasks kind, core::DeviceId device, std::size_t count,
                        std::uint32_t window) const {
  return seconds(run_empty_tasks(kind, device, count, window).makespan) /
         static_cast<double>(count);
}

double Laboratory::deciding(core::DeviceId device, std::size_t count, std::uint32_t window) const {
  const core::RunRecord record = run_empty_tasks(EmptyTasks::kCopies, device, count, window);
  return record.commands == 0
             ? 0.0
             : seconds(core::Time(0) + record.deciding) / static_cast<double>(record.commands);
}

double Laboratory::gathering(core::DeviceId device, std::size_t count, std::int64_t slices,
                             std::int64_t read) const {
  constexpr std::int64_t kBytes = 64;
  constexpr std::size_t kAhead = 8;  // no stream waits for what was written so long ago
  Program program("gathering");
  std::vector<RegionView> arrays;
  const auto part = [&](std::size_t i, std::int64_t start, std::int64_t stop) {
    const core::Index index[] = {
        core::Slice{.start = start * kBytes, .stop = stop * kBytes, .step = {}}};
    return required(program.slice(arrays[i], index));
  };
  const auto spawn = [&](core::Access on) { spawn_empty(program, machine_, device, {on}); };
  for (std::size_t i = 0; i < count + kAhead; ++i) {
    if (i < count) {
      arrays.push_back(add_array(program, "x_" + std::to_string(i), {slices * kBytes},
                                 core::DType::kUint8, zeros(core::DType::kUint8), "host"));
      for (std::int64_t s = 0; s < slices; ++s) {
        spawn(access(part(i, s, s + 1), AccessMode::kOut));
      }
    }
    if (i >= kAhead) spawn(access(part(i - kAhead, 0, read), AccessMode::kIn));
  }
  return seconds(run(program, 64, false).makespan) / static_cast<double>(count);
}

double Laboratory::exchange(core::DeviceId a, core::DeviceId b, std::size_t count,
                            std::uint32_t window) const {
  Program program("exchange");
  for (std::size_t i = 0; i < count; ++i) {
    const core::DeviceId here = i % 2 == 0 ? a : b, there = i % 2 == 0 ? b : a;
    const RegionView data =
        add_array(program, "x_" + std::to_string(i), {8}, core::DType::kUint8,
                  zeros(core::DType::kUint8), machine_.space(machine_.device(there).space).name);
    spawn_empty(program, machine_, here, {access(data, AccessMode::kIn)});
  }
  return 2.0 * seconds(run(program, window, false).makespan) / static_cast<double>(count);
}

double Laboratory::task_on_any(const std::vector<core::DeviceId>& devices, std::size_t count,
                               std::uint32_t window, double spin_ns) const {
  Program program("empty tasks");
  for (std::size_t i = 0; i < count; ++i) {
    core::TaskSpec task = task_on(machine_, devices[i % devices.size()], {});
    task.cost.clear();  // the kernel says
    task.kernel = {{"spin", {{"ns", spin_ns}}, {}}};
    required(program.spawn(std::move(task)));
  }
  return seconds(run(program, window, false).makespan) / static_cast<double>(count);
}

double Laboratory::copy_period(CopyFlow flow, std::int64_t bytes) const {
  constexpr std::size_t kFew = 6, kMore = 22;
  const auto time_of = [&](std::size_t count) {
    double least = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 3; ++i) {  // others can only lengthen it
      Program program = program_of_copies(machine_, {flow}, bytes, count);
      least = std::min(least, seconds(run(program, 0, false).makespan));
    }
    return least;
  };
  return std::max(0.0, time_of(kMore) - time_of(kFew)) / static_cast<double>(kMore - kFew);
}

double Laboratory::hop(core::DeviceId a, core::DeviceId b, std::int64_t bytes,
                       std::size_t count) const {
  Program program("to and fro");
  const RegionView data =
      add_array(program, "x", {bytes}, core::DType::kUint8, zeros(core::DType::kUint8),
                machine_.space(machine_.device(a).space).name);
  for (std::size_t i = 0; i < count; ++i) {
    spawn_empty(program, machine_, i % 2 == 0 ? a : b, {access(data, AccessMode::kInout)});
  }
  // The first task finds its data where it is.
  return seconds(run(program, 64, false).makespan) / static_cast<double>(count - 1);
}

}  // namespace parley::exec
