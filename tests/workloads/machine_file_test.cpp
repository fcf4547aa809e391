#include "workloads/machine_file.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace parley::workloads {
namespace {

using core::Bytes;
using core::Machine;
using core::SpaceId;

/// A machine of one host and two GPUs in the long form; parts may be replaced by other text.
struct Text {
  std::string header = R"("format": "parley-machine", "version": 1, "name": "m")";
  std::string spaces = R"({"name": "host", "bytes": 1000}, {"name": "gpu0", "bytes": 100},
                          {"name": "gpu1", "bytes": 100})";
  std::string devices = R"({"name": "cpu", "class": "cpu", "space": "host"},
                           {"name": "gpu:0", "class": "gpu", "space": "gpu0"},
                           {"name": "gpu:1", "class": "gpu", "space": "gpu1"})";
  std::string resources = R"({"name": "bus", "bytes_per_s": 1e9})";
  std::string engines = R"({"name": "dma"})";
  std::string routes = R"({"from": "host", "to": "gpu0", "via": ["bus"], "engines": ["dma"]},
                          {"from": "gpu0", "to": "host", "via": ["bus"]},
                          {"from": "host", "to": "gpu1", "via": ["bus"]},
                          {"from": "gpu1", "to": "host", "via": ["bus"]})";
  std::string rest;  // ", \"key\": value"

  [[nodiscard]] std::string json() const {
    return "{" + header + ", \"spaces\": [" + spaces + "], \"devices\": [" + devices +
           "], \"resources\": [" + resources + "], \"engines\": [" + engines + "], \"routes\": [" +
           routes + "]" + rest + "}";
  }
};

/// One a line, so that a failed check shows them.
std::string lines(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += text + "\n";
  return all;
}

std::vector<std::string> texts(const core::Faults& faults) {
  std::vector<std::string> result;
  for (const core::Fault& fault : faults) result.push_back(fault.where + ": " + fault.what);
  return result;
}

std::vector<std::string> faults_of(const std::string& json) {
  return texts(parse_machine(json, "m.json").faults());
}

TEST_CASE("the long form is read as it stands") {
  Text text;
  text.header += R"(, "source": "made up")";
  text.devices = R"({"name": "cpu", "class": "cpu", "space": "host", "slots": 8, "meta": {"x": 1}},
                    {"name": "gpu:0", "class": "gpu", "space": "gpu0", "launch_ns": 7, "streams": 4,
                     "saturation": 0.9,
                     "interference": {"bytes_per_s": 4e11, "slowdown": 1.04},
                     "power": {"burst_ns": 40000000, "sustained": 0.9},
                     "bytes_per_s": 4.3e12, "flops_per_s": {"float64": 5e13, "meta": {}}})";
  text.engines = R"({"name": "dma", "slots": 3})";
  text.routes = R"(
      {"from": "host", "to": "gpu0", "via": [{"resource": "bus", "weight": 2}], "engines": ["dma"],
       "latency_ns": 5, "bytes_per_s": null, "share": "pair", "kind": "pcie"},
      {"from": "gpu0", "to": "host", "via": ["bus"], "bytes_per_s": 5e8},
      {"from": "gpu0", "to": "gpu1", "curve": [[0, 10], [100, 20]]},
      {"from": "gpu1", "to": "gpu0"},
      {"from": "host", "to": "gpu1", "relay": ["gpu0"]})";
  text.rest = R"(, "host": {"issue_copy_ns": 1, "issue_launch_ns": 2, "round_trip_ns": 3,
                            "decide_ns": 4, "pin_ns_per_mib": 5,
                            "submitters": "per_gpu", "decide_command_ns": 6, "issue_part_ns": 4, "issue_joined_ns": 3, "poll_ns": 7, "turn_ns": 12,
                            "event_ns": 8, "handoff_ns": 9, "crowding": 0.25, "copy_streams": 1,
                            "inline_copy_bytes": 4096},
                   "kernels": {"gemm": {"gpu": {"float64": [[256, 9200], [2048, 338400]]}}},
                   "shares": {"gemm": {"gpu": {"float64": [[256, 0.25, 0.5], [2048, 1]]}},
                              "spin": {"gpu:0": {"float64": [[1, 0]]}}},
                   "issue": {"gemm": {"gpu": {"float64": [[256, 900]]}}})";
  const core::Result<core::MachineSpec> read = parse_machine(text.json(), "m.json");
  REQUIRE(texts(read.faults()) == std::vector<std::string>());
  const core::MachineSpec& spec = *read;
  CHECK(spec.source == "made up");
  CHECK(spec.spaces[SpaceId(0)].is_host);
  CHECK_FALSE(spec.spaces[SpaceId(1)].is_host);
  CHECK(spec.devices[core::DeviceId(0)].slots == 8);
  const core::Device& gpu = spec.devices[core::DeviceId(1)];
  CHECK(gpu.launch.count() == 7);
  CHECK(gpu.streams == 4);
  CHECK(gpu.saturation == 0.9);
  const auto& share = spec.shares.at("gemm").at("gpu").at("float64");
  REQUIRE(share.size() == 2);
  CHECK(share[0].second == core::KernelShare(0.25, 0.5));
  CHECK(share[1].second == core::KernelShare(1.0));
  CHECK(spec.shares.at("spin").at("gpu:0").at("float64")[0].second == core::KernelShare(0.0));
  CHECK(spec.issue.at("gemm").at("gpu").at("float64")[0].second.count() == 900);
  CHECK(gpu.interference.bytes_per_s == doctest::Approx(4e11));
  CHECK(gpu.interference.slowdown == doctest::Approx(1.04));
  CHECK(gpu.power.burst.count() == 40000000);
  CHECK(gpu.power.sustained == doctest::Approx(0.9));
  CHECK(gpu.bytes_per_s == doctest::Approx(4.3e12));
  CHECK(gpu.flops_per_s.size() == 1);
  REQUIRE(spec.routes.size() == 4);
  CHECK(spec.routes[0].via[0].weight == doctest::Approx(2.0));
  CHECK(spec.routes[0].latency.count() == 5);
  CHECK(spec.routes[0].rate_cap.is_unlimited());
  CHECK(spec.routes[0].share == core::ShareMode::kPair);
  CHECK(spec.routes[0].kind == "pcie");
  CHECK(spec.routes[2].curve.size() == 2);
  REQUIRE(spec.relays.size() == 1);
  CHECK(spec.relays[0].through == std::vector<SpaceId>{SpaceId(1)});
  CHECK(spec.host.decide.count() == 4);
  CHECK(spec.host.pin_ns_per_mib == 5);
  CHECK(spec.host.submitters == core::Submitters::kPerGpu);
  CHECK(spec.host.decide_command.count() == 6);
  CHECK(spec.host.poll.count() == 7);
  CHECK(spec.host.turn.count() == 12);
  CHECK(spec.host.event.count() == 8);
  CHECK(spec.host.handoff.count() == 9);
  CHECK(spec.host.issue_part.count() == 4);
  CHECK(spec.host.issue_joined.count() == 3);
  CHECK(spec.host.crowding == 0.25);
  CHECK(spec.host.copy_streams == 1);
  CHECK(spec.host.inline_copy == core::Bytes(4096));
  const std::string written = format_machine(spec);
  const core::Result<core::MachineSpec> again = parse_machine(written, "again.json");
  REQUIRE(texts(again.faults()) == std::vector<std::string>());
  CHECK(format_machine(*again) == written);
  CHECK(again->shares == spec.shares);
  CHECK(again->host.submitters == core::Submitters::kPerGpu);
  CHECK(again->host.handoff.count() == 9);
  CHECK(again->host.turn.count() == 12);
  CHECK(again->host.issue_part.count() == 4);
  CHECK(again->host.issue_joined.count() == 3);
  CHECK(again->host.crowding == 0.25);
  CHECK(again->host.copy_streams == 1);
  CHECK(again->host.inline_copy == core::Bytes(4096));
  CHECK(spec.kernels.at("gemm").at("gpu").at("float64").size() == 2);
}

TEST_CASE("each fault of a file: where, what was found, what is allowed, what was meant") {
  struct Case {
    std::string Text::*part;
    std::string text;
    std::vector<std::string> faults;
  };
  const std::vector<Case> cases = {
      {&Text::header,
       R"("format": "parley-workload", "version": 1, "name": "m")",
       {R"(m.json: format: expected "parley-machine", found "parley-workload")"}},
      {&Text::header,
       R"("format": "parley-machine", "version": 2, "name": "m")",
       {"m.json: version: expected 1, the only version there is, found 2"}},
      {&Text::header,
       R"("format": "parley-machine", "version": 1)",
       {R"(m.json: "name" is missing)"}},
      {&Text::header,
       R"("format": "parley-machine", "version": 1, "name": "", "nam": 1)",
       {R"(m.json: nam: unknown key "nam"; did you mean "name"?)",
        "m.json: name: a name cannot be empty"}},
      {&Text::header,
       R"("format": "parley-machine", "version": 1, "name": "m", "name": "n")",
       {R"(m.json: key "name" occurs twice in one object)"}},
      {&Text::spaces,
       R"({"name": "host", "bytes": 0}, {"name": "gpu0", "bytes": "8Gib"},
                         {"name": "gpu1", "bytes": -1})",
       {"m.json: spaces[0].bytes: expected an integer >= 1, found 0",
        "m.json: spaces[1].bytes: \"8Gib\" is no size; write a number and B, kB, MB, GB, TB, KiB, "
        "MiB, GiB or TiB, as in 8GiB",
        "m.json: spaces[2].bytes: expected an integer >= 1, found -1"}},
      {&Text::spaces,
       R"({"name": "host", "bytes": 1}, {"name": "gpu0", "bytes": 1},
                         {"name": "gpu1", "bytes": 1}, {"name": "gpu1", "bytes": 1}, 7)",
       {"m.json: spaces[4]: expected an object, found 7",
        R"(m.json: spaces[3].name: "gpu1" is the name of spaces[2] too)"}},
      {&Text::spaces,
       R"({"name": "hosts", "bytes": 1}, {"name": "gpu0", "bytes": 1},
                         {"name": "gpu1", "bytes": 1})",
       {R"(m.json: devices[0].space: unknown space "host"; did you mean "hosts"?)",
        R"(m.json: routes[0].from: unknown space "host"; did you mean "hosts"?)",
        R"(m.json: routes[1].to: unknown space "host"; did you mean "hosts"?)",
        R"(m.json: routes[2].from: unknown space "host"; did you mean "hosts"?)",
        R"(m.json: routes[3].to: unknown space "host"; did you mean "hosts"?)",
        "m.json: spaces: the machine has no host space; arrays have their homes there"}},
      {&Text::devices,
       R"({"name": "gpu:0", "class": "gpu", "space": "gpu0", "slots": 0,
                           "launch_ns": -1, "bytes_per_s": 0, "flops_per_s": 5},
                          {"name": "gpu:1", "class": "gpu", "space": "gpu1", "node": "n1"},
                          {"name": "x"})",
       {"m.json: devices[0].slots: expected an integer from 1 to 1048576, found 0",
        "m.json: devices[0].bytes_per_s: expected a number > 0, found 0",
        "m.json: devices[0].launch_ns: expected an integer from 0 to 1000000000000000, found -1",
        "m.json: devices[0].flops_per_s: expected an object of rates by dtype, found 5",
        R"(m.json: devices[1].node: "n1", but its space is of node "")",
        R"(m.json: devices[2]: "class" is missing)", R"(m.json: devices[2]: "space" is missing)"}},
      {&Text::devices,
       R"({"name": "gpu:0", "class": "gpu", "space": "gpu0",
                           "flops_per_s": {"float46": 1e12, "float32": -1}})",
       {"m.json: devices[0].flops_per_s.float32: expected a number > 0, found -1",
        R"(m.json: devices[0].flops_per_s: unknown dtype "float46"; did you mean "float16"?)"}},
      {&Text::resources,
       R"({"name": "bus", "bytes_per_s": 0})",
       {"m.json: resources[0].bytes_per_s: expected a number > 0, found 0"}},
      {&Text::engines,
       R"({"name": "dma", "slots": 1.5})",
       {"m.json: engines[0].slots: expected an integer from 1 to 1048576, found 1.5"}},
      {&Text::routes,
       R"({"from": "host", "to": "gpu9", "via": ["bsu"], "engines": ["dma", "dam"]},
                         {"from": "gpu0", "via": "bus", "latency_ns": "5"})",
       {R"(m.json: routes[0].to: unknown space "gpu9"; did you mean "gpu0"?)",
        R"(m.json: routes[0].via[0]: unknown resource "bsu"; allowed: bus)",
        R"(m.json: routes[0].engines[1]: unknown engine "dam"; allowed: dma)",
        R"(m.json: routes[1]: "to" is missing)",
        R"(m.json: routes[1].via: expected a list, found "bus")",
        R"(m.json: routes[1].latency_ns: expected an integer from 0 to 1000000000000000, found "5")"}},
      {&Text::routes,
       R"({"from": "host", "to": "gpu0", "relay": ["gpu1"]},
                         {"from": "gpu0", "to": "host", "bytes_per_s": 0, "share": "fair"},
                         {"from": "gpu0", "to": "host"})",
       {"m.json: routes[1].bytes_per_s: expected a number > 0, found 0",
        R"(m.json: routes[1].share: unknown share "fair"; did you mean "pair"?)",
        R"(m.json: routes[2]: "gpu0" to "host" has a route already: routes[1])"}},
      {&Text::routes,
       R"({"from": "gpu0", "to": "gpu1", "latency_ns": 5,
                          "curve": [[0, 1], [1], 7, [10, 0]]})",
       {"m.json: routes[0].curve[1]: expected [BYTES, NS], found a list",
        "m.json: routes[0].curve[2]: expected [BYTES, NS], found 7",
        R"(m.json: routes[0].curve: "gpu0" to "gpu1": a curve stands instead of latency_ns and )"
        "bytes_per_s",
        R"(m.json: routes[0].curve[1]: "gpu0" to "gpu1": a larger copy must not take less time)"}},
      {&Text::routes,
       R"({"from": "gpu0", "to": "gpu1", "relay": ["gpu7"], "latency_ns": 5})",
       {R"(m.json: routes[0].latency_ns: unknown key "latency_ns"; allowed: from, to, relay)",
        R"(m.json: routes[0].relay[0]: unknown space "gpu7"; did you mean "gpu0"?)"}},
      {&Text::rest,
       R"(, "host": {"submitters": "per-gpu", "poll_ns": 1.5})",
       {"m.json: host.poll_ns: expected an integer from 0 to 1000000000000000, found 1.5",
        R"(m.json: host.submitters: unknown kind of submitters "per-gpu"; did you mean "per_gpu"?)"}},
      {&Text::rest,
       R"(, "host": {"crowding": 1.5, "copy_streams": -1, "inline_copy_bytes": "2 MiB"})",
       {"m.json: host.crowding: expected a number from 0 to 1, found 1.5",
        "m.json: host.copy_streams: expected an integer from 0 to 1024, found -1",
        R"(m.json: host.inline_copy_bytes: expected an integer from 0 to 1152921504606846976, found "2 MiB")"}},
      {&Text::rest,
       R"(, "host": {"issue_copy": 1, "round_trip_ns": -3})",
       {R"(m.json: host.issue_copy: unknown key "issue_copy"; did you mean "issue_copy_ns"?)",
        "m.json: host.round_trip_ns: expected an integer from 0 to 1000000000000000, found -3"}},
      {&Text::rest,
       R"(, "kernels": {"gemm": {"gpu": {"float64": [[256], [0, 1], [8, 9], [8, 9]]}},
                                     "trsn": {"gpu": 5}})",
       {"m.json: kernels.gemm.gpu.float64[0]: expected [SIZE, NS], found a list",
        "m.json: kernels.gemm.gpu.float64[1][0]: expected an integer >= 1, found 0",
        "m.json: kernels.trsn.gpu: expected an object, found 5",
        "m.json: kernels.gemm.gpu.float64[1]: sizes must grow from point to point"}},
      {&Text::rest,
       R"(, "gpus": 4)",
       {"m.json: gpus: expected an object (a number of GPUs needs a \"template\"), found 4"}},
      {&Text::rest,
       R"(, "links": [{"type": "pci", "spaces": ["gpu0"]}, {"spaces": "gpus"}, 3])",
       {R"(m.json: links[0].type: unknown link type "pci"; did you mean "pcie"?)",
        R"(m.json: links[1]: "type" is missing)", "m.json: links[2]: expected an object, found 3"}},
      {&Text::rest,
       R"(, "links": [{"type": "nvswitch", "spaces": "gpus", "curve": [[0, 5], [1, 5]],
                                    "engines": []},
                                   {"type": "nvlink", "bytes_per_s": 1e9,
                                    "pairs": [["gpu0"], ["gpu0", "gpu0"], ["gpu0", "gpu4", 0]]}])",
       {R"(m.json: links[0].engines: unknown key "engines"; allowed: spaces, port_bytes_per_s, )"
        "port_both_bytes_per_s, latency_ns, bytes_per_s, curve, share, gives_way, issue_ns, type, "
        "kind",
        "m.json: links[0].spaces: the file has no \"gpus\"",
        "m.json: links[0]: a link needs a rate: \"bytes_per_s\", or a \"curve\" that rises",
        "m.json: links[1].pairs[0]: expected [SPACE, SPACE] or [SPACE, SPACE, LINKS], found a list",
        "m.json: links[1].pairs[1]: a link leads from one space to another",
        R"(m.json: links[1].pairs[2][1]: unknown space "gpu4"; did you mean "gpu0"?)",
        "m.json: links[1].pairs[2][2]: expected an integer from 1 to 64, found 0"}},
      {&Text::rest,
       R"(, "links": [{"type": "pcie", "spaces": ["gpu0"], "switch": "s",
                                    "to_device": {"bytes_per_s": 1e9},
                                    "from_device": {"latency_ns": 1}}])",
       {"m.json: links[0].from_device: a link needs a rate: \"bytes_per_s\", or a \"curve\" that "
        "rises",
        "m.json: links[0]: \"switch\" (or \"per_switch\") and \"switch_bytes_per_s\" go together",
        R"(m.json: links[0]: "host" to "gpu0" has a route already: routes[0])"}},
      {&Text::rest,
       R"(, "shares": {"gemm": {"gpu": {"float64": [[256, 1.5], [128, 0.5], [1], [2, "x"], [300, 0.5, 0.4]]}},
                                    "gem": {"gpu": {"float64": [[1, 0]]}}},
                          "issue": {"gemm": {"gpus": {"float64": [[1, -1]]}}})",
       {"m.json: shares.gemm.gpu.float64[2]: a point must be [size, share] or [size, share, share "
        "of two]",
        R"(m.json: shares.gemm.gpu.float64[3][1]: expected a number from 0 to 1, found "x")",
        "m.json: shares.gemm.gpu.float64[4][2]: the share of two must not be below that of all",
        "m.json: issue.gemm.gpus.float64[0][1]: expected an integer from 0 to 1000000000000000, "
        "found -1",
        R"(m.json: issue.gemm: unknown device or class "gpus"; did you mean "gpu"?)",
        R"(m.json: shares: unknown kernel "gem"; did you mean "gemm"?)",
        "m.json: shares.gemm.gpu.float64[0]: a share must be from 0 to 1; found 1.500000",
        "m.json: shares.gemm.gpu.float64[1]: sizes must grow from point to point",
        "m.json: shares.gemm.gpu.float64[2]: sizes must grow from point to point"}},
  };
  REQUIRE(faults_of(Text().json()).empty());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(i);
    Text text;
    text.*(cases[i].part) = cases[i].text;
    CHECK(lines(faults_of(text.json())) == lines(cases[i].faults));
  }
}

TEST_CASE("text that is no JSON is refused with line and column") {
  CHECK(lines(faults_of("")) == lines({"m.json:1:1: the file is empty"}));
  CHECK(lines(faults_of("[]")) == lines({"m.json: expected an object, found an empty list"}));
  CHECK(lines(faults_of(R"({"format": "parley-machine", "spaces": [{"name": "host")")) ==
        lines({"m.json:1:56: the file ends too early, at spaces[0].name; is it cut off?"}));
}

// ---- shorthands ----

core::MachineSpec spec_of(const std::string& rest) {
  Text text;
  text.devices = R"({"name": "cpu", "class": "cpu", "space": "host"})";
  text.spaces = R"({"name": "host", "bytes": 1000})";
  text.resources = text.engines = text.routes = "";
  text.rest = ", " + rest;
  core::Result<core::MachineSpec> spec = parse_machine(text.json(), "m.json");
  REQUIRE(texts(spec.faults()) == std::vector<std::string>());
  return *std::move(spec);
}

/// "gpu0>gpu1 via a, b by e" for every route.
std::vector<std::string> routes_of(const core::MachineSpec& spec) {
  std::vector<std::string> result;
  for (const core::Route& route : spec.routes) {
    std::string text = spec.spaces[route.from].name + ">" + spec.spaces[route.to].name;
    for (const core::Via& via : route.via) text += " " + spec.resources[via.resource].name;
    for (const core::CopyEngineId engine : route.engines) {
      text += " [" + spec.engines[engine].name + "]";
    }
    result.push_back(text);
  }
  return result;
}

TEST_CASE("\"gpus\" makes spaces and devices, on each node") {
  Text text;
  text.spaces = R"({"name": "a", "bytes": 9, "node": "n0", "host": true},
                   {"name": "b", "bytes": 9, "node": "n1", "host": true})";
  text.devices = text.resources = text.engines = text.routes = "";
  text.rest = R"(, "gpus": {"count": 2, "nodes": ["n0", "n1"], "bytes": "1KiB", "launch_ns": 3})";
  const core::Result<core::MachineSpec> spec = parse_machine(text.json(), "m.json");
  REQUIRE(spec.has_value());
  REQUIRE(spec->spaces.size() == 6);
  REQUIRE(spec->devices.size() == 4);
  CHECK(spec->spaces[SpaceId(2)].name == "gpu0");
  CHECK(spec->spaces[SpaceId(2)].capacity == Bytes(1024));
  CHECK(spec->spaces[SpaceId(5)].name == "gpu3");
  CHECK(spec->spaces[SpaceId(5)].node == "n1");
  CHECK(spec->devices[core::DeviceId(3)].name == "gpu:3");
  CHECK(spec->devices[core::DeviceId(3)].space == SpaceId(5));
  CHECK(spec->devices[core::DeviceId(3)].launch.count() == 3);
}

TEST_CASE("link types expand to routes, resources and engines") {
  struct Case {
    std::string links;
    std::vector<std::string> routes;
  };
  const std::vector<Case> cases = {
      {R"({"type": "nvswitch", "spaces": "gpus", "bytes_per_s": 1e9})",
       {"gpu0>gpu1 gpu0.egress gpu1.ingress [gpu0.peer_out]",
        "gpu1>gpu0 gpu1.egress gpu0.ingress [gpu1.peer_out]"}},
      {R"({"type": "nvlink", "pairs": [["gpu0", "gpu1", 2]], "bytes_per_s": 1e9})",
       {"gpu0>gpu1 gpu0-gpu1 [gpu0.peer_out]", "gpu1>gpu0 gpu1-gpu0 [gpu1.peer_out]"}},
      {R"({"type": "pcie", "spaces": ["gpu1"], "to_device": {"bytes_per_s": 1e9},
           "from_device": {"bytes_per_s": 1e9}})",
       {"host>gpu1 [gpu1.from_host]", "gpu1>host [gpu1.to_host]"}},
      {R"({"type": "pcie", "spaces": ["gpu1"], "to_device": {"bytes_per_s": 1e9},
           "from_device": {"bytes_per_s": 1e9}, "link_bytes_per_s": 3e9, "switch": "plx",
           "switch_bytes_per_s": 2e9, "host_out_bytes_per_s": 4e9, "host_in_bytes_per_s": 5e9,
           "host_both_bytes_per_s": 6e9})",
       {"host>gpu1 gpu1.pcie plx.down host.out host.both [gpu1.from_host]",
        "gpu1>host gpu1.pcie plx.up host.in host.both [gpu1.to_host]"}},
      {R"({"type": "pcie", "spaces": "gpus", "to_device": {"bytes_per_s": 1e9},
           "from_device": {"bytes_per_s": 1e9}, "peer": {"bytes_per_s": 1e9}})",
       {"host>gpu0 gpu0.pcie_in [gpu0.from_host]", "gpu0>host gpu0.pcie_out [gpu0.to_host]",
        "host>gpu1 gpu1.pcie_in [gpu1.from_host]", "gpu1>host gpu1.pcie_out [gpu1.to_host]",
        "gpu0>gpu1 gpu0.pcie_out gpu1.pcie_in [gpu0.peer_out]",
        "gpu1>gpu0 gpu1.pcie_out gpu0.pcie_in [gpu1.peer_out]"}},
      {R"({"type": "shared_bus", "spaces": ["host", "gpu0"], "bytes_per_s": 1e9})",
       {"host>gpu0 bus", "gpu0>host bus"}},
      {R"({"type": "network", "spaces": ["host", "gpu0"], "bytes_per_s": 1e9})",
       {"host>gpu0 host.nic_out gpu0.nic_in", "gpu0>host gpu0.nic_out host.nic_in"}},
      {R"({"type": "local", "spaces": "gpus", "bytes_per_s": 1e9})", {"gpu0>gpu0", "gpu1>gpu1"}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.links);
    const core::MachineSpec spec =
        spec_of(R"("gpus": {"count": 2, "bytes": 10}, "links": [)" + c.links + "]");
    CHECK(routes_of(spec) == c.routes);
  }
}

TEST_CASE("two nvlinks to one GPU share its outgoing engine, and their number scales the rate") {
  const core::MachineSpec spec = spec_of(
      R"("gpus": {"count": 3, "bytes": 10},
         "links": [{"type": "nvlink", "pairs": [["gpu0", "gpu1", 2]], "bytes_per_s": 1e9},
                   {"type": "nvlink", "pairs": [["gpu0", "gpu2"]], "bytes_per_s": 1e9,
                    "latency_ns": 5, "kind": "bridge"}])");
  REQUIRE(spec.routes.size() == 4);
  CHECK(spec.routes[0].rate_cap.bytes_per_s() == doctest::Approx(2e9));
  CHECK(spec.routes[2].rate_cap.bytes_per_s() == doctest::Approx(1e9));
  CHECK(spec.routes[0].engines == spec.routes[2].engines);
  CHECK(spec.routes[0].kind == "nvlink");
  CHECK(spec.routes[2].kind == "bridge");
  CHECK(spec.routes[2].latency.count() == 5);
}

std::string from_template(const std::string& rest) {
  return R"({"format": "parley-machine", "version": 1, "name": "t")" + rest + "}";
}

TEST_CASE("a template gives a machine any number of GPUs, host costs and kernels of one's own") {
  const core::Result<core::MachineSpec> spec = parse_machine(
      from_template(R"(, "template": "dgx-h200", "gpus": 3, "host": {"issue_copy_ns": 7},
                         "kernels": {"gemm": {"gpu": {"float64": [[10, 20]]}}})"),
      "t.json");
  REQUIRE(spec.has_value());
  CHECK(spec->name == "t");
  CHECK(spec->source.find("H200") != std::string::npos);
  CHECK(spec->devices.size() == 4);
  CHECK(spec->host.issue_copy.count() == 7);
  CHECK(spec->host.issue_launch.count() == 0);
  CHECK(spec->kernels.at("gemm").at("gpu").at("float64").size() == 1);
  CHECK(spec->kernels.at("trsm").at("gpu").at("float64").size() == 6);

  CHECK(lines(faults_of(from_template(R"(, "template": "dgx-h20", "gpus": 0, "spaces": [])"))) ==
        lines({"m.json: template: a template has its own parts; found spaces beside it",
               "m.json: gpus: expected an integer from 1 to 256, found 0",
               "m.json: template: unknown template \"dgx-h20\"; did you mean \"dgx-h200\"?"}));
}

// ---- files and limits ----

TEST_CASE("sizes") {
  const std::vector<std::pair<std::string, std::int64_t>> sizes = {{"0", 0},
                                                                   {"4096", 4096},
                                                                   {"17B", 17},
                                                                   {"8GiB", 8LL << 30},
                                                                   {"1.5KiB", 1536},
                                                                   {"2kB", 2000},
                                                                   {"3MB", 3000000},
                                                                   {"2.3GB", 2300000000},
                                                                   {"1TiB", 1LL << 40},
                                                                   {"1TB", 1000000000000},
                                                                   {"1MiB", 1048576}};
  for (const auto& [text, bytes] : sizes) {
    const auto& shown = text;  // clang 14 captures no structured bindings
    CAPTURE(shown);
    const core::Result<Bytes> size = parse_bytes(text);
    REQUIRE(size.has_value());
    CHECK(size->count() == bytes);
  }
  for (const char* text :
       {"", "GiB", "8 GiB", "8gib", "-1", "nan", "inf", "1e30", "0x10", "8GiBs"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_bytes(text).has_value());
  }
}

TEST_CASE("limits lower what spaces hold: by class, device or space, never raise it") {
  const auto capacity = [](const Machine& machine, const char* space) {
    return machine.space(*machine.find_space(space)).capacity.count();
  };
  const core::Result<Machine> limited =
      load_machine("h200x4", {"gpu=8GiB", "gpu:1=2GiB", "gpu2=1GiB", "cpu=64GiB", "gpu3=999GiB"});
  REQUIRE(limited.has_value());
  CHECK(capacity(*limited, "gpu0") == 8LL << 30);
  CHECK(capacity(*limited, "gpu1") == 2LL << 30);
  CHECK(capacity(*limited, "gpu2") == 1LL << 30);
  CHECK(capacity(*limited, "gpu3") == 8LL << 30);
  CHECK(capacity(*limited, "host") == 64LL << 30);
}

TEST_CASE("faults of limits name the limit") {
  CHECK(
      lines(texts(load_machine("h200x1", {"gpux=8GiB", "gpu", "gpu=8Gib", "gpu=0"}).faults())) ==
      lines({"limit gpux=8GiB: unknown class, device or space \"gpux\"; did you mean \"gpu\"?",
             "limit gpu: expected NAME=SIZE, as in gpu=8GiB",
             "limit gpu=8Gib: \"8Gib\" is no size; write a number and B, kB, MB, GB, TB, KiB, MiB, "
             "GiB or TiB, as in 8GiB",
             "limit gpu=0: a space must hold at least 1 byte"}));
}

TEST_CASE("a machine is a shipped name or a file") {
  CHECK(lines(texts(load_machine("h200x44").faults())) ==
        lines({"h200x44: neither a shipped machine, nor a template, nor a file that can be "
               "read; "
               "did you mean \"h200x4\"?"}));
  const std::string path = "machine_file_test.tmp.json";
  std::ofstream(path) << Text().json();
  const core::Result<Machine> loaded = load_machine(path);
  CHECK(loaded.has_value());

  // Faults between the parts have the file's name in front, too.
  Text text;
  text.resources += R"(, {"name": "spare", "bytes_per_s": 1})";
  std::ofstream(path) << text.json();
  CHECK(lines(texts(load_machine(path).faults())) ==
        lines({path + ": resources[1]: no route uses \"spare\""}));
  std::remove(path.c_str());
}

}  // namespace
}  // namespace parley::workloads
