// Machines for tests, in a few words: a host, GPUs, and what the test adds. Spaces are numbered
// host 0, gpu0 1, gpu1 2, ...; devices cpu 0, gpu:0 1, ... Pairs of host and GPU for which the test
// states no route are joined by an unlimited one without latency.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/machine/machine.h"
#include "tests/sim/required.h"

namespace parley::sim {

inline core::SpaceId host_space() { return core::SpaceId(0); }
inline core::SpaceId gpu_space(std::size_t gpu) { return core::SpaceId(gpu + 1); }
inline core::DeviceId cpu_device() { return core::DeviceId(0); }
inline core::DeviceId gpu_device(std::size_t gpu) { return core::DeviceId(gpu + 1); }

class MachineBuilder {
 public:
  explicit MachineBuilder(std::size_t gpus, core::Bytes gpu_memory = core::Bytes(1 << 30)) {
    spec.name = "test";
    spec.source = "made up for a test";
    spec.spaces.push_back({"host", core::Bytes(std::int64_t{1} << 40), "", true});
    spec.devices.push_back({"cpu", "cpu", host_space(), 1, {}, 0.0, core::Duration(0)});
    for (std::size_t i = 0; i < gpus; ++i) {
      const std::string number = std::to_string(i);
      spec.spaces.push_back({"gpu" + number, gpu_memory, "", false});
      spec.devices.push_back({"gpu:" + number, "gpu", gpu_space(i), 1, {}, 0.0, core::Duration(0)});
    }
  }

  core::ResourceId resource(const std::string& name, double bytes_per_s) {
    return spec.resources.push_back({name, core::Bandwidth(bytes_per_s)});
  }
  core::CopyEngineId engine(const std::string& name, std::int32_t slots = 1) {
    return spec.engines.push_back({name, slots});
  }
  /// The route is changed further by the caller.
  core::Route& route(core::SpaceId from, core::SpaceId to,
                     const std::vector<core::ResourceId>& via = {},
                     const std::vector<core::CopyEngineId>& engines = {}) {
    core::Route route;
    route.from = from;
    route.to = to;
    for (const core::ResourceId id : via) route.via.push_back({id, 1.0});
    route.engines = engines;
    spec.routes.push_back(std::move(route));
    return spec.routes.back();
  }

  core::Machine build() {
    for (std::size_t s = 1; s < spec.spaces.size(); ++s) {
      join(host_space(), core::SpaceId(s));
      join(core::SpaceId(s), host_space());
    }
    return required(core::Machine::create(spec));
  }

  core::MachineSpec spec;

 private:
  void join(core::SpaceId from, core::SpaceId to) {
    const bool is_stated = std::ranges::any_of(spec.routes, [&](const core::Route& other) {
      return other.from == from && other.to == to;
    });
    if (!is_stated) route(from, to);
  }
};

}  // namespace parley::sim
