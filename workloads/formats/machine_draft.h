// A machine while its file is being read: the spec so far, and its parts by name.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/machine/machine.h"

namespace parley::workloads {

inline constexpr std::int64_t kMostGpus = 256;        // of a node, in a template or shorthand
inline constexpr std::int64_t kMostNodes = 4096;      // of a template
inline constexpr std::int64_t kMostGpusInAll = 4096;  // tables of pairs of spaces are kept

/// How large a machine is made from a template.
struct MachineSize {
  std::int64_t gpus = 0;  // a node; 0: as the template says
  std::int64_t nodes = 1;
};

struct MachineDraft {
  core::MachineSpec spec;
  std::map<std::string, core::SpaceId> spaces;
  std::map<std::string, core::ResourceId> resources;
  std::map<std::string, core::CopyEngineId> engines;
  std::vector<core::SpaceId> gpus;       // what "gpus" stands for in a list of spaces
  std::vector<std::string> route_paths;  // where in the file each route comes from
  bool has_direct_network = false;       // joins nodes; read or not yet

  core::SpaceId add(core::MemorySpace space) {
    const core::SpaceId id = spec.spaces.next_id();
    spaces.emplace(space.name, id);
    return spec.spaces.push_back(std::move(space));
  }
  core::ResourceId add(core::Resource resource) {
    const core::ResourceId id = spec.resources.next_id();
    resources.emplace(resource.name, id);
    return spec.resources.push_back(std::move(resource));
  }
  core::CopyEngineId add(core::CopyEngine engine) {
    const core::CopyEngineId id = spec.engines.next_id();
    engines.emplace(engine.name, id);
    return spec.engines.push_back(std::move(engine));
  }
  /// Of the routes added since the last call.
  void note_routes(const std::string& path) { route_paths.resize(spec.routes.size(), path); }
  [[nodiscard]] const std::string& name_of(core::SpaceId space) const {
    return spec.spaces[space].name;
  }
};

template <class Id>
std::vector<std::string> names_of(const std::map<std::string, Id>& parts) {
  std::vector<std::string> names;
  for (const auto& [name, id] : parts) names.push_back(name);
  return names;
}

/// The id of that name, or none.
template <class Id>
Id find_part(const std::map<std::string, Id>& parts, const std::string& name) {
  const auto found = parts.find(name);
  return found == parts.end() ? Id::none() : found->second;
}

}  // namespace parley::workloads
