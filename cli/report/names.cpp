#include "cli/report/names.h"

#include <algorithm>
#include <cctype>

namespace parley::cli {

std::string box_text(const core::Program& program, core::ArrayId array,
                     std::span<const core::Range> box) {
  const core::ArraySpec& spec = program.array(array).spec;
  if (spec.is_opaque || box.empty()) return spec.name;
  std::string text = spec.name + "[";
  for (std::size_t d = 0; d < box.size(); ++d) {
    const core::Range& range = box[d];
    if (d > 0) text += ", ";
    text += std::to_string(range.start) + ":" +
            std::to_string(range.count == 0 ? range.start : range.last() + 1);
    if (range.step != 1) text += ":" + std::to_string(range.step);
  }
  return text + "]";
}

std::string boxes_text(const core::Program& program, core::ArrayId array,
                       std::span<const core::Box> boxes) {
  std::string text;
  for (const core::Box& box : boxes) {
    if (!text.empty()) text += " + ";
    text += box_text(program, array, box.ranges());
  }
  return text;
}

std::string devices_text(const core::Machine& machine, std::span<const core::DeviceId> devices) {
  std::string text;
  for (const core::DeviceId device : devices) {
    if (!text.empty()) text += '+';
    text += machine.device(device).name;
  }
  return text;
}

std::string route_text(const core::Machine& machine, core::SpaceId from, core::SpaceId to) {
  return machine.space(from).name + "->" + machine.space(to).name;
}

std::vector<core::SpaceId> spaces_hosts_last(const core::Machine& machine) {
  std::vector<core::SpaceId> spaces;
  for (std::size_t i = 0; i < machine.space_count(); ++i) spaces.emplace_back(i);
  std::stable_partition(spaces.begin(), spaces.end(),
                        [&](core::SpaceId s) { return !machine.space(s).is_host; });
  return spaces;
}

namespace {

/// How many spaces of the same kind (host or not) come before this one.
std::size_t rank_of(const core::Machine& machine, core::SpaceId space) {
  std::size_t rank = 0;
  for (std::size_t i = 0; i < space.index(); ++i) {
    if (machine.space(core::SpaceId(i)).is_host == machine.space(space).is_host) ++rank;
  }
  return rank;
}

std::size_t host_count(const core::Machine& machine) {
  std::size_t count = 0;
  for (const core::MemorySpace& space : machine.spec().spaces) count += space.is_host ? 1U : 0U;
  return count;
}

}  // namespace

std::string space_label(const core::Machine& machine, core::SpaceId space) {
  const std::size_t rank = rank_of(machine, space);
  if (machine.space(space).is_host) {
    return host_count(machine) == 1 ? "CPU" : "CPU " + std::to_string(rank);
  }
  for (const core::Device& device : machine.spec().devices) {
    if (device.space != space) continue;
    std::string label = device.name;
    std::transform(label.begin(), label.end(), label.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    std::replace(label.begin(), label.end(), ':', ' ');
    return label;
  }
  return "GPU " + std::to_string(rank);
}

std::string_view name_of(core::CopyReason reason) {
  switch (reason) {
    case core::CopyReason::kFetch:
      return "fetch";
    case core::CopyReason::kPrefetch:
      return "prefetch";
    case core::CopyReason::kWriteBack:
      return "write_back";
    case core::CopyReason::kHomeHop:
      return "home_hop";
    case core::CopyReason::kAtEnd:
      return "at_end";
  }
  return "";
}

std::string_view name_of(core::DropReason reason) {
  switch (reason) {
    case core::DropReason::kEvicted:
      return "evicted";
    case core::DropReason::kInvalidated:
      return "invalidated";
    case core::DropReason::kRequested:
      return "requested";
  }
  return "";
}

}  // namespace parley::cli
