#include "workloads/program_builder.h"

#include "core/base/check.h"

namespace parley::workloads {

core::Access in(core::RegionView view) {
  return {.region = view.region, .mode = core::AccessMode::kIn, .member = 0, .view = view.view};
}

core::Access out(core::RegionView view) {
  return {.region = view.region, .mode = core::AccessMode::kOut, .member = 0, .view = view.view};
}

core::Access inout(core::RegionView view) {
  return {.region = view.region, .mode = core::AccessMode::kInout, .member = 0, .view = view.view};
}

core::Access access(core::RegionView view, core::AccessMode mode) {
  return {.region = view.region, .mode = mode, .member = 0, .view = view.view};
}

core::KernelCall kernel_call(std::string name, std::initializer_list<std::size_t> operands,
                             std::vector<std::pair<std::string, double>> parameters) {
  core::KernelCall call;
  call.name = std::move(name);
  call.parameters = std::move(parameters);
  call.arguments.reserve(operands.size());
  for (const std::size_t operand : operands) {
    core::KernelArgument argument;
    argument.index = static_cast<std::uint16_t>(operand);
    call.arguments.push_back(argument);
  }
  return call;
}

core::Cost stated_cost(core::Duration duration) {
  core::CostEntry entry;
  entry.stated = duration;
  return {entry};
}

core::Cost work_cost(double flops, double bytes) {
  core::CostEntry entry;
  entry.flops = flops;
  entry.bytes = bytes;
  return {entry};
}

core::Placement on(std::string device_or_class) {
  core::Alternative alternative;
  alternative.members.push_back(std::move(device_or_class));
  return {alternative};
}

core::Placement on_gpu(std::int64_t number) { return on("gpu:" + std::to_string(number)); }

core::Initial random_contents(std::uint64_t seed, double diagonal) {
  core::Initial initial;
  initial.kind = core::Initial::Kind::kRandom;
  initial.seed = seed;
  initial.diagonal = diagonal;
  return initial;
}

core::Initial zero_contents(core::DType dtype) {
  core::Initial initial;
  initial.kind = core::Initial::Kind::kFill;
  initial.data.assign(static_cast<std::size_t>(core::element_bytes(dtype)), std::byte{0});
  return initial;
}

core::Slice range(std::int64_t start, std::int64_t stop) {
  return {.start = start, .stop = stop, .step = std::nullopt};
}

std::string indexed_name(const std::string& name, std::initializer_list<std::int64_t> index) {
  std::string text = name + "[";
  for (const std::int64_t i : index) {
    if (text.back() != '[') text += ',';
    text += std::to_string(i);
  }
  return text + "]";
}

ProgramBuilder::ProgramBuilder(std::string name, std::string description)
    : program_(std::move(name)) {
  program_.description = std::move(description);
}

core::RegionView ProgramBuilder::add_array(std::string name, std::vector<std::int64_t> shape,
                                           core::DType dtype, core::Initial initial,
                                           std::string home) {
  if (!faults_.empty()) return {};
  core::ArraySpec spec;
  spec.name = std::move(name);
  spec.shape = std::move(shape);
  spec.dtype = dtype;
  spec.initial = std::move(initial);
  spec.homes = {std::move(home)};
  const core::Result<core::ArrayId> id = program_.add_array(std::move(spec));
  if (id) return program_.whole(*id);
  faults_ = id.faults();
  return {};
}

core::RegionView ProgramBuilder::add_block(std::string name, std::int64_t bytes, std::string home) {
  // Seeds far apart: element e of a block is drawn from seed + e.
  const std::uint64_t seed = ++blocks_ << 24U;
  return add_array(std::move(name), {bytes}, core::DType::kUint8, random_contents(seed),
                   std::move(home));
}

std::vector<core::RegionView> ProgramBuilder::add_blocks(const std::string& name,
                                                         std::int64_t count, std::int64_t bytes) {
  std::vector<core::RegionView> blocks;
  blocks.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    blocks.push_back(add_block(name + "_" + std::to_string(i), bytes));
  }
  return blocks;
}

core::RegionView ProgramBuilder::slice(core::RegionView base,
                                       std::initializer_list<core::Index> indices) {
  if (!faults_.empty()) return {};
  const core::Result<core::RegionView> view =
      program_.slice(base, std::span<const core::Index>(indices.begin(), indices.size()));
  PARLEY_CHECK(view.has_value(), "a generator slices out of bounds: " + view.faults()[0].what);
  return *view;
}

void ProgramBuilder::refuse(core::Fault fault) {
  if (faults_.empty()) faults_.push_back(std::move(fault));
}

void ProgramBuilder::set_factorization(core::Factorization factorization) {
  if (!faults_.empty()) return;
  core::Result<bool> set = program_.set_factorization(std::move(factorization));
  if (!set) faults_ = set.faults();
}

void ProgramBuilder::spawn(core::TaskSpec task) {
  if (!faults_.empty()) return;
  const core::Result<core::TaskId> id = program_.spawn(std::move(task));
  PARLEY_CHECK(id.has_value(), "a generator's task is refused: " + id.faults()[0].where + ": " +
                                   id.faults()[0].what);
}

void ProgramBuilder::spawn(const TaskFamily& family, std::initializer_list<std::int64_t> index,
                           std::vector<core::Access> accesses, core::Placement placement,
                           std::int64_t priority) {
  if (!faults_.empty()) return;
  core::TaskSpec task;
  task.name = indexed_name(family.name, index);
  task.accesses = std::move(accesses);
  task.placement = std::move(placement);
  task.cost = family.cost;
  task.kernel = family.kernel;
  task.priority = static_cast<std::int32_t>(priority);
  spawn(std::move(task));
}

core::Result<core::Program> ProgramBuilder::finish() && {
  if (faults_.empty()) {
    const core::Result<bool> closed = program_.close();
    if (!closed) faults_ = closed.faults();
  }
  if (!faults_.empty()) return std::move(faults_);
  return std::move(program_);
}

}  // namespace parley::workloads
