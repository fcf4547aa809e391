// The shipped machine with four H200 shows the patterns measured on the real one: 256 MiB copies,
// all started together, each copy's bytes over the time from the common start to its end.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sim/simulator.h"
#include "tests/sim/program_builder.h"
#include "tests/sim/required.h"
#include "workloads/machine_file.h"

namespace parley::sim {
namespace {

constexpr int kHost = -1;

struct Flow {
  int from, to;
  double gb_per_s;  // measured
};

std::string space_name(int number) {
  return number == kHost ? "host" : "gpu" + std::to_string(number);
}
std::string device_name(int number) {
  return number == kHost ? "cpu" : "gpu:" + std::to_string(number);
}

/// GB/s of each flow, in the order given.
std::vector<double> simulated_rates(const std::vector<Flow>& flows) {
  constexpr std::int64_t kBytes = 268'435'456;
  ProgramBuilder builder;
  for (std::size_t i = 0; i < flows.size(); ++i) {
    const std::string number = std::to_string(i);
    const core::RegionId array = builder.array("A" + number, kBytes, space_name(flows[i].from));
    builder.spawn(ProgramBuilder::task("T" + number, device_name(flows[i].to), 0, {in(array)}));
  }
  const core::Machine machine = required(workloads::load_machine("h200x4"));
  SimOptions options;
  options.engine.window = 0;
  const SimResult result = required(simulate(builder.close(), machine, options));
  std::vector<double> rates(flows.size());
  for (const core::CopyRecord& copy : result.run.copies) {
    rates[copy.array.index()] = static_cast<double>(kBytes) / static_cast<double>(copy.end.ns());
  }
  return rates;
}

TEST_CASE("four H200: queues and shares as measured") {
  struct Row {
    const char* pattern;
    std::vector<Flow> flows;
  };
  const std::vector<Row> table = {
      {"one copy between GPUs", {{0, 1, 395}}},
      {"both directions at once", {{0, 1, 390}, {1, 0, 390}}},
      {"a ring", {{0, 1, 390}, {1, 2, 390}, {2, 3, 390}, {3, 0, 390}}},
      {"a broadcast queues: one after the other", {{0, 1, 395}, {0, 2, 198}, {0, 3, 132}}},
      {"two copies on one link queue", {{0, 1, 395}, {0, 1, 198}}},
      {"a gather shares", {{1, 0, 134}, {2, 0, 134}, {3, 0, 134}}},
      {"host to one GPU", {{kHost, 0, 55}}},
      {"host to four GPUs",
       {{kHost, 0, 42.7}, {kHost, 1, 42.7}, {kHost, 2, 42.7}, {kHost, 3, 42.7}}},
      {"one GPU to host", {{0, kHost, 55}}},
      {"four GPUs to host", {{0, kHost, 35}, {1, kHost, 35}, {2, kHost, 35}, {3, kHost, 35}}},
      {"host copies and peer copies do not disturb each other", {{kHost, 0, 55}, {1, 0, 390}}},
  };
  for (const Row& row : table) {
    CAPTURE(row.pattern);
    const std::vector<double> rates = simulated_rates(row.flows);
    for (std::size_t i = 0; i < rates.size(); ++i) {
      CAPTURE(i);
      CHECK(rates[i] == doctest::Approx(row.flows[i].gb_per_s).epsilon(0.06));
    }
  }
}

}  // namespace
}  // namespace parley::sim
