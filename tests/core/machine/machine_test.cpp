#include "core/machine/machine.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

namespace parley::core {
namespace {

/// A host and two GPUs: each GPU next to the host, and gpu0 to gpu1 directly.
MachineSpec two_gpus() {
  MachineSpec spec;
  spec.name = "two";
  const SpaceId host = spec.spaces.push_back({"host", Bytes(1000), "", true});
  const SpaceId gpu0 = spec.spaces.push_back({"gpu0", Bytes(1000), "", false});
  const SpaceId gpu1 = spec.spaces.push_back({"gpu1", Bytes(1000), "", false});
  spec.devices.push_back({"cpu", "cpu", host, 4, {}, 2e9, Duration(5)});
  spec.devices.push_back({"gpu:0", "gpu", gpu0, 1, {{"float64", 1e12}}, 4e9, Duration(7)});
  spec.devices.push_back({"gpu:1", "gpu", gpu1, 1, {{"float64", 1e12}}, 0.0, Duration(7)});
  const ResourceId link = spec.resources.push_back({"link", Bandwidth(1e9)});
  const CopyEngineId engine = spec.engines.push_back({"engine", 1});
  const auto add = [&](SpaceId from, SpaceId to) {
    Route route;
    route.from = from;
    route.to = to;
    route.via = {{link, 1.0}};
    route.engines = {engine};
    route.latency = Duration(100);
    spec.routes.push_back(route);
  };
  add(host, gpu0);
  add(gpu0, host);
  add(host, gpu1);
  add(gpu1, host);
  add(gpu0, gpu1);
  return spec;
}

/// One a line, so that a failed check shows them.
std::string lines(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += text + "\n";
  return all;
}

std::vector<std::string> faults_of(MachineSpec spec) {
  const Result<Machine> machine = Machine::create(std::move(spec));
  std::vector<std::string> texts;
  for (const Fault& fault : machine.faults()) texts.push_back(fault.where + ": " + fault.what);
  return texts;
}

TEST_CASE("each fault of a machine is named with its place") {
  struct Case {
    std::function<void(MachineSpec&)> break_it;
    std::vector<std::string> faults;
  };
  const SpaceId gpu0(1);
  const std::vector<Case> cases = {
      {[](MachineSpec& s) { s.name = ""; }, {"name: the machine has no name"}},
      {[](MachineSpec& s) { s.spaces[SpaceId(1)].name = ""; },
       {"spaces[1].name: the name is empty"}},
      {[](MachineSpec& s) { s.spaces[SpaceId(2)].name = "gpu0"; },
       {"spaces[2].name: \"gpu0\" is the name of spaces[1] too"}},
      {[](MachineSpec& s) { s.spaces[SpaceId(1)].capacity = Bytes(-1); },
       {"spaces[1].bytes: \"gpu0\" holds -1 bytes; it must hold at least 1"}},
      {[](MachineSpec& s) { s.spaces[SpaceId(0)].is_host = false; },
       {"spaces: the machine has no host space; arrays have their homes there"}},
      {[](MachineSpec& s) { s.spaces[SpaceId(1)].is_host = true; },
       {"spaces: the machine has several host spaces (\"host\", \"gpu0\"); it may have one"}},
      {[](MachineSpec& s) { s.spaces[SpaceId(1)].node = "n1"; },
       {"spaces: node \"n1\" has no host space; arrays have their homes there"}},
      {[](MachineSpec& s) { s.devices[DeviceId(1)].space = SpaceId::none(); },
       {"devices[1].space: \"gpu:0\" has no memory space"}},
      {[](MachineSpec& s) { s.devices[DeviceId(1)].device_class = ""; },
       {"devices[1].class: \"gpu:0\" has no class"}},
      {[](MachineSpec& s) { s.devices[DeviceId(1)].slots = 0; },
       {"devices[1].slots: \"gpu:0\" has 0 slots; it must have at least 1"}},
      {[](MachineSpec& s) { s.devices[DeviceId(1)].flops_per_s["float46"] = 1.0; },
       {"devices[1].flops_per_s: unknown dtype \"float46\"; did you mean \"float16\"?"}},
      {[](MachineSpec& s) { s.devices[DeviceId(1)].flops_per_s["float64"] = -1.0; },
       {"devices[1].flops_per_s.float64: \"gpu:0\": a rate must be positive"}},
      {[](MachineSpec& s) { s.devices[DeviceId(1)].launch = Duration(-7); },
       {"devices[1].launch_ns: \"gpu:0\": a duration must not be negative"}},
      {[](MachineSpec& s) { s.devices[DeviceId(1)].saturation = 1e-17; },
       {"devices[1].saturation: \"gpu:0\": a saturation must be from 0.01 to 100"}},
      {[](MachineSpec& s) { s.devices[DeviceId(1)].saturation = 101.0; },
       {"devices[1].saturation: \"gpu:0\": a saturation must be from 0.01 to 100"}},
      {[](MachineSpec& s) { s.devices[DeviceId(1)].name = "gpu"; },
       {"devices[1].name: \"gpu\" is the name of a class with other devices too"}},
      {[](MachineSpec& s) { s.devices[DeviceId(1)].name = "any"; },
       {"devices[1]: \"any\" means every device; rename it"}},
      {[](MachineSpec& s) { s.spaces[SpaceId(0)].name = "gpu:1"; },
       {"spaces[0].name: \"gpu:1\" is the name of a device or class of another space too"}},
      {[](MachineSpec& s) { s.resources[ResourceId(0)].capacity = Bandwidth(0.0); },
       {"resources[0].bytes_per_s: \"link\": the bandwidth must be positive"}},
      {[](MachineSpec& s) {
         s.resources.push_back({"spare", Bandwidth(1.0)});
       },
       {"resources[1]: no route uses \"spare\""}},
      {[](MachineSpec& s) {
         s.engines.push_back({"spare", 0});
       },
       {"engines[1].slots: \"spare\" has 0 slots; it must have at least 1",
        "engines[1]: no route uses \"spare\""}},
      {[](MachineSpec& s) { s.routes[4].to = SpaceId(9); },
       {"routes[4].to: the route leads nowhere: no such memory space"}},
      {[gpu0](MachineSpec& s) { s.routes[4].to = gpu0, s.routes[4].from = SpaceId(0); },
       {"routes[4]: \"host\" to \"gpu0\" has a route already: routes[0]"}},
      {[](MachineSpec& s) {
         s.routes[0].via = {{ResourceId(4), 1.0}};
       },
       {"routes[0].via[0]: \"host\" to \"gpu0\": no such resource"}},
      {[](MachineSpec& s) {
         s.routes[0].via.push_back({ResourceId(0), 0.0});
       },
       {"routes[0].via[1]: \"host\" to \"gpu0\": \"link\" is named twice; add the weights",
        "routes[0].via[1]: \"host\" to \"gpu0\": the weight must be positive"}},
      {[](MachineSpec& s) { s.routes[0].engines.push_back(CopyEngineId(0)); },
       {"routes[0].engines[1]: \"host\" to \"gpu0\": \"engine\" is named twice"}},
      {[](MachineSpec& s) { s.routes[0].latency = Duration(-1); },
       {"routes[0].latency_ns: \"host\" to \"gpu0\": the latency is negative"}},
      {[](MachineSpec& s) { s.routes[0].rate_cap = Bandwidth(-1.0); },
       {"routes[0].bytes_per_s: \"host\" to \"gpu0\": the bandwidth must be positive"}},
      {[](MachineSpec& s) {
         s.routes[0].curve = {{1, 1}, {2, 2}};
       },
       {"routes[0].curve: \"host\" to \"gpu0\": a curve stands instead of latency_ns and "
        "bytes_per_s"}},
      {[](MachineSpec& s) {
         s.routes[0].latency = Duration(0);
         s.routes[0].curve = {{0, 10}, {5, 20}, {9, 20}};
       },
       {"routes[0].curve[2]: \"host\" to \"gpu0\": a curve must rise at its end, whose pace larger "
        "copies keep"}},
      {[](MachineSpec& s) {
         s.routes[0].latency = Duration(0);
         s.routes[0].curve = {{5, 10}, {5, 9}};
       },
       {"routes[0].curve[1]: \"host\" to \"gpu0\": bytes must grow from point to point",
        "routes[0].curve[1]: \"host\" to \"gpu0\": a larger copy must not take less time"}},
      {[](MachineSpec& s) {
         s.relays.push_back({SpaceId(2), SpaceId(1), {SpaceId(2)}});
       },
       {"relays[0]: \"gpu1\" to \"gpu0\": \"gpu1\" is on the way more than once"}},
      {[](MachineSpec& s) {
         s.relays.push_back({SpaceId(0), SpaceId(1), {SpaceId(2)}});
       },
       {"relays[0]: \"host\" to \"gpu0\" has a route already"}},
      {[](MachineSpec& s) { s.host.round_trip = Duration(-1); },
       {"host.round_trip_ns: a duration must not be negative"}},
      {[](MachineSpec& s) {
         s.kernels["gem"]["gpu"]["float64"] = {{256, Duration(1)}};
         s.kernels["gemm"]["gpx"]["float64"] = {{256, Duration(1)}};
         s.kernels["gemm"]["gpu"]["float64"] = {{256, Duration(1)}, {128, Duration(-1)}};
       },
       {"kernels: unknown kernel \"gem\"; did you mean \"gemm\"?",
        "kernels.gemm.gpu.float64[1]: a duration must not be negative",
        "kernels.gemm.gpu.float64[1]: sizes must grow from point to point",
        "kernels.gemm: unknown device or class \"gpx\"; did you mean \"gpu\"?"}},
  };
  REQUIRE(faults_of(two_gpus()).empty());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(i);
    MachineSpec spec = two_gpus();
    cases[i].break_it(spec);
    CHECK(lines(faults_of(std::move(spec))) == lines(cases[i].faults));
  }
}

TEST_CASE("all faults of a machine are reported at once") {
  MachineSpec spec = two_gpus();
  spec.name = "";
  spec.devices[DeviceId(0)].slots = -1;
  spec.resources[ResourceId(0)].capacity = Bandwidth(-2.0);
  spec.routes[3].latency = Duration(-1);
  CHECK(faults_of(std::move(spec)).size() == 4);
}

TEST_CASE("an empty machine is refused") {
  CHECK(faults_of(MachineSpec()) == std::vector<std::string>{"name: the machine has no name",
                                                             "spaces: there is no memory space",
                                                             "devices: there is no device"});
}

TEST_CASE("a space that no route reaches from the host is refused, both ways") {
  MachineSpec spec = two_gpus();
  spec.routes.erase(spec.routes.begin() + 3, spec.routes.end());  // leaves gpu1 without a way out
  CHECK(faults_of(std::move(spec)) ==
        std::vector<std::string>{"routes: there is no way from \"gpu1\" to \"host\"; every space "
                                 "must reach every host, and be reached"});
}

TEST_CASE("a lone copy goes at the lowest of its own cap and its resources' capacities") {
  MachineSpec spec = two_gpus();
  spec.routes[0].via[0].weight = 4.0;          // 0.25 GB/s
  spec.routes[1].rate_cap = Bandwidth(0.5e9);  // below the link's 1 GB/s
  spec.routes[2].rate_cap = Bandwidth(2e9);    // above it
  const Machine machine = *Machine::create(std::move(spec));
  const auto time = [&](int from, int to) {
    const RouteId route = machine.route_id(SpaceId(std::size_t(from)), SpaceId(std::size_t(to)));
    return machine.copy_duration(route, Bytes(1000)).count();
  };
  CHECK(time(0, 1) == 100 + 4000);
  CHECK(time(1, 0) == 100 + 2000);
  CHECK(time(0, 2) == 100 + 1000);
}

TEST_CASE("a curve is flat before its first point and goes on with its last slope") {
  MachineSpec spec = two_gpus();
  spec.routes[0].latency = Duration(0);
  spec.routes[0].curve = {{100, 50}, {200, 60}, {400, 160}};
  const Machine machine = *Machine::create(std::move(spec));
  const RouteId route = machine.route_id(SpaceId(0), SpaceId(1));
  const std::vector<std::pair<std::int64_t, std::int64_t>> expected = {
      {0, 50}, {100, 50}, {150, 55}, {200, 60}, {300, 110}, {400, 160}, {1000, 460}};
  for (const auto& [bytes, ns] : expected) {
    const auto& shown = bytes;  // clang 14 captures no structured bindings
    CAPTURE(shown);
    CHECK(machine.copy_duration(route, Bytes(bytes)).count() == ns);
  }
}

TEST_CASE("a space's copies to itself read and write its device's memory") {
  const Machine machine = *Machine::create(two_gpus());
  const auto time = [&](std::size_t space) {
    const RouteId route = machine.route_id(SpaceId(space), SpaceId(space));
    return machine.copy_duration(route, Bytes(1000)).count();
  };
  CHECK(time(1) == 7 + 500);  // 4 GB/s, read and written
  CHECK(time(2) == 0);        // no rate stated
}

TEST_CASE("GPU pairs without a route have none: the home slot is the way") {
  const Machine machine = *Machine::create(two_gpus());
  CHECK(machine.route_id(SpaceId(2), SpaceId(1)).is_none());
  CHECK_FALSE(machine.route_id(SpaceId(1), SpaceId(2)).is_none());
}

TEST_CASE("a relay through a GPU is one pipelined route over all its legs") {
  MachineSpec spec = two_gpus();
  const SpaceId gpu2 = spec.spaces.push_back({"gpu2", Bytes(1000), "", false});
  const ResourceId second = spec.resources.push_back({"second", Bandwidth(2e8)});
  const CopyEngineId other = spec.engines.push_back({"other", 1});
  Route route;
  route.from = SpaceId(1);
  route.to = gpu2;
  route.via = {{second, 1.0}, {ResourceId(0), 0.5}};
  route.engines = {other, CopyEngineId(0)};
  route.latency = Duration(30);
  spec.routes.push_back(route);
  std::swap(route.from, route.to);
  spec.routes.push_back(route);
  spec.relays.push_back({gpu2, SpaceId(2), {SpaceId(1)}});
  const Machine machine = *Machine::create(std::move(spec));

  const RouteId id = machine.route_id(gpu2, SpaceId(2));
  REQUIRE_FALSE(id.is_none());
  const Route& relay = machine.route(id);
  CHECK(relay.latency == Duration(130));
  CHECK(relay.rate_cap.bytes_per_s() == doctest::Approx(2e8));
  REQUIRE(relay.via.size() == 2);
  CHECK(relay.via[0].weight == doctest::Approx(1.0));
  CHECK(relay.via[1].weight == doctest::Approx(1.5));  // crosses the link on both legs
  CHECK(relay.engines.size() == 2);
  // gpu2 has no link to the host of its own: its copies go through gpu0.
  const RouteId home = machine.route_id(gpu2, SpaceId(0));
  REQUIRE_FALSE(home.is_none());
  CHECK(machine.route(home).latency == Duration(130));
}

TEST_CASE("a relay through the host alone adds no route") {
  MachineSpec spec = two_gpus();
  spec.relays.push_back({SpaceId(2), SpaceId(1), {SpaceId(0)}});
  const Machine machine = *Machine::create(std::move(spec));
  CHECK(machine.route_id(SpaceId(2), SpaceId(1)).is_none());
}

TEST_CASE("legs with a curve make a curve: start-ups add up, the slowest leg sets the pace") {
  MachineSpec spec = two_gpus();
  spec.routes.erase(spec.routes.begin() + 2);  // host to gpu1, so the way is by gpu0
  spec.routes[0].latency = Duration(0);
  spec.routes[0].curve = {{0, 10}, {100, 60}, {200, 360}};  // 0.5, then 3 ns a byte
  const Machine machine = *Machine::create(std::move(spec));
  const RouteId id = machine.route_id(SpaceId(0), SpaceId(2));
  REQUIRE_FALSE(id.is_none());
  const auto time = [&](std::int64_t bytes) {
    return machine.copy_duration(id, Bytes(bytes)).count();
  };
  CHECK(time(0) == 10 + 100);
  CHECK(time(100) == 110 + 100);  // the second leg takes 1 ns a byte
  CHECK(time(200) == 110 + 350);
  CHECK(time(300) == 110 + 650);
}

TEST_CASE("hosts of other nodes are reached over as few legs as possible") {
  MachineSpec spec = two_gpus();
  const SpaceId far = spec.spaces.push_back({"far", Bytes(1000), "n1", true});
  const ResourceId net = spec.resources.push_back({"net", Bandwidth(1e8)});
  for (const auto& [from, to] : {std::pair(SpaceId(0), far), std::pair(far, SpaceId(0))}) {
    Route route;
    route.from = from;
    route.to = to;
    route.via = {{net, 1.0}};
    route.latency = Duration(1000);
    spec.routes.push_back(route);
  }
  const Machine machine = *Machine::create(std::move(spec));
  CHECK(machine.host_of(SpaceId(1)) == SpaceId(0));
  CHECK(machine.host_of(far) == far);
  const RouteId id = machine.route_id(far, SpaceId(2));
  REQUIRE_FALSE(id.is_none());
  CHECK(machine.copy_duration(id, Bytes(100)).count() == 1100 + 1000);
  CHECK(machine.find_space("far") == far);
  CHECK_FALSE(machine.find_space("near").has_value());
  CHECK(machine.find_space("host") == SpaceId(0));
  CHECK(machine.find_device("gpu:1") == DeviceId(2));
}

}  // namespace
}  // namespace parley::core
