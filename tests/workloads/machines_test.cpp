// The shipped machines: all of them load, and the measured one does what was measured.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "workloads/machine_file.h"

namespace parley::workloads {
namespace {

using core::Bytes;
using core::Machine;
using core::RouteId;

Machine machine(const std::string& name) {
  core::Result<Machine> loaded = load_machine(name);
  for (const core::Fault& fault : loaded.faults()) MESSAGE(fault.where << ": " << fault.what);
  REQUIRE(loaded.has_value());
  return *std::move(loaded);
}

RouteId route(const Machine& machine, const std::string& from, const std::string& to) {
  const RouteId id = machine.route_id(*machine.find_space(from), *machine.find_space(to));
  REQUIRE_FALSE(id.is_none());
  return id;
}

TEST_CASE("every shipped machine loads, under its own name, and names its source") {
  const std::vector<std::string> names = shipped_machines();
  const std::set<std::string> shipped(names.begin(), names.end());
  for (const char* promised : {"h200x1", "h200x2", "h200x4", "h200x8", "pcie4", "dgx-1v", "a100x4",
                               "cluster", "frontera", "sirocco"}) {
    CHECK_MESSAGE(shipped.contains(promised), promised);
  }
  for (const std::string& name : names) {
    CAPTURE(name);
    const Machine loaded = machine(name);
    CHECK(loaded.name() == name);
    CHECK_FALSE(loaded.spec().source.empty());
  }
}

TEST_CASE("a machine written and read again is the same machine") {
  for (const std::string& name : shipped_machines()) {
    CAPTURE(name);
    const std::string text = format_machine(machine(name).spec());
    const core::Result<core::MachineSpec> again = parse_machine(text, name);
    REQUIRE(again.has_value());
    CHECK(format_machine(*again) == text);
    CHECK(Machine::create(*again).has_value());
  }
}

TEST_CASE("copies within a GPU take what was measured, within 5 %") {
  constexpr std::int64_t kKi = 1024, kMi = 1048576, kGi = 1073741824;
  const std::vector<std::pair<std::int64_t, double>> gb_per_s = {
      {4 * kKi, 0.74},     {64 * kKi, 12.01},    {256 * kKi, 47.43},
      {kMi, 194.43},       {4 * kMi, 759.40},    {16 * kMi, 2507.90},
      {64 * kMi, 1920.03}, {256 * kMi, 2063.81}, {kGi, 2112.37}};
  const Machine h200 = machine("h200x4");
  for (const auto& [bytes, measured] : gb_per_s) {
    const auto& shown = bytes;  // clang 14 captures no structured bindings
    CAPTURE(shown);
    const auto ns = h200.copy_duration(route(h200, "gpu0", "gpu0"), Bytes(bytes)).count();
    const double modelled = static_cast<double>(bytes) / static_cast<double>(ns);  // GB/s
    CHECK(modelled == doctest::Approx(measured).epsilon(0.05));
  }
}

TEST_CASE("half of the peak at about 0.8 MiB between GPUs and 0.12 MiB from the host") {
  const Machine h200 = machine("h200x4");
  const auto rate = [&](const char* from, double mebibytes) {
    const auto bytes = static_cast<std::int64_t>(mebibytes * 1048576.0);
    const auto ns = h200.copy_duration(route(h200, from, "gpu1"), Bytes(bytes)).count();
    return static_cast<double>(bytes) / static_cast<double>(ns);
  };
  CHECK(rate("gpu0", 0.7) < 0.5 * 395.0);
  CHECK(rate("gpu0", 0.95) > 0.5 * 395.0);
  CHECK(rate("host", 0.10) < 0.5 * 55.0);
  CHECK(rate("host", 0.15) > 0.5 * 55.0);
}

/// Capacities, in GB/s, of the resources on the way, by name.
std::vector<std::pair<std::string, double>> limits(const Machine& machine, RouteId id) {
  std::vector<std::pair<std::string, double>> found;
  for (const core::Via& via : machine.route(id).via) {
    const core::Resource& resource = machine.spec().resources[via.resource];
    found.emplace_back(resource.name, resource.capacity.bytes_per_s() / 1e9);
  }
  return found;
}

TEST_CASE("what queues and what shares on h200x4 is what was measured to") {
  const Machine h200 = machine("h200x4");
  // Copies out of one GPU queue on one engine; copies into one GPU share its port.
  const core::Route& to1 = h200.route(route(h200, "gpu0", "gpu1"));
  const core::Route& to2 = h200.route(route(h200, "gpu0", "gpu2"));
  const core::Route& from2 = h200.route(route(h200, "gpu2", "gpu1"));
  REQUIRE(to1.engines.size() == 1);
  CHECK(h200.spec().engines[to1.engines[0]].slots == 1);
  CHECK(to1.engines == to2.engines);
  CHECK(to1.engines != from2.engines);
  using Limits = std::vector<std::pair<std::string, double>>;
  const Limits peer = limits(h200, route(h200, "gpu0", "gpu1"));
  CHECK(peer == Limits{{"gpu0.egress", 401.0},
                       {"gpu1.ingress", 401.0},
                       {"gpu0.ports", 783.9},
                       {"gpu1.ports", 783.9}});
  // The host's memory limits each direction and both together; so does each link.
  CHECK(limits(h200, route(h200, "host", "gpu1")) ==
        Limits{{"gpu1.pcie", 99.4}, {"host.out", 169.0}, {"host.both", 163.7}});
  CHECK(limits(h200, route(h200, "gpu1", "host")) ==
        Limits{{"gpu1.pcie", 99.4}, {"host.in", 140.5}, {"host.both", 163.7}});
}

TEST_CASE("h200x1, x2 and x8 are h200x4 with another number of GPUs") {
  for (const auto& [name, gpus] : {std::pair("h200x1", 1U), {"h200x2", 2U}, {"h200x8", 8U}}) {
    const auto& shown = name;  // clang 14 captures no structured bindings
    CAPTURE(shown);
    const Machine loaded = machine(name);
    CHECK(loaded.space_count() == gpus + 1);
    CHECK(loaded.device_count() == gpus + 1);
    CHECK(loaded.spec().kernels == machine("h200x4").spec().kernels);
    const RouteId id = route(loaded, "gpu0", "host");
    CHECK(loaded.copy_duration(id, Bytes(65536)).count() == 3389);
  }
  CHECK(machine("h200x8").spec().source.find("extrapolated") != std::string::npos);
}

TEST_CASE("sustained kernels take longer than short runs, the others as long") {
  const core::KernelTable fast = machine("h200x4").spec().kernels;
  const core::KernelTable slow = machine("h200x4-sustained").spec().kernels;
  CHECK(slow.at("trsm") == fast.at("trsm"));
  CHECK(slow.at("gemm").at("gpu").at("float32") == fast.at("gemm").at("gpu").at("float32"));
  const auto& sustained = slow.at("gemm").at("gpu").at("float64");
  const auto& burst = fast.at("gemm").at("gpu").at("float64");
  REQUIRE(sustained.size() == burst.size());
  for (std::size_t i = 0; i < burst.size(); ++i) CHECK(sustained[i].second >= burst[i].second);
  CHECK(sustained[3].second.count() == 338186);  // 2 * 2048^3 flops at 50.8 TFLOP/s
}

TEST_CASE("the hybrid cube mesh has one or two links a pair, six a GPU, and gaps") {
  const Machine dgx = machine("dgx-1v");
  for (std::size_t a = 0; a < 8; ++a) {
    double rate = 0.0;
    int neighbours = 0;
    for (std::size_t b = 0; b < 8; ++b) {
      const RouteId id = dgx.route_id(*dgx.find_space("gpu" + std::to_string(a)),
                                      *dgx.find_space("gpu" + std::to_string(b)));
      if (a == b || id.is_none()) continue;
      rate += dgx.route(id).rate_cap.bytes_per_s();
      ++neighbours;
    }
    CHECK(neighbours == 4);
    CHECK(rate == doctest::Approx(6 * 2.395e10));
  }
}

TEST_CASE("GPUs of a cluster reach each other and all hosts over the network, by GPUDirect") {
  const Machine cluster = machine("cluster");
  const core::Route& far = cluster.route(route(cluster, "host", "gpu15"));
  CHECK(far.kind == "network");
  CHECK(far.latency.count() == 2000);
  CHECK(far.rate_cap.bytes_per_s() == doctest::Approx(2.5e10));
  CHECK(cluster.host_of(*cluster.find_space("gpu15")) == *cluster.find_space("host3"));
  using Limits = std::vector<std::pair<std::string, double>>;
  CHECK(limits(cluster, route(cluster, "gpu0", "gpu4")) == Limits{{"gpu0.pcie_out", 25.0},
                                                                  {"host.nic_out", 100.0},
                                                                  {"gpu4.pcie_in", 25.0},
                                                                  {"host1.nic_in", 100.0}});
}

TEST_CASE("frontera has peer links within two pairs only") {
  const Machine frontera = machine("frontera");
  const auto has = [&](const char* from, const char* to) {
    return !frontera.route_id(*frontera.find_space(from), *frontera.find_space(to)).is_none();
  };
  CHECK(has("gpu0", "gpu1"));
  CHECK(has("gpu3", "gpu2"));
  CHECK_FALSE(has("gpu1", "gpu2"));
}

}  // namespace
}  // namespace parley::workloads
