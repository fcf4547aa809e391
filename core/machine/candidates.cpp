// The ways to run a task that a placement's names mean on one machine.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/machine/cost_model.h"

namespace parley::core {
namespace {

constexpr std::size_t kMostCombinations = 4096;

std::vector<DeviceId> devices_named(const Machine& machine, const std::string& name) {
  if (const auto device = machine.find_device(name)) return {*device};
  std::vector<DeviceId> devices;
  for (std::size_t d = 0; d < machine.device_count(); ++d) {
    if (name == "any" || machine.device(DeviceId(d)).device_class == name) {
      devices.push_back(DeviceId(d));
    }
  }
  return devices;
}

/// Lists the groups of an alternative. Members of equal name are interchangeable, so they are taken
/// in ascending order only. `only_neighbours`: each follows the one before it in its class, as far
/// as other members leave that free.
class GroupSearch {
 public:
  GroupSearch(std::vector<std::vector<DeviceId>> sets, const std::vector<std::string>& names,
              bool only_neighbours)
      : sets_(std::move(sets)), only_neighbours_(only_neighbours) {
    for (std::size_t member = 0; member < names.size(); ++member) {
      previous_.push_back(kNoMember);
      for (std::size_t before = 0; before < member; ++before) {
        if (names[before] == names[member]) previous_.back() = before;
      }
      followers_.push_back(static_cast<std::size_t>(std::count(
          names.begin() + static_cast<std::ptrdiff_t>(member) + 1, names.end(), names[member])));
    }
  }

  /// At most kMostCombinations + 1 groups.
  std::vector<std::vector<DeviceId>> run() {
    extend();
    return std::move(found_);
  }

 private:
  static constexpr std::size_t kNoMember = static_cast<std::size_t>(-1);

  void extend() {
    const std::size_t member = group_.size();
    if (found_.size() > kMostCombinations) return;
    if (member == sets_.size()) {
      found_.push_back(group_);
      return;
    }
    const std::vector<DeviceId>& set = sets_[member];
    for (std::size_t i = 0; i + followers_[member] < set.size(); ++i) {
      const DeviceId device = set[i];
      if (std::find(group_.begin(), group_.end(), device) != group_.end()) continue;
      const bool is_repeated = previous_[member] != kNoMember;
      if (is_repeated && device < group_[previous_[member]]) continue;
      group_.push_back(device);
      extend();
      group_.pop_back();
      if (is_repeated && only_neighbours_) return;
    }
  }

  std::vector<std::vector<DeviceId>> sets_;  // by member
  bool only_neighbours_;
  std::vector<std::size_t> previous_;   // member of the same name before, by member
  std::vector<std::size_t> followers_;  // how many of the same name come after, by member
  std::vector<DeviceId> group_;
  std::vector<std::vector<DeviceId>> found_;
};

std::vector<std::vector<DeviceId>> groups_of(const std::vector<std::vector<DeviceId>>& sets,
                                             const std::vector<std::string>& names) {
  auto groups = GroupSearch(sets, names, false).run();
  if (groups.size() <= kMostCombinations) return groups;
  groups = GroupSearch(sets, names, true).run();
  groups.resize(std::min(groups.size(), kMostCombinations));
  return groups;
}

}  // namespace

std::vector<Candidate> resolve(const Placement& placement, const Machine& machine,
                               std::vector<std::string>* unknown) {
  Placement anywhere(placement.empty() ? 1 : 0);
  if (placement.empty()) anywhere.front().members = {"any"};
  const Placement& alternatives = placement.empty() ? anywhere : placement;
  std::vector<Candidate> candidates;
  for (std::size_t a = 0; a < alternatives.size(); ++a) {
    const std::vector<std::string>& names = alternatives[a].members;
    std::vector<std::vector<DeviceId>> sets;
    for (const std::string& name : names) {
      sets.push_back(devices_named(machine, name));
      if (sets.back().empty() && unknown != nullptr &&
          std::find(unknown->begin(), unknown->end(), name) == unknown->end()) {
        unknown->push_back(name);
      }
    }
    for (auto& group : groups_of(sets, names)) {
      candidates.push_back({static_cast<std::uint16_t>(a), std::move(group)});
    }
  }
  return candidates;
}

}  // namespace parley::core
