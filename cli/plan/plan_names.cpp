#include "cli/plan/plan_names.h"

#include <algorithm>

namespace parley::cli {
namespace {

constexpr std::size_t kMostFaults = 10;
constexpr std::size_t kMostCompared = 20000;  // names that a wrong one is compared with

}  // namespace

void PlanNames::refuse(const std::string& where, const std::string& what) {
  if (faults_.size() >= kMostFaults) {
    ++more_;
    return;
  }
  faults_.push_back({where.empty() ? file_ : file_ + ": " + where, what});
}

core::Faults PlanNames::faults() const {
  core::Faults all;
  if (has_faults() && !origin_.empty() && origin_ != program_.name()) {
    all.push_back({file_, "is of a run of workload \"" + origin_ + "\"; this one is \"" +
                              program_.name() + "\""});
  }
  all.insert(all.end(), faults_.begin(), faults_.end());
  if (more_ > 0) {
    all.push_back({file_, std::to_string(more_) + (more_ == 1 ? " fault more" : " faults more")});
  }
  return all;
}

void PlanNames::refuse_name(const std::string& where, const std::string& kind,
                            const std::string& name,
                            const std::function<std::vector<std::string>()>& known) {
  if (!refused_.insert(kind + " " + name).second) return;
  const bool is_shown = faults_.size() < kMostFaults;
  refuse(where, "unknown " + kind + " \"" + name + "\"" +
                    (is_shown ? core::did_you_mean(name, known()) : std::string()));
}

core::TaskId PlanNames::task(const std::string& name, const std::string& where) {
  if (const auto task = program_.find_task(name)) return *task;
  refuse_name(where, "task", name, [this] {
    std::vector<std::string> known;
    for (std::size_t i = 0; i < std::min(program_.task_count(), kMostCompared); ++i) {
      known.emplace_back(program_.task_name(core::TaskId(i)));
    }
    return known;
  });
  return core::TaskId::none();
}

core::ArrayId PlanNames::array(const std::string& name, const std::string& where) {
  if (const auto array = program_.find_array(name)) return *array;
  refuse_name(where, "array", name, [this] {
    std::vector<std::string> known;
    for (std::size_t i = 0; i < std::min(program_.array_count(), kMostCompared); ++i) {
      known.push_back(program_.array(core::ArrayId(i)).spec.name);
    }
    return known;
  });
  return core::ArrayId::none();
}

std::vector<core::DeviceId> PlanNames::devices(const std::string& names, const std::string& where) {
  std::vector<core::DeviceId> devices;
  for (std::size_t start = 0; start <= names.size();) {
    const std::size_t end = std::min(names.find('+', start), names.size());
    const std::string name = names.substr(start, end - start);
    start = end + 1;
    if (const auto device = machine_.find_device(name)) {
      devices.push_back(*device);
      continue;
    }
    refuse_name(where, "device", name, [this] {
      std::vector<std::string> known;
      for (const core::Device& device : machine_.spec().devices) known.push_back(device.name);
      return known;
    });
    return {};
  }
  return devices;
}

core::SpaceId PlanNames::space(const std::string& name, const std::string& where) {
  if (const auto space = machine_.find_space(name)) return *space;
  refuse_name(where, "memory space", name, [this] {
    std::vector<std::string> known;
    for (const core::MemorySpace& space : machine_.spec().spaces) known.push_back(space.name);
    return known;
  });
  return core::SpaceId::none();
}

core::RegionId PlanNames::region(const std::string& text, const std::string& where) {
  if (regions_.empty()) {
    for (std::size_t r = 0; r < program_.region_count(); ++r) {
      regions_.emplace(program_.region_text(core::RegionId(r)), core::RegionId(r));
    }
  }
  const auto found = regions_.find(text);
  if (found != regions_.end()) return found->second;
  if (refused_.insert("region " + text).second) {
    refuse(where, "no task accesses a region \"" + text + "\"");
  }
  return core::RegionId::none();
}

}  // namespace parley::cli
