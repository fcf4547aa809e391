// Copies that run together on h200x4, simulated, against what four H200 did on 2026-11-21: which
// queue behind each other, which share, and at which rates. A flow's rate is its bytes over the
// time from the common start to its own end.
#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/graph/program.h"
#include "sim/simulator.h"
#include "workloads/machine_file.h"

namespace parley::workloads {
namespace {

constexpr std::int64_t kBytes = 256LL << 20;

struct Flow {
  std::string from, to;  // spaces
  double gb_per_s = 0.0;
};

std::string device_of(const std::string& space) {
  return space == "host" ? "cpu" : "gpu:" + space.substr(3);
}

/// One array a flow, and one task a receiving space that reads all that goes there.
core::Program program_of(const std::vector<Flow>& flows) {
  core::Program program("pattern");
  std::map<std::string, core::TaskSpec> by_receiver;
  for (std::size_t i = 0; i < flows.size(); ++i) {
    core::ArraySpec array;
    array.name = "A" + std::to_string(i);
    array.shape = {kBytes};
    array.dtype = core::DType::kUint8;
    array.initial.kind = core::Initial::Kind::kArange;
    array.homes = {flows[i].from};
    core::TaskSpec& task = by_receiver[flows[i].to];
    task.accesses.push_back(
        {program.whole(*program.add_array(std::move(array))).region, core::AccessMode::kIn, 0, {}});
  }
  for (auto& [receiver, task] : by_receiver) {
    task.placement.emplace_back();
    task.placement.back().members = {device_of(receiver)};
    task.cost.emplace_back();
    task.cost.back().stated = core::Duration(0);
    REQUIRE(program.spawn(std::move(task)).has_value());
  }
  REQUIRE(program.close().has_value());
  return program;
}

/// Rates of the flows in the order of their ends, GB/s.
std::vector<double> simulated(const std::vector<Flow>& flows) {
  const core::Program program = program_of(flows);
  const core::Machine machine = *load_machine("h200x4");
  sim::SimOptions options;
  options.engine.prefetch = "none";
  const core::Result<sim::SimResult> result = sim::simulate(program, machine, options);
  REQUIRE(result.has_value());
  REQUIRE(result->run.copies.size() == flows.size());
  std::vector<double> rates;
  for (const core::CopyRecord& copy : result->run.copies) {
    rates.push_back(static_cast<double>(kBytes) / static_cast<double>(copy.end.ns()));
  }
  return rates;
}

TEST_CASE("copies that run together on h200x4 queue and share as measured") {
  struct Pattern {
    std::string name;
    std::vector<Flow> flows;  // in the order of their ends
    double tolerance;         // relative
  };
  const std::vector<Pattern> patterns = {
      {"one copy", {{"gpu0", "gpu1", 395.4}}, 0.02},
      {"both directions", {{"gpu0", "gpu1", 390.6}, {"gpu1", "gpu0", 390.2}}, 0.02},
      {"broadcast",
       {{"gpu0", "gpu1", 395.0}, {"gpu0", "gpu2", 197.6}, {"gpu0", "gpu3", 131.8}},
       0.02},
      {"two copies of one pair", {{"gpu0", "gpu1", 395.3}, {"gpu0", "gpu1", 197.6}}, 0.02},
      {"gather", {{"gpu1", "gpu0", 133.2}, {"gpu2", "gpu0", 133.1}, {"gpu3", "gpu0", 135.1}}, 0.03},
      {"ring",
       {{"gpu0", "gpu1", 390.3},
        {"gpu1", "gpu2", 390.1},
        {"gpu2", "gpu3", 390.2},
        {"gpu3", "gpu0", 389.7}},
       0.02},
      {"host to one GPU", {{"host", "gpu0", 54.6}}, 0.02},
      {"host to two GPUs", {{"host", "gpu0", 55.1}, {"host", "gpu1", 55.1}}, 0.02},
      {"host to four GPUs",
       {{"host", "gpu0", 42.9},
        {"host", "gpu1", 42.5},
        {"host", "gpu2", 42.5},
        {"host", "gpu3", 42.9}},
       0.02},
      {"four GPUs to the host",
       {{"gpu0", "host", 34.9},
        {"gpu1", "host", 35.2},
        {"gpu2", "host", 35.2},
        {"gpu3", "host", 35.2}},
       0.02},
      {"one GPU, both ways", {{"host", "gpu3", 50.7}, {"gpu3", "host", 50.6}}, 0.05},
      // 22 in and 26 out each: the model shares the joint limit evenly.
      {"four GPUs, both ways",
       {{"host", "gpu0", 24.1},
        {"host", "gpu1", 24.1},
        {"host", "gpu2", 24.1},
        {"host", "gpu3", 24.1},
        {"gpu0", "host", 24.1},
        {"gpu1", "host", 24.1},
        {"gpu2", "host", 24.1},
        {"gpu3", "host", 24.1}},
       0.03},
      {"NVLink and the host do not disturb each other",
       {{"gpu0", "gpu1", 395.4}, {"host", "gpu1", 54.6}},
       0.02},
  };
  for (const Pattern& pattern : patterns) {
    CAPTURE(pattern.name);
    const std::vector<double> rates = simulated(pattern.flows);
    for (std::size_t i = 0; i < rates.size(); ++i) {
      CAPTURE(i);
      CAPTURE(rates[i]);
      CHECK(std::abs(rates[i] / pattern.flows[i].gb_per_s - 1.0) < pattern.tolerance);
    }
  }
}

}  // namespace
}  // namespace parley::workloads
