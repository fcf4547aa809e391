#include "exec/calibrate/laboratory.h"

#include <algorithm>
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

core::RunRecord Laboratory::run(Program& program, std::uint32_t window, bool is_timed) const {
  required(program.close());
  core::EngineOptions options;
  options.mapper = "round_robin";
  options.order = "fifo";
  options.prefetch = "none";
  options.window = window;
  return required(run_(program, machine_, options, is_timed));
}

std::vector<MeasuredCopy> Laboratory::copies(const std::vector<CopyFlow>& flows, std::int64_t bytes,
                                             std::size_t count, bool is_one_by_one) const {
  Program program("copies");
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t f = 0; f < flows.size(); ++f) {
      const RegionView block = add_array(
          program, "B_" + std::to_string(f) + "_" + std::to_string(i), {bytes}, core::DType::kUint8,
          zeros(core::DType::kUint8), machine_.space(flows[f].from).name);
      core::TaskSpec task =
          task_on(machine_, device_of(machine_, flows[f].to), {access(block, AccessMode::kIn)});
      task.kernel = {{"none", {}, {}}};
      required(program.spawn(std::move(task)));
    }
  }
  std::vector<MeasuredCopy> measured;
  for (const core::CopyRecord& copy : run(program, is_one_by_one ? 1 : 0, true).copies) {
    measured.push_back({{copy.from, copy.to},
                        static_cast<double>(copy.bytes.count()),
                        seconds(copy.start),
                        seconds(copy.end)});
  }
  return measured;
}

std::vector<double> Laboratory::kernel(const KernelProbe& probe, core::DeviceId device,
                                       std::size_t repetitions) const {
  Program program(probe.kernel);
  const std::string& space = machine_.space(machine_.device(device).space).name;
  std::vector<RegionView> shared(probe.operands.size());
  std::uint64_t arrays = 0;
  const auto make = [&](std::size_t i) {
    const KernelProbe::Operand& operand = probe.operands[i];
    const std::uint64_t number = arrays++;
    return add_array(program, "x_" + std::to_string(number), operand.shape, probe.dtype,
                     random_values(number, operand.diagonal), space);
  };
  // An array of 0 bytes orders tasks and moves nothing: two kernels at a time would share the
  // device.
  const RegionView turn =
      add_array(program, "turn", {0}, core::DType::kUint8, core::Initial{}, "host");
  for (std::size_t repetition = 0; repetition < repetitions; ++repetition) {
    std::vector<core::Access> accesses;
    core::KernelCall call{probe.kernel, probe.parameters, {}};
    for (std::size_t i = 0; i < probe.operands.size(); ++i) {
      if (repetition == 0 || probe.operands[i].is_fresh) shared[i] = make(i);
      accesses.push_back(access(shared[i], probe.operands[i].mode));
      call.arguments.push_back({false, static_cast<std::uint16_t>(i), {}});
    }
    accesses.push_back(access(turn, AccessMode::kInout));
    core::TaskSpec task = task_on(machine_, device, std::move(accesses));
    task.cost.clear();  // as the machine's kernel table says, where policies want to know
    task.kernel = {std::move(call)};
    required(program.spawn(std::move(task)));
  }
  std::map<core::TaskId, double> durations;
  for (const core::TaskRecord& task : run(program, 4, true).tasks) {
    durations[task.task] = seconds(task.end) - seconds(task.start);
  }
  std::vector<double> listed;
  for (const auto& [task, duration] : durations) {
    if (task.index() > 0) listed.push_back(duration);
  }
  return listed;
}

double Laboratory::task(EmptyTasks kind, core::DeviceId device, std::size_t count,
                        std::uint32_t window) const {
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
    core::TaskSpec task = task_on(machine_, device, std::move(accesses));
    task.kernel = {{"spin", {{"ns", 0.0}}, {}}};
    required(program.spawn(std::move(task)));
  }
  return seconds(run(program, window, false).makespan) / static_cast<double>(count);
}

}  // namespace parley::exec
