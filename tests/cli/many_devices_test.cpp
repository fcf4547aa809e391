// On machines with many devices the earliest-finish mapper rules most of them out by bounds. It
// must choose as if it had looked at them all.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/cli/command_line.h"

namespace parley::cli {
namespace {

/// Three nodes of five GPUs that differ in what reaches them: a switch, or the host only.
std::string three_nodes(bool has_switch) {
  std::string text = R"({"format": "parley-machine", "version": 1, "name": "nodes",
 "spaces": [{"name": "host", "bytes": "64GiB", "node": "n0", "host": true},
            {"name": "host1", "bytes": "64GiB", "node": "n1", "host": true},
            {"name": "host2", "bytes": "64GiB", "node": "n2", "host": true}],
 "devices": [
  {"name": "cpu:0", "class": "cpu", "space": "host", "slots": 4, "flops_per_s": {"float64": 1e12}},
  {"name": "cpu:1", "class": "cpu", "space": "host1", "slots": 4, "flops_per_s": {"float64": 1e12}},
  {"name": "cpu:2", "class": "cpu", "space": "host2", "slots": 4, "flops_per_s": {"float64": 1e12}}],
 "gpus": {"count": 5, "nodes": ["n0", "n1", "n2"], "bytes": "2GiB",
          "flops_per_s": {"float64": 7e12}, "bytes_per_s": 1e12, "launch_ns": 2000},
 "links": [)";
  if (has_switch) {
    text += R"({"type": "nvswitch", "spaces": "gpus", "latency_ns": 2700, "bytes_per_s": 3e11},)";
  }
  return text + R"({"type": "pcie", "spaces": "gpus",
  "to_device": {"latency_ns": 2600, "bytes_per_s": 2.5e10},
  "from_device": {"latency_ns": 2200, "bytes_per_s": 2.4e10}},
  {"type": "network", "spaces": ["host", "host1", "host2"], "latency_ns": 2000,
   "bytes_per_s": 2.5e10, "port_bytes_per_s": 2.5e10}]})";
}

/// Everything in the summary that the choices decide.
std::string outcome(const std::string& machine, std::vector<std::string> words,
                    const std::string& mapper) {
  words.insert(words.begin(), "sim");
  for (const std::string& word : {std::string("--machine"), machine, std::string("--mapper"),
                                  mapper, std::string("--summary"), std::string("-")}) {
    words.push_back(word);
  }
  const Said said = parley(words);
  REQUIRE_MESSAGE(said.code == 0, said.err);
  return said.out.substr(said.out.find("\"makespan_ns\""));
}

TEST_CASE("bounds change no choice among many devices") {
  const TemporaryFolder folder;
  const std::vector<std::vector<std::string>> runs = {
      {"cholesky:tiles=12,tile=1024"},
      {"cholesky:tiles=12,tile=256", "--limit", "gpu=8MiB"},
      {"cholesky:tiles=8,tile=64", "--window", "1"},
      {"random:levels=12,width=30,seed=3", "--prefetch", "none"},
      {"random:levels=12,width=30,seed=4,place=any", "--order", "fifo"},
      {"stencil"},
      {"butterfly"},
      {"sweep"}};
  for (const bool has_switch : {true, false}) {
    const std::string machine = folder.file("machine.json", three_nodes(has_switch));
    for (const std::vector<std::string>& run : runs) {
      for (const std::string parameters : {"", ",locality=0", ",beta=0.3"}) {
        CAPTURE(run.front());
        CAPTURE(parameters);
        CHECK(outcome(machine, run, "earliest_finish:scan=0" + parameters) ==
              outcome(machine, run, "earliest_finish:scan=1" + parameters));
      }
    }
  }
}

}  // namespace
}  // namespace parley::cli
