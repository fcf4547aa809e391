#include "cli/exec_machine.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>
#include <utility>

#include "exec/cuda/cuda_backend.h"
#include "workloads/machine_file.h"

namespace parley::cli {
namespace {

using core::Bytes;
using core::SpaceId;

constexpr std::uint32_t kDefaultVirtualGpus = 2;
constexpr std::uint32_t kMostVirtualGpus = 1024;  // each has a route to every other
constexpr Bytes kVirtualGpuMemory{std::int64_t{1} << 30U};

std::uint32_t gpu_count(const core::MachineSpec& spec) {
  return static_cast<std::uint32_t>(std::count_if(
      spec.spaces.begin(), spec.spaces.end(), [](const auto& space) { return !space.is_host; }));
}

// ---- machines by code ----

/// One link with an engine of its own each way: memcpy between two slabs, as one thread does it.
void add_route(core::MachineSpec& spec, SpaceId from, SpaceId to) {
  const std::string name = spec.spaces[from].name + "->" + spec.spaces[to].name;
  constexpr double kCopyRate = 5e9;
  core::Route route;
  route.from = from;
  route.to = to;
  route.via = {{spec.resources.push_back({name, core::Bandwidth(kCopyRate)}), 1.0}};
  route.engines = {spec.engines.push_back({name, 1})};
  route.latency = core::Duration(2000);
  route.kind = "memcpy";
  spec.routes.push_back(std::move(route));
}

/// A CPU and virtual GPUs. The rates are rough figures of one core each, for the policies to have
/// something to compare; calibration gives better ones.
core::MachineSpec virtual_machine(std::uint32_t gpus, const Computer& computer) {
  core::MachineSpec spec;
  spec.name = "host (" + std::to_string(gpus) + (gpus == 1 ? " virtual GPU)" : " virtual GPUs)");
  spec.source = "rough figures of one processor core; not measured";
  core::Device device;
  device.flops_per_s = {{"float32", 4e10}, {"float64", 2e10}};
  device.bytes_per_s = 5e9;
  device.launch = core::Duration(2000);
  device.name = device.device_class = "cpu";
  device.slots = std::max(1, computer.processors);
  device.space = spec.spaces.push_back({"host", computer.host_memory, "", true});
  spec.devices.push_back(device);
  device.slots = 1;
  for (std::uint32_t i = 0; i < gpus; ++i) {
    device.space = spec.spaces.push_back({"gpu" + std::to_string(i), kVirtualGpuMemory, "", false});
    device.name = "gpu:" + std::to_string(i);
    device.device_class = "gpu";
    spec.devices.push_back(device);
  }
  for (std::size_t from = 0; from < spec.spaces.size(); ++from) {
    for (std::size_t to = 0; to < spec.spaces.size(); ++to) {
      if (from != to) add_route(spec, SpaceId(from), SpaceId(to));
    }
  }
  return spec;
}

/// The GPUs found, linked as those of the H200 machines are.
core::Result<core::MachineSpec> gpu_machine(std::uint32_t gpus) {
  core::Result<core::MachineSpec> spec = workloads::parse_machine(
      R"({"format": "parley-machine", "version": 1, "name": "this machine", "gpus": )" +
          std::to_string(gpus) + R"(, "template": "dgx-h200"})",
      "default machine");
  if (!spec) return spec;
  spec->name = "this machine (" + std::to_string(gpus) + (gpus == 1 ? " GPU)" : " GPUs)");
  spec->source = "links and rates of H200 machines; not measured here";
  return spec;
}

core::Result<core::MachineSpec> default_spec(std::uint32_t gpus, const Computer& computer) {
  if (computer.is_cuda) return gpu_machine(gpus);
  return virtual_machine(gpus, computer);
}

// ---- fewer GPUs ----

/// Positions of what stays among `used`, none for what goes.
template <class Id, class Item>
core::IdVector<Id, Id> keep(core::IdVector<Id, Item>& items, const core::IdVector<Id, char>& used) {
  core::IdVector<Id, Id> moved(items.size());
  core::IdVector<Id, Item> kept;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (used[Id(i)] != 0) moved[Id(i)] = kept.push_back(std::move(items[Id(i)]));
  }
  items = std::move(kept);
  return moved;
}

/// Calls `resource` and `engine` with every reference to one.
template <class OnResource, class OnEngine>
void visit_references(core::MachineSpec& spec, const OnResource& resource, const OnEngine& engine) {
  const auto visit = [&](std::vector<core::Via>& via, std::vector<core::CopyEngineId>& engines) {
    for (core::Via& part : via) resource(part.resource);
    for (core::CopyEngineId& id : engines) engine(id);
  };
  std::vector<core::CopyEngineId> none;
  for (core::Route& route : spec.routes) visit(route.via, route.engines);
  for (core::Fabric& fabric : spec.fabrics) {
    visit(fabric.via, none);
    for (core::Fabric::Member& member : fabric.members) {
      visit(member.out, member.engines_out);
      visit(member.in, member.engines_in);
    }
    for (core::Fabric::Level& level : fabric.levels) {
      for (core::Fabric::Group& group : level.groups) {
        resource(group.up);
        resource(group.down);
      }
    }
  }
}

/// Drops resources and engines that no route refers to any more.
void drop_unused(core::MachineSpec& spec) {
  core::IdVector<core::ResourceId, char> resources(spec.resources.size());
  core::IdVector<core::CopyEngineId, char> engines(spec.engines.size());
  visit_references(
      spec, [&](core::ResourceId& id) { resources[id] = 1; },
      [&](core::CopyEngineId& id) { engines[id] = 1; });
  const auto new_resources = keep(spec.resources, resources);
  const auto new_engines = keep(spec.engines, engines);
  visit_references(
      spec, [&](core::ResourceId& id) { id = new_resources[id]; },
      [&](core::CopyEngineId& id) { id = new_engines[id]; });
}

// ---- memory ----

void lower(core::MemorySpace& space, Bytes most) {
  space.capacity = std::min(space.capacity, std::max(most, Bytes(1)));
}

Bytes gpu_reserve(std::optional<std::uint32_t> streams) {
  const std::int64_t fours = std::max<std::int64_t>(1, (std::int64_t{streams.value_or(4)} + 3) / 4);
  return Bytes(kGpuReserve.count() * fours);
}

void fit_memory(core::MachineSpec& spec, const Computer& computer, Bytes reserve) {
  const std::int64_t host = computer.host_memory.count();
  const auto gpus = static_cast<std::int64_t>(std::max<std::uint32_t>(1, gpu_count(spec)));
  const auto hosts = static_cast<std::int64_t>(spec.spaces.size() - gpu_count(spec));
  std::size_t gpu = 0;
  for (core::MemorySpace& space : spec.spaces) {
    if (space.is_host) {
      lower(space, Bytes((computer.is_cuda ? host / 10 * 9 : host / 2) /
                         std::max<std::int64_t>(1, hosts)));
    } else if (computer.is_cuda) {
      lower(space, computer.gpu_memory[gpu++] - reserve);
    } else {
      lower(space, Bytes(host / 2 / gpus));
    }
  }
}

/// The file's machine, with as many GPUs as are asked for.
core::Result<core::MachineSpec> described_spec(const MachineRequest& request) {
  if (request.gpus == 0U) return core::Fault{"--devices", "found 0; allowed: 1 or more"};
  const core::Result<core::Machine> machine = workloads::load_machine(request.name);
  if (!machine) return machine.faults();
  const std::uint32_t described = gpu_count(machine->spec());
  if (request.gpus.value_or(0) > described) {
    return core::Fault{"--devices", std::to_string(*request.gpus) + " GPUs asked for, \"" +
                                        request.name + "\" has " + std::to_string(described)};
  }
  return with_first_gpus(machine->spec(), request.gpus.value_or(described));
}

/// How many GPUs a run may have.
std::string found_text(const Computer& computer) {
  const std::size_t gpus = computer.gpu_memory.size();
  if (computer.devices_per_gpu == 1) return std::to_string(gpus);
  return std::to_string(gpus) + " (" + std::to_string(computer.devices_per_gpu) + " on each of " +
         std::to_string(gpus / computer.devices_per_gpu) + ")";
}

core::Result<core::MachineSpec> requested_spec(const MachineRequest& request,
                                               const Computer& computer) {
  const auto found = static_cast<std::uint32_t>(computer.gpu_memory.size());
  if (computer.is_cuda && found == 0 && !request.gpus) {
    return core::Fault{"--backend cuda", "this computer has no GPU"};
  }
  if (computer.is_cuda && request.gpus.value_or(1) > found) {
    return core::Fault{"--devices", std::to_string(*request.gpus) + " GPUs asked for, found " +
                                        found_text(computer) +
                                        "; --devices-per-gpu makes several of each"};
  }
  if (request.name.empty()) {
    if (!computer.is_cuda && request.gpus.value_or(1) > kMostVirtualGpus) {
      return core::Fault{"--devices", "found " + std::to_string(*request.gpus) +
                                          "; allowed: 1 to " + std::to_string(kMostVirtualGpus)};
    }
    return default_spec(request.gpus.value_or(computer.is_cuda ? found : kDefaultVirtualGpus),
                        computer);
  }
  core::Result<core::MachineSpec> spec = described_spec(request);
  if (!spec) return spec.faults();
  const std::uint32_t wanted = gpu_count(*spec);
  if (computer.is_cuda && wanted > found) {
    return core::Fault{"--machine",
                       "\"" + request.name + "\" has " + std::to_string(wanted) + " GPUs, found " +
                           found_text(computer) + "; --devices " + std::to_string(found) +
                           " takes the first of them, --devices-per-gpu makes several of each"};
  }
  return spec;
}

}  // namespace

core::MachineSpec with_first_gpus(const core::MachineSpec& spec, std::uint32_t count) {
  const std::uint32_t all = gpu_count(spec);
  core::MachineSpec fewer = spec;
  if (count >= all) return fewer;
  fewer.name += " (" + std::to_string(count) + " of " + std::to_string(all) + " GPUs)";
  core::IdVector<SpaceId, char> stays(spec.spaces.size());
  std::uint32_t gpus = 0;
  for (std::size_t i = 0; i < spec.spaces.size(); ++i) {
    stays[SpaceId(i)] = spec.spaces[SpaceId(i)].is_host || gpus++ < count ? 1 : 0;
  }
  const auto goes = [&](SpaceId space) { return stays[space] == 0; };
  const auto moved = keep(fewer.spaces, stays);
  core::IdVector<core::DeviceId, core::Device> devices;
  for (core::Device& device : fewer.devices) {
    if (goes(device.space)) {
      for (auto& [kernel, times] : fewer.kernels) times.erase(device.name);
      continue;
    }
    device.space = moved[device.space];
    devices.push_back(std::move(device));
  }
  fewer.devices = std::move(devices);
  std::erase_if(fewer.kernels, [](const auto& kernel) { return kernel.second.empty(); });
  std::erase_if(fewer.routes,
                [&](const core::Route& route) { return goes(route.from) || goes(route.to); });
  for (core::Route& route : fewer.routes) {
    route.from = moved[route.from];
    route.to = moved[route.to];
  }
  std::erase_if(fewer.relays, [&](const core::MachineSpec::Relay& relay) {
    return goes(relay.from) || goes(relay.to) || std::ranges::any_of(relay.through, goes);
  });
  for (core::MachineSpec::Relay& relay : fewer.relays) {
    relay.from = moved[relay.from];
    relay.to = moved[relay.to];
    for (SpaceId& space : relay.through) space = moved[space];
  }
  for (core::Fabric& fabric : fewer.fabrics) {
    std::erase_if(fabric.members, [&](const auto& member) { return goes(member.space); });
    for (core::Fabric::Member& member : fabric.members) member.space = moved[member.space];
  }
  std::erase_if(fewer.fabrics,
                [](const core::Fabric& fabric) { return fabric.members.size() < 2; });
  drop_unused(fewer);
  return fewer;
}

core::Result<core::Machine> described_machine(const MachineRequest& request) {
  if (!request.gpus) return workloads::load_machine(request.name, request.limits);
  core::Result<core::MachineSpec> spec = described_spec(request);
  if (!spec) return spec.faults();
  const core::Faults faults = workloads::apply_limits(request.limits, *spec);
  if (!faults.empty()) return faults;
  return core::Machine::create(*std::move(spec));
}

core::Result<core::Machine> choose_machine(const MachineRequest& request,
                                           const Computer& computer) {
  core::Result<core::MachineSpec> spec = requested_spec(request, computer);
  if (!spec) return spec.faults();
  const core::Faults faults = workloads::apply_limits(request.limits, *spec);
  if (!faults.empty()) return faults;
  fit_memory(*spec, computer, gpu_reserve(request.streams));
  const std::size_t real = computer.gpu_memory.size() / computer.devices_per_gpu;
  if (computer.is_cuda && gpu_count(*spec) > real) {  // said wherever the run is told of
    spec->name += ", on " + std::to_string(real) + (real == 1 ? " GPU" : " GPUs");
  }
  for (core::Device& device : spec->devices) {  // as it will be run, and simulated beside
    if (request.streams && device.streams > 0) {
      device.streams = static_cast<std::int32_t>(std::min(*request.streams, 1U << 10U));
    }
  }
  return core::Machine::create(*std::move(spec));
}

Computer with_devices_per_gpu(Computer computer, std::uint32_t count) {
  const std::vector<Bytes> real = std::exchange(computer.gpu_memory, {});
  computer.devices_per_gpu = count;
  for (std::uint32_t round = 0; round < count; ++round) {
    for (const Bytes memory : real) computer.gpu_memory.push_back(Bytes(memory.count() / count));
  }
  return computer;
}

Computer this_computer() {
  Computer computer;
  computer.processors =
      static_cast<std::int32_t>(std::max(1U, std::thread::hardware_concurrency()));
  const std::int64_t page = ::sysconf(_SC_PAGESIZE);
  computer.host_memory = Bytes(::sysconf(_SC_AVPHYS_PAGES) * page);
  // Free pages leave out what caches would give back; Linux says what is available with them.
  std::ifstream memory("/proc/meminfo");
  for (std::string name, unit; memory >> name;) {
    std::int64_t kib = 0;
    memory >> kib;
    std::getline(memory, unit);
    if (name == "MemAvailable:") computer.host_memory = Bytes(kib * 1024);
  }
  return computer;
}

core::Result<Computer> computer_with_gpus() {
  const core::Result<std::vector<exec::cuda::Gpu>> gpus = exec::cuda::find_gpus();
  if (!gpus) return gpus.faults();
  Computer computer = this_computer();
  computer.is_cuda = true;
  for (const exec::cuda::Gpu& gpu : *gpus) computer.gpu_memory.push_back(gpu.free);
  computer.gpus = gpus->front().name + ", driver " + gpus->front().driver;
  return computer;
}

}  // namespace parley::cli
