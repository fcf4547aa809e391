// The link library: what each type makes of a machine file, the way a user writes it, as far as a
// copy notices: what it crosses, how long it takes. And what a file with a fault says.
#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include "workloads/machine_file.h"

namespace parley::workloads {
namespace {

using core::Bytes;
using core::Machine;

/// A machine of the given hosts, one a node, with `gpus` GPUs each, and the given links.
std::string machine_text(const std::vector<std::string>& hosts, int gpus, const std::string& links,
                         const std::string& rest = "") {
  std::string spaces, nodes;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const std::string node = "\"n" + std::to_string(i) + "\"";
    spaces += std::string(i > 0 ? "," : "") + R"({"name": ")" + hosts[i] +
              R"(", "bytes": "1GiB", "host": true, "node": )" + node + "}";
    nodes += (i > 0 ? "," : "") + node;
  }
  return R"({"format": "parley-machine", "version": 1, "name": "m", "spaces": [)" + spaces +
         R"(], "devices": [{"name": "cpu", "class": "cpu", "space": ")" + hosts[0] +
         R"("}], "gpus": {"count": )" + std::to_string(gpus) + R"(, "nodes": [)" + nodes +
         R"(], "bytes": "1GiB"}, "links": [)" + links + "]" + rest + "}";
}

/// Of reading and completing; empty when there is none.
std::string faults_said(const std::string& json) {
  std::string all;
  const auto note = [&](const core::Faults& faults) {
    for (const core::Fault& fault : faults) all += fault.where + ": " + fault.what + "\n";
  };
  const core::Result<core::MachineSpec> spec = parse_machine(json, "m.json");
  note(spec.faults());
  if (spec) note(Machine::create(*spec).faults());
  return all;
}

Machine machine_of(const std::string& json) {
  REQUIRE(faults_said(json) == "");
  return *Machine::create(*parse_machine(json, "m.json"));
}

/// "a b*0.5 [e]" for the resources, weights and engines of a route; "none".
std::string way(const Machine& machine, const std::string& from, const std::string& to) {
  const core::RouteId id = machine.route_id(*machine.find_space(from), *machine.find_space(to));
  if (id.is_none()) return "none";
  std::string text;
  for (const core::Via& via : machine.route(id).via) {
    text += (text.empty() ? "" : " ") + machine.spec().resources[via.resource].name;
    if (via.weight != 1.0) text += "*" + std::to_string(via.weight).substr(0, 3);
  }
  for (const core::CopyEngineId engine : machine.route(id).engines) {
    text += (text.empty() ? "[" : " [") + machine.spec().engines[engine].name + "]";
  }
  return text;
}

std::int64_t ns(const Machine& machine, const std::string& from, const std::string& to,
                std::int64_t bytes) {
  const core::RouteId id = machine.route_id(*machine.find_space(from), *machine.find_space(to));
  REQUIRE_FALSE(id.is_none());
  return machine.copy_duration(id, Bytes(bytes)).count();
}

const std::string kPcie = R"({"type": "pcie", "spaces": "gpus",
    "to_device": {"latency_ns": 100, "bytes_per_s": 1e9},
    "from_device": {"latency_ns": 200, "bytes_per_s": 1e9})";

TEST_CASE("pcie: switches and root complexes above so many GPUs, limits by direction") {
  const Machine machine = machine_of(machine_text({"host"}, 8, kPcie + R"(,
      "per_switch": 2, "switch_bytes_per_s": 1.5e9, "per_root": 4, "root_out_bytes_per_s": 2e9,
      "root_both_bytes_per_s": {"bytes_per_s": 3e9, "to_device": 0.5},
      "peer": {"bytes_per_s": 9e8}, "peer_across": {"bytes_per_s": 5e8}})"));
  CHECK(way(machine, "host", "gpu5") ==
        "gpu5.pcie_in host.switch2.down host.root1.out host.root1.both*0.5 [gpu5.from_host]");
  CHECK(way(machine, "gpu5", "host") ==
        "gpu5.pcie_out host.switch2.up host.root1.both [gpu5.to_host]");
  CHECK(way(machine, "gpu0", "gpu1") == "gpu0.pcie_out gpu1.pcie_in [gpu0.peer_out]");
  CHECK(way(machine, "gpu0", "gpu2") ==
        "gpu0.pcie_out host.switch0.up host.switch1.down gpu2.pcie_in [gpu0.peer_out]");
  CHECK(way(machine, "gpu0", "gpu4") ==
        "gpu0.pcie_out host.switch0.up host.root0.both host.root1.out host.root1.both*0.5 "
        "host.switch2.down gpu4.pcie_in [gpu0.peer_out]");
  CHECK(ns(machine, "gpu0", "gpu1", 900) == 1000);
  CHECK(ns(machine, "gpu0", "gpu4", 500) == 1000);
}

/// A pcie link to the GPUs named, with more members.
std::string pcie_of(const std::string& gpus, const std::string& more) {
  return R"({"type": "pcie", "spaces": [)" + gpus + R"(], "to_device": {"bytes_per_s": 1e9},
      "from_device": {"bytes_per_s": 1e9})" +
         more + "}";
}

TEST_CASE("two pcie links of a host have switches of their own, and share what they name alike") {
  const std::string switches = R"(, "per_switch": 1, "switch_bytes_per_s": 1.5e9,
      "per_root": 2, "root_in_bytes_per_s": 2e9, "host_out_bytes_per_s": 4e9)";
  const Machine machine = machine_of(machine_text(
      {"host"}, 4,
      pcie_of(R"("gpu0", "gpu1")", switches) + "," + pcie_of(R"("gpu2", "gpu3")", switches)));
  CHECK(way(machine, "host", "gpu1") == "host.switch1.down host.out [gpu1.from_host]");
  CHECK(way(machine, "host", "gpu2") == "host.switch2.down host.out [gpu2.from_host]");
  CHECK(way(machine, "gpu3", "host") == "host.switch3.up host.root1.in [gpu3.to_host]");
}

TEST_CASE("peers that NVLink or a relay joins do not use PCIe, wherever the file has them") {
  const std::string pcie = kPcie + R"(, "peer": {"bytes_per_s": 5e8}})";
  const std::string nvlink =
      R"({"type": "nvlink", "bytes_per_s": 1e9, "pairs": [["gpu0", "gpu1"]]})";
  for (const std::string& links : {pcie + "," + nvlink, nvlink + "," + pcie}) {
    const Machine machine =
        machine_of(machine_text({"host"}, 3, links,
                                R"(, "routes": [{"from": "gpu2", "to": "gpu0", "relay": ["gpu1"]},
                                     {"from": "gpu1", "to": "gpu2", "bytes_per_s": 3e8}])"));
    CHECK(way(machine, "gpu1", "gpu0") == "gpu1-gpu0 [gpu1.peer_out]");
    CHECK(way(machine, "gpu0", "gpu2") == "gpu0.pcie_out gpu2.pcie_in [gpu0.peer_out]");
    CHECK(way(machine, "gpu2", "gpu0") ==
          "gpu2.pcie_out gpu1.pcie_in gpu1-gpu0 [gpu2.peer_out] [gpu1.peer_out]");
    CHECK(way(machine, "gpu1", "gpu2") == "");
  }
}

TEST_CASE("sockets: two nodes whose memories are joined; the other socket's GPUs are farther") {
  const Machine machine = machine_of(machine_text(
      {"host", "host1"}, 1,
      kPcie + R"(}, {"type": "socket", "spaces": "hosts", "latency_ns": 50, "bytes_per_s": 5e8})"));
  CHECK(way(machine, "host", "gpu0") == "[gpu0.from_host]");
  CHECK(way(machine, "host", "gpu1") == "host-host1 [gpu1.from_host]");
  CHECK(way(machine, "gpu1", "host") == "host1-host [gpu1.to_host]");
  CHECK(ns(machine, "host", "gpu0", 1000) == 1100);
  CHECK(ns(machine, "host", "gpu1", 1000) == 100 + 50 + 2000);
  CHECK(way(machine, "gpu0", "gpu1") == "none");  // by the home slot
}

TEST_CASE("a hybrid mesh: a relay through a neighbour is one pipelined copy over both links") {
  const Machine machine = machine_of(machine_text(
      {"host"}, 3, kPcie + R"(}, {"type": "nvlink", "latency_ns": 10, "bytes_per_s": 1e9,
                                  "pairs": [["gpu0", "gpu1", 2], ["gpu1", "gpu2"]]})",
      R"(, "routes": [{"from": "gpu0", "to": "gpu2", "relay": ["gpu1"]}])"));
  CHECK(way(machine, "gpu0", "gpu2") == "gpu0-gpu1 gpu1-gpu2 [gpu0.peer_out] [gpu1.peer_out]");
  CHECK(ns(machine, "gpu0", "gpu2", 1000) == 10 + 10 + 1000);
  CHECK(way(machine, "gpu2", "gpu0") == "none");  // nobody stated it: by the home slot
}

TEST_CASE("networks: GPUs past host memory, through it, or not by themselves") {
  const auto network = [](const std::string& gpus) {
    return machine_of(machine_text(
        {"a", "b"}, 2,
        R"({"type": "network", "spaces": "hosts",
        "latency_ns": 1000, "bytes_per_s": 1e9, "port_bytes_per_s": 2e9)" +
            gpus + "}," + kPcie +
            R"(, "link_bytes_per_s": 3e9, "host_out_bytes_per_s": 4e9, "host_in_bytes_per_s": 5e9,
            "host_both_bytes_per_s": 6e9})"));
  };
  const Machine direct = network(R"(, "gpus": "direct", "gpu_port_bytes_per_s": 5e8)");
  CHECK(way(direct, "gpu0", "gpu2") ==
        "gpu0.pcie_out gpu0.pcie gpu0.nic_out gpu2.pcie_in gpu2.pcie gpu2.nic_in");
  CHECK(way(direct, "a", "gpu2") == "a.out a.both a.nic_out gpu2.pcie_in gpu2.pcie gpu2.nic_in");
  CHECK(way(direct, "b", "a") == "b.out b.both b.nic_out a.in a.both a.nic_in");
  CHECK(ns(direct, "gpu0", "gpu2", 500) == 1000 + 1000);
  CHECK(ns(direct, "b", "a", 500) == 1000 + 500);
  // A GPU's own link carries what goes to host memory and past it, stated or not.
  const Machine narrow = machine_of(machine_text({"a", "b"}, 1, kPcie + R"(},
      {"type": "network", "spaces": "hosts", "gpus": "direct", "bytes_per_s": 9e9})"));
  CHECK(way(narrow, "gpu0", "gpu1") == "gpu0.pcie_out a.nic_out gpu1.pcie_in b.nic_in");
  CHECK(way(narrow, "b", "gpu1") == "gpu1.pcie_in [gpu1.from_host]");
  CHECK(ns(narrow, "gpu0", "gpu1", 1000) == 1000);
  // Beside a limit of both ways together; and over links that are no PCIe all of the way.
  const Machine joint =
      machine_of(machine_text({"a", "b"}, 1, kPcie + R"(, "link_bytes_per_s": 15e8},
      {"type": "network", "spaces": "hosts", "gpus": "direct", "bytes_per_s": 9e9})"));
  CHECK(way(joint, "gpu0", "gpu1") ==
        "gpu0.pcie_out gpu0.pcie a.nic_out gpu1.pcie_in gpu1.pcie b.nic_in");
  const Machine bus = machine_of(machine_text({"a", "b"}, 1, R"({"type": "shared_bus",
      "spaces": ["a", "gpu0"], "bytes_per_s": 2e9}, {"type": "nvlink", "bytes_per_s": 3e9,
      "pairs": [["b", "gpu1"]]},
      {"type": "network", "spaces": "hosts", "gpus": "direct", "bytes_per_s": 9e9})"));
  CHECK(way(bus, "gpu0", "gpu1") == "bus a.nic_out b-gpu1 b.nic_in");
  CHECK(way(bus, "gpu0", "a") == "bus");
  const Machine through = network(R"(, "gpus": "through_host")");
  // Written to and read from host memory on the one node, and again on the other.
  CHECK(way(through, "gpu0", "gpu2") ==
        "gpu0.pcie a.in a.both*2.0 a.out a.nic_out b.in b.both*2.0 b.nic_in gpu2.pcie b.out "
        "[gpu0.to_host] [gpu2.from_host]");
  CHECK(ns(through, "gpu0", "gpu2", 1000) == 200 + 1000 + 100 + 1000);
  const Machine hosts = network("");
  CHECK(way(hosts, "gpu0", "gpu2") == "none");
  CHECK(way(hosts, "a", "gpu2") == "a.nic_out b.nic_in gpu2.pcie b.out b.both [gpu2.from_host]");
}

TEST_CASE("a fat tree: copies cross the levels up to the switch that both nodes are below") {
  const std::vector<std::string> hosts = {"h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7"};
  const Machine machine = machine_of(machine_text(hosts, 1,
                                                  R"({"type": "network", "spaces": "hosts",
      "gpus": "direct", "latency_ns": 1000, "bytes_per_s": 1e9,
      "tree": [{"nodes": 2, "bytes_per_s": 8e8, "latency_ns": 300},
               {"nodes": 4, "bytes_per_s": 5e8, "latency_ns": 500}]},)" +
                                                      kPcie + "}"));
  CHECK(way(machine, "gpu0", "gpu1") == "gpu0.pcie_out h0.nic_out gpu1.pcie_in h1.nic_in");
  CHECK(way(machine, "gpu1", "gpu2") ==
        "gpu1.pcie_out h1.nic_out network.level0.0.up network.level0.1.down gpu2.pcie_in "
        "h2.nic_in");
  CHECK(way(machine, "gpu0", "h7") ==
        "gpu0.pcie_out h0.nic_out network.level0.0.up network.level1.0.up network.level1.1.down "
        "network.level0.3.down h7.nic_in");
  CHECK(ns(machine, "gpu0", "gpu1", 1000) == 1000 + 1000);
  CHECK(ns(machine, "gpu0", "gpu2", 800) == 1300 + 1000);
  CHECK(ns(machine, "gpu0", "h7", 500) == 1800 + 1000);
}

TEST_CASE("a template of 1,024 GPUs in 128 nodes loads at once, and estimates make no routes") {
  const auto start = std::chrono::steady_clock::now();
  const core::Result<Machine> machine = load_machine("dgx-h200:gpus=8,nodes=128");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  REQUIRE(machine.has_value());
  CHECK(took.count() < 5.0);  // 0.05 s; sanitizers are slow
  CHECK(machine->space_count() == 1024 + 128);
  CHECK(machine->device_count() == 1024 + 128);
  CHECK(machine->stated_route_count() < 11000);
  CHECK(machine->host_of(*machine->find_space("gpu1023")) == *machine->find_space("host127"));
  CHECK(machine->device(*machine->find_device("cpu:127")).space == *machine->find_space("host127"));
  const core::SpaceId from = *machine->find_space("gpu7"), to = *machine->find_space("gpu1000");
  const core::RouteId id = machine->route_id(from, to);
  const core::Route& route = machine->route(id);
  CHECK(&route == &machine->route(id));  // made once
  CHECK(route.from == from);
  CHECK(route.to == to);
  for (const std::int64_t bytes : {0LL, 1LL, 1LL << 20, 1LL << 30}) {
    const double exact = core::uncontended_ns(route, static_cast<double>(bytes));
    CHECK(std::abs(static_cast<double>(machine->copy_duration(id, Bytes(bytes)).count()) - exact) <=
          0.5);
  }
  CHECK(machine->engines(id)[0].empty());
  CHECK(way(*machine, "gpu8", "gpu15").starts_with("gpu8.egress gpu15.ingress"));
}

TEST_CASE("what is wrong with the size of a template is said") {
  const auto faults = [](const std::string& name) {
    const core::Result<Machine> machine = load_machine(name);
    return machine ? std::string() : machine.faults()[0].where + ": " + machine.faults()[0].what;
  };
  CHECK(faults("dgx-h200:gpus=8,node=2") ==
        "dgx-h200:gpus=8,node=2: \"node=2\": expected gpus=NUMBER or nodes=NUMBER, each once");
  CHECK(faults("dgx-h200:gpus=8,gpus=9").find("\"gpus=9\": expected") != std::string::npos);
  CHECK(faults("dgx-h200:gpus=x").find("\"gpus=x\": expected") != std::string::npos);
  CHECK(faults("dgx-h200:").find("\"\": expected") != std::string::npos);
  CHECK(faults("dgx-h200:nodes=0").find("expected an integer from 1 to 4096, found 0") !=
        std::string::npos);
  CHECK(faults("dgx-h200:gpus=8,nodes=600").find("4800 GPUs in all; at most 4096") !=
        std::string::npos);
  CHECK(faults("dgx-h100").find("did you mean \"dgx-h200\"?") != std::string::npos);
}

TEST_CASE("bad machine files: one clear message each, with its place") {
  struct Case {
    const char* what;
    std::string json;
    std::string faults;
    bool is_all = false;  // and no more
  };
  const auto plain = [](const std::string& rest) {
    return machine_text({"host"}, 1, kPcie + "}", rest);
  };
  const std::vector<Case> cases = {
      {"a route to nowhere", plain(R"(, "routes": [{"from": "gpu0", "to": "gpu7"}])"),
       "m.json: routes[0].to: unknown space \"gpu7\"; did you mean \"gpu0\"?\n"},
      {"a space that nothing leads to", machine_text({"host"}, 2, R"({"type": "pcie",
         "spaces": ["gpu0"], "to_device": {"bytes_per_s": 1e9},
         "from_device": {"bytes_per_s": 1e9}})"),
       "routes: there is no way from \"host\" to \"gpu1\"; every space must reach every host, and "
       "be reached\nroutes: there is no way from \"gpu1\" to \"host\"; every space must reach "
       "every "
       "host, and be reached\n"},
      {"zero bandwidth", plain(R"(, "resources": [{"name": "r", "bytes_per_s": 0}])"),
       "m.json: resources[0].bytes_per_s: expected a number > 0, found 0\n"},
      {"zero bandwidth of a link", machine_text({"host"}, 1, R"({"type": "pcie", "spaces": "gpus",
         "to_device": {"bytes_per_s": 0}, "from_device": {"bytes_per_s": 1e9}})"),
       "m.json: links[0].to_device.bytes_per_s: expected a number > 0, found 0\n"},
      {"a resource that nobody uses", plain(R"(, "resources": [{"name": "r", "bytes_per_s": 1}])"),
       "resources[0]: no route uses \"r\"\n"},
      {"an engine that nobody uses", plain(R"(, "engines": [{"name": "e"}])"),
       "engines[0]: no route uses \"e\"\n"},
      {"a negative latency",
       plain(R"(, "routes": [{"from": "gpu0", "to": "gpu0", "latency_ns": -1}])"),
       "m.json: routes[0].latency_ns: expected an integer from 0 to 1000000000000000, found -1\n"},
      {"links that overlap", machine_text({"host"}, 2, kPcie + R"(},
         {"type": "nvswitch", "spaces": "gpus", "bytes_per_s": 1e9},
         {"type": "nvlink", "pairs": [["gpu0", "gpu1"]], "bytes_per_s": 1e9})"),
       "m.json: links[2].pairs[0]: \"gpu0\" to \"gpu1\" has a route already: links[1]\n"},
      {"a pair of NVLink twice", machine_text({"host"}, 3, kPcie + R"(}, {"type": "nvlink",
         "bytes_per_s": 1e9, "pairs": [["gpu0", "gpu1"], ["gpu2", "gpu1"], ["gpu1", "gpu0", 2]]})"),
       "m.json: links[1].pairs[2]: \"gpu1\" to \"gpu0\" has a route already: links[1].pairs[0]\n"},
      {"a relay that comes back", plain(R"(, "routes": [{"from": "gpu0", "to": "gpu0"},
                             {"from": "host", "to": "gpu0", "relay": ["gpu0"]}])"),
       "routes[1]: \"host\" to \"gpu0\": \"gpu0\" is on the way more than once\n"},
      {"a switch below two roots", machine_text({"host"}, 4, kPcie + R"(, "per_switch": 2,
         "switch_bytes_per_s": 1e9, "per_root": 3, "root_out_bytes_per_s": 1e9})"),
       "m.json: links[0]: switch \"host.switch1\" is below two root complexes, \"host.root0\" and "
       "\"host.root1\"; it may have one\n"},
      {"one switch below two roots", machine_text({"host"}, 2, kPcie + R"(, "switch": "plx",
         "switch_bytes_per_s": 1e9, "per_root": 1, "root_out_bytes_per_s": 1e9})"),
       "m.json: links[0]: switch \"plx\" is below two root complexes, \"host.root0\" and "
       "\"host.root1\"; it may have one\n"},
      {"a host's memory with two figures",
       machine_text({"host"}, 2,
                    pcie_of("\"gpu0\"", R"(, "host_out_bytes_per_s": 2e10)") + "," +
                        pcie_of("\"gpu1\"", R"(, "host_out_bytes_per_s": 5e9)")),
       "m.json: links[1]: gives resource \"host.out\" 5e+09 bytes/s, and it has 2e+10 already; a "
       "resource has one figure\n"},
      {"one switch with two figures",
       machine_text({"host"}, 2,
                    pcie_of("\"gpu0\"", R"(, "switch": "plx", "switch_bytes_per_s": 1e9)") + "," +
                        pcie_of("\"gpu1\"", R"(, "switch": "plx", "switch_bytes_per_s": 3e9)")),
       "m.json: links[1]: gives resource \"plx.down\" 3e+09 bytes/s, and it has 1e+09 already; a "
       "resource has one figure\n"},
      {"a resource with another figure than a link's",
       machine_text({"host"}, 1, pcie_of("\"gpu0\"", R"(, "host_out_bytes_per_s": 2e10)"),
                    R"(, "resources": [{"name": "host.out", "bytes_per_s": 1e9}])"),
       "m.json: links[0]: gives resource \"host.out\" 2e+10 bytes/s, and it has 1e+09 already; a "
       "resource has one figure\n"},
      {"a switch of no speed", machine_text({"host"}, 2, kPcie + R"(, "per_switch": 2,
         "switch_bytes_per_s": 0})"),
       "m.json: links[0].switch_bytes_per_s: expected a number > 0, found 0\n", true},
      {"a curve with a negative time", machine_text({"host"}, 1, R"({"type": "pcie",
         "spaces": "gpus", "to_device": {"curve": [[0, -1], [1000, 2000]]},
         "from_device": {"bytes_per_s": 1e9}})"),
       "m.json: links[0].to_device.curve[0][1]: expected an integer from 0 to ", false},
      {"a group of no size", machine_text({"host"}, 2, kPcie + R"(, "per_switch": 2,
         "switch_bytes_per_s": 1e9, "per_root": 0, "root_out_bytes_per_s": 1e9})"),
       "m.json: links[0].per_root: expected an integer >= 1, found 0\n"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    const std::string faults = faults_said(c.json);
    CAPTURE(faults);
    CHECK(faults.substr(0, c.is_all ? faults.size() : c.faults.size()) == c.faults);
  }
  const std::string head = R"({"format": "parley-machine", "version": 1, "name": "m")";
  const std::string rest = R"("devices": [{"name": "d", "class": "d", "space": "a"}]})";
  CHECK(faults_said(head + R"(, "spaces": [], )" + rest) ==
        "m.json: spaces: there is no memory space\n");
  CHECK(faults_said(head + R"(, "spaces": {}, )" + rest) ==
        "m.json: spaces: expected a list, found an object\n");
  CHECK(faults_said(head + R"(, "spaces": [{"name": "a", "bytes": "8EiB", "host": true}],
                              "devices": [{"name": "d", "class": "d", "space": "a",
                                           "interference": {"slowdown": 1.1}}]})") ==
        "m.json: spaces[0].bytes: \"8EiB\" is no size; write a number and B, kB, MB, GB, TB, KiB, "
        "MiB, GiB or TiB, as in 8GiB\n"
        "m.json: devices[0].interference: \"bytes_per_s\" is missing\n");
}

}  // namespace
}  // namespace parley::workloads
