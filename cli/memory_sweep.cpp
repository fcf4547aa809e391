#include "cli/memory_sweep.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/memory/arena.h"
#include "workloads/check/check.h"
#include "workloads/machine_file.h"

namespace parley::cli {
namespace {

constexpr const char* kAllowed =
    "; allowed, separated by commas: shares of the workload's arrays (above 0, at most 1), sizes "
    "(8GiB), and \"least\" (the largest working set of a task, or what starts on a GPU)";

core::Result<MemorySize> parse_size(const std::string& text) {
  MemorySize size;
  if (text == "least") {
    size.kind = MemorySize::Kind::kLeast;
    return size;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size.share);
  if (error == std::errc() && end == text.data() + text.size()) {
    size.kind = MemorySize::Kind::kShare;
    if (size.share > 0.0 && size.share <= 1.0) return size;
    return core::Fault{"--memory", "found share " + text + kAllowed};
  }
  const core::Result<core::Bytes> bytes = workloads::parse_bytes(text);
  if (!bytes || *bytes <= core::Bytes(0)) {
    return core::Fault{"--memory", "found \"" + text + "\"" + kAllowed};
  }
  size.bytes = *bytes;
  return size;
}

core::Bytes bytes_of_arrays(const core::Program& program) {
  core::Bytes sum;
  for (std::size_t a = 0; a < program.array_count(); ++a) {
    sum += core::Arena::rounded(program.array(core::ArrayId(a)).bytes);
  }
  return sum;
}

bool is_gpu_space(const core::MemorySpace& space) { return !space.is_host; }

/// What the arrays that start on one GPU take there, of the GPU with most.
core::Bytes most_at_the_start(const core::Program& program, const core::Machine& machine) {
  core::IdVector<core::SpaceId, core::Bytes> sums(machine.space_count());
  for (std::size_t a = 0; a < program.array_count(); ++a) {
    const core::Array& array = program.array(core::ArrayId(a));
    if (array.spec.initial.kind == core::Initial::Kind::kNone) continue;
    for (const std::string& home : array.spec.homes) {  // of GPUs' spaces no two are the same
      const std::optional<core::SpaceId> space = machine.find_space(home);
      if (!space || !is_gpu_space(machine.space(*space))) continue;
      sums[*space] += core::Arena::rounded(array.bytes);
    }
  }
  core::Bytes most;
  for (const core::Bytes sum : sums) most = std::max(most, sum);
  return most;
}

}  // namespace

core::Result<std::vector<MemorySize>> parse_memory_sizes(const std::string& text) {
  std::vector<MemorySize> sizes;
  core::Faults faults;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    core::Result<MemorySize> size = parse_size(text.substr(start, end - start));
    faults.insert(faults.end(), size.faults().begin(), size.faults().end());
    if (size && std::ranges::find(sizes, *size) != sizes.end()) {
      faults.push_back({"--memory", "\"" + text.substr(start, end - start) + "\" is there twice"});
    }
    if (size) sizes.push_back(*size);
    start = end + 1;
  }
  if (!faults.empty()) return faults;
  return sizes;
}

core::Bytes gpu_bytes(const MemorySize& size, const core::Program& program,
                      const core::Machine& machine) {
  core::Bytes wanted = size.bytes;
  if (size.kind != MemorySize::Kind::kBytes) {
    wanted = std::max(workloads::check_program(program).statistics.largest_working_set,
                      most_at_the_start(program, machine));
  }
  if (size.kind == MemorySize::Kind::kShare) {
    const double share = size.share * static_cast<double>(bytes_of_arrays(program).count());
    wanted = std::max(wanted, core::Arena::rounded(core::Bytes(static_cast<std::int64_t>(share))));
  }
  core::Bytes most;
  for (const core::MemorySpace& space : machine.spec().spaces) {
    if (is_gpu_space(space)) most = std::max(most, space.capacity);
  }
  return std::min(wanted, most);
}

core::Result<core::Machine> with_gpu_bytes(const core::Machine& machine, core::Bytes bytes) {
  core::MachineSpec spec = machine.spec();
  for (core::MemorySpace& space : spec.spaces) {
    if (is_gpu_space(space)) space.capacity = std::min(space.capacity, bytes);
  }
  return core::Machine::create(std::move(spec));
}

}  // namespace parley::cli
