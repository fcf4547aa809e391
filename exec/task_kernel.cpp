#include "exec/task_kernel.h"

#include <stdexcept>
#include <string>

#include "core/base/check.h"
#include "exec/strided.h"

namespace parley::exec {
namespace {

using core::AccessMode;
using core::ArgumentMode;
using core::KernelCall;

ArgumentMode argument_mode(AccessMode mode) {
  switch (mode) {
    case AccessMode::kIn:
      return ArgumentMode::kRead;
    case AccessMode::kOut:
      return ArgumentMode::kWrite;
    case AccessMode::kInout:
      break;
  }
  return ArgumentMode::kReadWrite;
}

// FNV-1a of the name, cut to the 53 bits that a parameter holds exactly.
double seed_of(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return static_cast<double>(hash >> 11U);
}

struct TaskRun {
  const KernelRegistry& registry;
  const core::Program& program;
  core::TaskId task;
  const core::Alternative& alternative;
  std::span<const OperandMemory> operands;
  std::span<std::byte* const> scratch;

  [[nodiscard]] HostOperand argument(const core::KernelArgument& argument) const {
    if (argument.is_scratch) {
      const core::ScratchArray& array = alternative.scratch[argument.index];
      return {scratch[argument.index], array.dtype, array.shape,
              compact_strides(array.shape, core::element_bytes(array.dtype)),
              ArgumentMode::kReadWrite};
    }
    const core::Access& access = program.accesses(task)[argument.index];
    HostOperand seen =
        seen_operand(program, access.region, argument.view, operands[argument.index]);
    seen.mode = argument_mode(access.mode);
    return seen;
  }

  void operator()(const KernelCall& call) const {
    const HostKernel* kernel = registry.find(call.name);
    if (kernel == nullptr) {
      throw std::invalid_argument("kernel " + call.name + " has no body for the host");
    }
    std::vector<HostOperand> arguments;
    std::vector<std::vector<std::int64_t>> shapes;
    for (const core::KernelArgument& given : call.arguments) {
      arguments.push_back(argument(given));
      shapes.push_back(arguments.back().shape);
    }
    if (const auto fault = core::shape_fault(call, shapes)) {
      throw std::invalid_argument(std::string(program.task_name(task)) + ": " + call.name + ": " +
                                  *fault);
    }
    (*kernel)(call, arguments);
  }
};

}  // namespace

const core::Kernel& kernel_of(const core::Program& program, core::TaskId task,
                              std::uint16_t alternative) {
  const core::Task& described = program.task(task);
  const core::Alternative& chosen = program.placement(described.placement)[alternative];
  return chosen.kernel ? *chosen.kernel : program.kernel(described.kernel);
}

core::KernelCall hash_of_all(const core::Program& program, core::TaskId task) {
  core::KernelCall call;
  hash_of_all(program, task, call);
  return call;
}

void hash_of_all(const core::Program& program, core::TaskId task, core::KernelCall& call) {
  call.name = "hash_mix";
  call.parameters.resize(1);
  call.parameters.front() = {"seed", seed_of(program.task_name(task))};
  call.arguments.resize(program.accesses(task).size());
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    call.arguments[i] = {false, static_cast<std::uint16_t>(i), {}};
  }
}

HostOperand seen_operand(const core::Program& program, core::RegionId region,
                         core::OperandView view, const OperandMemory& memory) {
  const core::Box& box = program.region(region).box;
  HostOperand seen;
  seen.data = memory.data;
  seen.dtype = program.array(program.region(region).array).spec.dtype;
  for (std::size_t dim = 0; dim < box.rank(); ++dim) {
    const unsigned bit = 1U << dim;
    if ((view.dropped & bit) != 0) continue;
    const bool is_flipped = (view.flipped & bit) != 0;
    seen.shape.push_back(box[dim].count);
    seen.strides.push_back(is_flipped ? -memory.strides[dim] : memory.strides[dim]);
    if (is_flipped && box[dim].count > 0) seen.data += memory.strides[dim] * (box[dim].count - 1);
  }
  return seen;
}

void run_task(const KernelRegistry& registry, const core::Program& program, core::TaskId task,
              std::uint16_t alternative, std::span<const OperandMemory> operands,
              std::span<std::byte* const> scratch) {
  PARLEY_CHECK(operands.size() == program.accesses(task).size(), "one place for each operand");
  const core::Placement& placement = program.placement(program.task(task).placement);
  const core::Alternative& chosen = placement[alternative];
  PARLEY_CHECK(scratch.size() == chosen.scratch.size(), "one place for each scratch array");
  const core::Kernel& kernel = kernel_of(program, task, alternative);
  const TaskRun run{registry, program, task, chosen, operands, scratch};
  if (kernel.empty()) {
    run(hash_of_all(program, task));
    return;
  }
  for (const KernelCall& call : kernel) run(call);
}

}  // namespace parley::exec
