#include "cli/report/varied_simulation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sim/noise.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::cli {
namespace {

/// Chains dealt out in turn to two GPUs.
struct Chains {
  core::Result<core::Program> program = workloads::load_workload(
      "serial:chains=8,steps=50,overlap=shared,block=4194304,task_ns=100000,kernel=spin");
  core::Result<core::Machine> machine = workloads::load_machine("h200x2", {});
  sim::SimOptions options;

  Chains() {
    options.engine.mapper = "round_robin";
    options.engine.order = "fifo";
    options.engine.prefetch = "none";
  }
  [[nodiscard]] core::Time makespan(std::string_view noise, std::uint64_t seed) const {
    sim::SimOptions varied = options;
    varied.task_noise = *sim::Noise::parse(noise);
    varied.noise_seed = seed;
    return sim::simulate(*program, *machine, varied)->run.makespan;
  }
};

TEST_CASE("a prediction is the median of five whose tasks vary by half a per cent") {
  Chains chains;
  REQUIRE(chains.program.has_value());
  REQUIRE(chains.machine.has_value());
  for (const std::uint64_t seed : {1U, 7U}) {
    CAPTURE(seed);
    chains.options.engine.seed = seed;
    std::vector<core::Time> makespans;
    for (std::uint64_t i = 0; i < 5; ++i) {
      makespans.push_back(chains.makespan("normal:sigma=0.005", seed + i));
    }
    std::ranges::sort(makespans);
    CHECK(makespans[0] < makespans[4]);
    const auto varied = simulate_varied(*chains.program, *chains.machine, chains.options);
    REQUIRE(varied.has_value());
    CHECK(varied->result.run.makespan == makespans[2]);
    CHECK(chains.makespan("normal:sigma=0.005", varied->noise_seed) == makespans[2]);
  }
}

TEST_CASE("chains that would keep to their GPUs in step move when durations vary") {
  Chains chains;
  const auto in_step = sim::simulate(*chains.program, *chains.machine, chains.options);
  REQUIRE(in_step.has_value());
  CHECK(in_step->run.copies.size() == 8);  // from the host
  std::size_t copies = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    chains.options.engine.seed = seed;
    const auto varied = simulate_varied(*chains.program, *chains.machine, chains.options);
    REQUIRE(varied.has_value());
    copies += varied->result.run.copies.size();
  }
  CHECK(copies > 20 * in_step->run.copies.size());
}

TEST_CASE("noise is drawn with a seed of its own, where one is given") {
  Chains chains;
  CHECK(chains.makespan("normal:sigma=0.01", 1) != chains.makespan("normal:sigma=0.01", 2));
  chains.options.copy_noise = *sim::Noise::parse("normal:sigma=0.1");
  CHECK(chains.makespan("", 1) != chains.makespan("", 2));
}

}  // namespace
}  // namespace parley::cli
