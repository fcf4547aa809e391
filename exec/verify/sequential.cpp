#include "exec/verify/sequential.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "core/base/check.h"
#include "core/graph/task_graph.h"
#include "exec/current_task.h"
#include "exec/strided.h"
#include "exec/task_kernel.h"

namespace parley::exec {
namespace {

using core::ArrayId;
using core::RegionId;
using core::TaskId;

std::vector<std::int64_t> strides_of(const core::Program& program, RegionId region,
                                     bool is_in_whole_array) {
  std::vector<std::int64_t> strides(program.region(region).box.rank());
  core::operand_strides(program, region, is_in_whole_array, strides);
  return strides;
}

// Calls move(element in the array, element in the compact buffer, bytes) for each of the region's.
template <class Move>
void for_each_pair(const core::Program& program, RegionId region, const std::byte* in_array,
                   const std::byte* compact, Move&& move) {
  if (program.region(region).bytes.count() == 0) return;
  // An operand has one kind of address; `move` writes only to the side that its caller may write.
  const HostOperand whole = seen_operand(
      program, region, {}, {const_cast<std::byte*>(in_array), strides_of(program, region, true)});
  const HostOperand buffer = seen_operand(
      program, region, {}, {const_cast<std::byte*>(compact), strides_of(program, region, false)});
  const auto bytes = static_cast<std::size_t>(core::element_bytes(whole.dtype));
  for_each_element<2>({&whole, &buffer}, [&](const auto& at) { move(at[0], at[1], bytes); });
}

void gather(const core::Program& program, RegionId region, const std::byte* in_array,
            std::byte* compact) {
  for_each_pair(program, region, in_array, compact,
                [](const std::byte* source, std::byte* target, std::size_t bytes) {
                  std::memcpy(target, source, bytes);
                });
}

void scatter(const core::Program& program, RegionId region, std::byte* in_array,
             const std::byte* compact) {
  for_each_pair(program, region, in_array, compact,
                [](std::byte* target, const std::byte* source, std::size_t bytes) {
                  std::memcpy(target, source, bytes);
                });
}

// A buffer aligned for any element.
struct Buffer {
  std::vector<std::max_align_t> storage;
  std::size_t bytes = 0;

  explicit Buffer(std::int64_t size)
      : storage((static_cast<std::size_t>(size) + sizeof(std::max_align_t) - 1) /
                sizeof(std::max_align_t)),
        bytes(static_cast<std::size_t>(size)) {
    if (!storage.empty()) {
      std::memset(storage.data(), std::to_integer<int>(SequentialExecution::kUndefined),
                  storage.size() * sizeof(std::max_align_t));
    }
  }
  std::byte* data() { return reinterpret_cast<std::byte*>(storage.data()); }
};

std::string hexadecimal(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    std::array<char, 4> digits{};
    std::snprintf(digits.data(), digits.size(), " %02x", std::to_integer<unsigned>(byte));
    text += digits.data();
  }
  return text;
}

}  // namespace

std::vector<TaskId> sequential_order(const core::Program& program) {
  if (program.mode() == core::DependencyMode::kExplicit) {
    const core::TaskGraph graph(program);
    const std::span<const TaskId> order = graph.topological_order();
    PARLEY_CHECK(order.size() == program.task_count(), "dependencies form a cycle");
    return {order.begin(), order.end()};
  }
  std::vector<TaskId> order;
  for (std::size_t i = 0; i < program.task_count(); ++i) order.emplace_back(i);
  return order;
}

SequentialExecution::SequentialExecution(const core::Program& program,
                                         const KernelRegistry& registry)
    : program_(&program), registry_(&registry) {
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    const core::Array& array = program.array(ArrayId(i));
    std::vector<std::byte> bytes(static_cast<std::size_t>(array.bytes.count()), kUndefined);
    if (array.spec.initial.kind != core::Initial::Kind::kNone) {
      core::initial_bytes(array.spec, bytes);
    }
    arrays_.push_back(std::move(bytes));
  }
}

std::byte* SequentialExecution::first_element(RegionId region) {
  return arrays_[program_->region(region).array].data() +
         core::home_offset(*program_, region).count();
}

std::vector<std::byte> SequentialExecution::elements(RegionId region) const {
  const core::Region& described = program_->region(region);
  std::vector<std::byte> compact(static_cast<std::size_t>(described.bytes.count()));
  gather(*program_, region,
         arrays_[described.array].data() + core::home_offset(*program_, region).count(),
         compact.data());
  return compact;
}

void SequentialExecution::run(TaskId task, std::uint16_t alternative, const Observer& observe) {
  if (program_->task(task).kind != core::TaskKind::kCompute) return;
  const std::span<const core::Access> accesses = program_->accesses(task);
  std::vector<Buffer> buffers;
  std::vector<OperandMemory> operands;
  buffers.reserve(accesses.size());
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    const RegionId region = accesses[i].region;
    Buffer& buffer = buffers.emplace_back(program_->region(region).bytes.count());
    if (core::reads(accesses[i].mode)) {
      gather(*program_, region, first_element(region), buffer.data());
    }
    if (observe) observe(i, {buffer.data(), buffer.bytes});
    operands.push_back({buffer.data(), strides_of(*program_, region, false)});
  }
  const core::Placement& placement = program_->placement(program_->task(task).placement);
  std::vector<Buffer> scratch_buffers;
  std::vector<std::byte*> scratch;
  for (const core::ScratchArray& array : placement[alternative].scratch) {
    std::int64_t bytes = core::element_bytes(array.dtype);
    for (const std::int64_t extent : array.shape) bytes *= extent;
    scratch_buffers.emplace_back(bytes);
  }
  for (Buffer& buffer : scratch_buffers) scratch.push_back(buffer.data());
  const std::string_view name = program_->task_name(task);
  try {
    const CurrentTask current(name);  // a crash is reported with its name
    run_task(*registry_, *program_, task, alternative, operands, scratch);
  } catch (const std::runtime_error& failure) {
    throw SequentialFailure("task \"" + std::string(name) + "\": " + failure.what());
  }
  for (std::size_t i = 0; i < accesses.size(); ++i) {
    const RegionId region = accesses[i].region;
    if (core::writes(accesses[i].mode)) {
      scatter(*program_, region, first_element(region), buffers[i].data());
    }
  }
}

namespace {

void note_shown(const core::Program& program, TaskId task, core::Show::Values when,
                const SequentialExecution& execution, SequentialResult& result) {
  for (const core::Show& show : program.extras(task).show) {
    if (show.values != when) continue;
    const std::span<const std::byte> bytes = execution.array(show.array);
    result.shown.push_back({task, show.array, show.is_print, {bytes.begin(), bytes.end()}});
  }
}

}  // namespace

SequentialResult execute_sequentially(const core::Program& program, const KernelRegistry& registry,
                                      const AlternativeOf& alternative_of) {
  SequentialExecution execution(program, registry);
  SequentialResult result;
  for (const TaskId task : sequential_order(program)) {
    note_shown(program, task, core::Show::Values::kStart, execution, result);
    execution.run(task, alternative_of ? alternative_of(task) : std::uint16_t{0});
    note_shown(program, task, core::Show::Values::kEnd, execution, result);
    for (const core::Expectation& expectation : program.extras(task).expect) {
      std::vector<std::byte> found = execution.elements(expectation.region);
      if (found == expectation.bytes) continue;
      result.failed.push_back({task, expectation.region, expectation.bytes, std::move(found)});
    }
  }
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    const std::span<const std::byte> bytes = execution.array(ArrayId(i));
    result.arrays.push_back({bytes.begin(), bytes.end()});
  }
  return result;
}

std::string element_text(const core::Program& program, ArrayId array, std::size_t element) {
  const core::ArraySpec& spec = program.array(array).spec;
  std::string indices;
  std::size_t rest = element;
  for (std::size_t dim = spec.shape.size(); dim-- > 0;) {
    const auto extent = static_cast<std::size_t>(spec.shape[dim]);
    indices.insert(0, (dim > 0 ? ", " : "") + std::to_string(rest % extent));
    rest /= extent;
  }
  return spec.name + "[" + indices + "]";
}

std::string difference_text(const core::Program& program, ArrayId array, std::size_t element,
                            std::span<const std::byte> expected, std::span<const std::byte> found) {
  const auto bytes = static_cast<std::size_t>(program.array(array).element_bytes);
  return element_text(program, array, element) + ": found bytes" +
         hexadecimal(found.subspan(element * bytes, bytes)) + ", expected" +
         hexadecimal(expected.subspan(element * bytes, bytes));
}

std::optional<std::string> first_difference(const core::Program& program, ArrayId array,
                                            std::span<const std::byte> expected,
                                            std::span<const std::byte> found) {
  const core::Array& described = program.array(array);
  const auto differs = std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
  if (differs.first == expected.end() && differs.second == found.end()) return std::nullopt;
  if (expected.size() != found.size()) {
    return described.spec.name + ": found " + std::to_string(found.size()) + " bytes, expected " +
           std::to_string(expected.size());
  }
  const auto at = static_cast<std::size_t>(differs.first - expected.begin());
  return difference_text(program, array, at / static_cast<std::size_t>(described.element_bytes),
                         expected, found);
}

}  // namespace parley::exec
