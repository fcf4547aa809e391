#include "tests/property/problem_machine.h"

#include <algorithm>

namespace parley::test {

using namespace core;  // NOLINT

namespace {

std::string node_name(const ProblemDraft& draft, std::size_t node) {
  return draft.nodes == 1 ? "" : "node" + std::to_string(node);
}

void connect(MachineSpec& spec, SpaceId from, SpaceId to, const std::string& kind) {
  const CopyEngineId engine =
      spec.engines.push_back({spec.spaces[from].name + ">" + spec.spaces[to].name, 1});
  Route route;
  route.from = from;
  route.to = to;
  route.engines = {engine};
  route.latency = Duration(10);
  route.rate_cap = Bandwidth(kind == "nvlink" ? 4e9 : 1e9);
  route.kind = kind;
  spec.routes.push_back(std::move(route));
}

void add_hosts(MachineSpec& spec, const ProblemDraft& draft, Bytes bytes) {
  for (std::size_t node = 0; node < draft.nodes; ++node) {
    Device cpu;
    // "cpu" alone would also be the name of the class.
    cpu.name = draft.nodes == 1 ? "cpu" : "cpu:" + std::to_string(node);
    cpu.device_class = "cpu";
    cpu.space = spec.spaces.push_back({host_space(node), bytes, node_name(draft, node), true});
    cpu.slots = 4;
    spec.devices.push_back(cpu);
  }
  if (draft.nodes < 2) return;
  connect(spec, SpaceId(0), SpaceId(1), "network");
  connect(spec, SpaceId(1), SpaceId(0), "network");
}

}  // namespace

std::string gpu_space(std::size_t gpu) { return "gpu" + std::to_string(gpu); }
std::string host_space(std::size_t node) { return node == 0 ? "host" : "host1"; }

MachineSpec machine_of(const ProblemDraft& draft, Bytes host_bytes,
                       std::span<const Bytes> gpu_bytes) {
  MachineSpec spec;
  spec.name = "random";
  add_hosts(spec, draft, host_bytes);
  for (std::size_t gpu = 0; gpu < draft.gpus.size(); ++gpu) {
    const std::size_t node = std::min(draft.gpus[gpu].node, draft.nodes - 1);
    Device device;
    device.name = "gpu:" + std::to_string(gpu);
    device.device_class = "gpu";
    device.space =
        spec.spaces.push_back({gpu_space(gpu), gpu_bytes[gpu], node_name(draft, node), false});
    device.bytes_per_s = 1e9;
    spec.devices.push_back(device);
    connect(spec, SpaceId(node), device.space, "pcie");
    connect(spec, device.space, SpaceId(node), "pcie");
  }
  for (const auto& [from, to] : draft.peers) {
    if (from >= draft.gpus.size() || to >= draft.gpus.size()) continue;
    connect(spec, SpaceId(draft.nodes + from), SpaceId(draft.nodes + to), "nvlink");
  }
  return spec;
}

}  // namespace parley::test
