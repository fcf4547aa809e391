#include "workloads/check/parla_workload.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace parley::workloads {
namespace {

constexpr std::size_t kUnmapped = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kCpu = kUnmapped - 1;
constexpr std::size_t kMostGpus = 256;

/// "gpu:3" and "gpu3" are 3; "gpu" and "any" are no particular GPU; all else is the CPU.
struct Name {
  bool is_gpu = false;
  std::optional<std::size_t> number;
};

Name parse(const std::string& text) {
  if (text == "any") return {true, std::nullopt};
  if (text.find("gpu") == std::string::npos) return {};
  const std::size_t digits = text.find_last_not_of("0123456789") + 1;
  std::size_t number = 0;
  const auto end = std::from_chars(text.data() + digits, text.data() + text.size(), number).ptr;
  if (digits == text.size() || end != text.data() + text.size()) return {true, std::nullopt};
  return {true, std::min(number, kMostGpus - 1)};
}

/// One device for each member; members of a class take the lowest GPUs that the group leaves free.
std::vector<std::size_t> devices_of(const core::Alternative& alternative) {
  std::vector<std::size_t> devices;
  std::vector<bool> is_taken(kMostGpus, false);
  for (const std::string& member : alternative.members) {
    const Name name = parse(member);
    if (name.number) is_taken[*name.number] = true;
  }
  for (const std::string& member : alternative.members) {
    const Name name = parse(member);
    if (!name.is_gpu || name.number) {
      devices.push_back(name.is_gpu ? *name.number : kCpu);
      continue;
    }
    const auto free = std::find(is_taken.begin(), is_taken.end(), false);
    const auto number = static_cast<std::size_t>(free - is_taken.begin());
    devices.push_back(number);
    is_taken[number] = true;
  }
  return devices;
}

}  // namespace

ParlaWorkload::ParlaWorkload(const core::Program& program, const std::vector<std::string>& mapping)
    : program_(program), graph_(program) {
  place(mapping);
  divide();
}

void ParlaWorkload::place(const std::vector<std::string>& mapping) {
  const auto take_note = [&](std::size_t device) {
    if (device < kMostGpus) gpus_ = std::max(gpus_, device + 1);
  };
  for (std::size_t p = 0; p < program_.placement_count(); ++p) {
    const core::Placement& placement = program_.placement(core::PlacementId(p));
    members_.push_back(devices_of(placement.front()));
    for (const std::size_t device : members_.back()) take_note(device);
  }
  mapped_.resize(mapping.empty() ? 0 : program_.task_count(), kUnmapped);
  for (std::size_t t = 0; t < std::min(mapping.size(), mapped_.size()); ++t) {
    if (mapping[t].empty()) continue;
    const Name name = parse(mapping[t]);
    mapped_[t] = name.is_gpu ? name.number.value_or(0) : kCpu;
    take_note(mapped_[t]);
  }
  for (std::size_t a = 0; a < program_.array_count(); ++a) {
    for (const std::string& home : program_.array(core::ArrayId(a)).spec.homes) {
      take_note(parse(home).number.value_or(kCpu));
    }
  }
  for (std::size_t t = 0; t < program_.task_count(); ++t) {
    const core::TaskId task(t);
    if (program_.task(task).kind != core::TaskKind::kEvict) continue;
    take_note(parse(program_.extras(task).evict_space).number.value_or(kCpu));
  }
}

// All regions first, so that pieces are final before anything is said of them.
void ParlaWorkload::divide() {
  for (std::size_t a = 0; a < program_.array_count(); ++a) {
    const core::Array& array = program_.array(core::ArrayId(a));
    map_.add_array(core::ArrayId(a), array.whole, program_.region(array.whole).box);
  }
  for (std::size_t t = 0; t < program_.task_count(); ++t) {
    for (const core::Access& access : program_.accesses(core::TaskId(t))) {
      const core::Region& region = program_.region(access.region);
      map_.activate(access.region, region.array, region.box);
    }
  }
  pieces_.resize(program_.region_count());
  for (std::size_t r = 0; r < program_.region_count(); ++r) {
    const core::RegionId region(r);
    for (const core::PieceId piece : map_.pieces(region)) {
      pieces_[region].push_back(map_.local(piece));
    }
    std::sort(pieces_[region].begin(), pieces_[region].end());
  }
}

ParlaWorkload::Device ParlaWorkload::device(core::TaskId task, std::uint8_t member) const {
  const std::vector<Device>& members = members_[program_.task(task).placement];
  std::size_t device = members[std::min<std::size_t>(member, members.size() - 1)];
  if (member == 0 && !mapped_.empty() && mapped_[task.index()] != kUnmapped) {
    device = mapped_[task.index()];
  }
  return device == kCpu ? cpu() : device;
}

ParlaWorkload::Device ParlaWorkload::device_named(const std::string& name) const {
  const Name parsed = parse(name);
  return parsed.is_gpu ? parsed.number.value_or(0) : cpu();
}

std::string ParlaWorkload::name_of(Device device) const {
  return device == cpu() ? "cpu" : "gpu:" + std::to_string(device);
}

ParlaOperand ParlaWorkload::operand(const core::Access& access) const {
  const core::ArrayId array = program_.region(access.region).array;
  // A[0] of an array of one row has all its elements, and is a slice nevertheless.
  const bool is_whole =
      access.region == program_.array(array).whole && access.view == core::OperandView{};
  return {is_whole, access.region, access.view, pieces_[access.region]};
}

std::size_t ParlaWorkload::piece_count(core::ArrayId array) const {
  return map_.pieces(program_.array(array).whole).size();
}

const core::Box& ParlaWorkload::part(core::ArrayId array, std::uint32_t piece) const {
  const core::PieceId id = map_.pieces(program_.array(array).whole)[piece];
  return map_.boxes(id).front();
}

core::RegionId ParlaWorkload::overlapping(
    core::RegionId region, const core::IdVector<core::RegionId, core::TaskId>& first_user) const {
  const core::RegionId whole = program_.array(program_.region(region).array).whole;
  if (region == whole) return {};
  for (const core::PieceId piece : map_.pieces(region)) {
    for (const core::RegionId other : map_.regions(piece)) {
      if (other != whole && other != region && !first_user[other].is_none()) return other;
    }
  }
  return {};
}

bool ParlaWorkload::writes_contents(core::TaskId task) const {
  const core::Task& data = program_.task(task);
  const core::Alternative& first = program_.placement(data.placement).front();
  const core::Kernel& kernel = first.kernel ? *first.kernel : program_.kernel(data.kernel);
  const auto touches_nothing = [](const core::KernelCall& call) {
    return call.name == "none" || call.name == "spin";
  };
  return kernel.empty() || !std::all_of(kernel.begin(), kernel.end(), touches_nothing);
}

}  // namespace parley::workloads
