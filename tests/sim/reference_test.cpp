// Against results of other implementations (SAGA, estee), where their files are at hand: max-min
// rates of endpoint capacities, and replays of whole workflows with fixed places and orders.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/network.h"
#include "sim/simulator.h"
#include "tests/sim/machine_builder.h"
#include "tests/sim/program_builder.h"
#include "tests/sim/required.h"

namespace parley::sim {
namespace {

using core::Bandwidth;
using core::Bytes;
using core::Time;
using nlohmann::json;

/// The folder of reference results: PARLEY_ORACLES, or beside the source tree.
std::optional<json> reference(const std::string& name) {
  const char* given = std::getenv("PARLEY_ORACLES");
  const std::filesystem::path folder =
      given != nullptr ? std::filesystem::path(given)
                       : std::filesystem::path(PARLEY_SOURCE_DIR) / ".." / "shared" / "oracles";
  std::ifstream file(folder / name);
  if (!file) {
    MESSAGE("skipped: no reference results in " << folder.string()
                                                << " (PARLEY_ORACLES names their folder)");
    return std::nullopt;
  }
  return json::parse(file);
}

enum class Sharing { kInstant, kSimple, kMaxMin };

/// Workers that send and receive at the given capacities (MB/s: bytes/us).
core::Machine worker_machine(const std::vector<double>& send, const std::vector<double>& receive,
                             Sharing sharing, const std::vector<std::pair<int, int>>& pairs) {
  constexpr double kBytesPerMb = 1e6;
  MachineBuilder builder(send.size(), Bytes(std::int64_t{1} << 50));
  builder.spec.spaces[host_space()].capacity = Bytes(std::int64_t{1} << 50);
  std::vector<core::ResourceId> out, in;
  std::vector<bool> sends(send.size(), false), receives(send.size(), false);
  for (const auto& [from, to] : pairs) {
    sends[static_cast<std::size_t>(from)] = true;
    receives[static_cast<std::size_t>(to)] = true;
  }
  for (std::size_t i = 0; i < send.size(); ++i) {
    const std::string number = std::to_string(i);
    const bool is_shared = sharing == Sharing::kMaxMin;
    out.push_back(is_shared && sends[i] ? builder.resource("out" + number, send[i] * kBytesPerMb)
                                        : core::ResourceId::none());
    in.push_back(is_shared && receives[i]
                     ? builder.resource("in" + number, receive[i] * kBytesPerMb)
                     : core::ResourceId::none());
  }
  for (const auto& [from, to] : pairs) {
    const auto i = static_cast<std::size_t>(from);
    const auto j = static_cast<std::size_t>(to);
    core::Route& route = builder.route(gpu_space(i), gpu_space(j));
    if (sharing == Sharing::kSimple) route.rate_cap = Bandwidth(send[i] * kBytesPerMb);
    if (sharing == Sharing::kMaxMin) {
      route.via = {{out[i], 1.0}, {in[j], 1.0}};
      route.share = core::ShareMode::kPair;
    }
  }
  return builder.build();
}

TEST_CASE("max-min rates of endpoint capacities are those of other solvers") {
  const auto file = reference("maxmin_rates.json");
  if (!file) return;
  REQUIRE(file->at("cases").size() == 100);
  for (const json& one : file->at("cases")) {
    const auto pairs = one.at("pairs").get<std::vector<std::pair<int, int>>>();
    const auto rates = one.at("rate").get<std::vector<double>>();
    const core::Machine machine =
        worker_machine(one.at("send").get<std::vector<double>>(),
                       one.at("recv").get<std::vector<double>>(), Sharing::kMaxMin, pairs);
    Network network(machine);
    std::vector<FlowId> flows;
    for (const auto& [from, to] : pairs) {
      const core::RouteId route = machine.route_id(gpu_space(static_cast<std::size_t>(from)),
                                                   gpu_space(static_cast<std::size_t>(to)));
      flows.push_back(network.start(Time(0), route, Bytes(1'000'000'000),
                                    std::numeric_limits<double>::infinity()));
      network.settle(Time(0));  // one by one: the last rates have grown incrementally
    }
    for (std::size_t i = 0; i < flows.size(); ++i) {
      REQUIRE(network.rate(flows[i]) == doctest::Approx(rates[i] * 1e6).epsilon(1e-8));
    }
  }
}

// ---- replays ----

Time seconds(double s) { return Time(std::llround(s * 1e9)); }

/// The workflow, its tasks in the order of the recorded starts, which run anywhere; and the plan:
/// on their workers, in that order. Objects are arrays that their producer writes first. `ids`: of
/// the file's tasks.
core::Plan build_replay(const json& file, const json& recorded, ProgramBuilder& builder,
                        std::vector<core::TaskId>& ids) {
  std::vector<core::RegionId> objects;
  for (std::size_t i = 0; i < file.at("objects").size(); ++i) {
    core::ArraySpec spec;
    spec.name = "object" + std::to_string(i);
    spec.shape = {std::llround(file.at("objects")[i].get<double>() * 1e6)};
    spec.dtype = core::DType::kUint8;
    objects.push_back(builder.program.whole(required(builder.program.add_array(spec))).region);
  }
  const auto starts = recorded.at("start").get<std::vector<double>>();
  const auto ends = recorded.at("end").get<std::vector<double>>();
  std::vector<std::size_t> order(starts.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return std::pair(starts[i], ends[i]); });
  ids.resize(order.size());
  core::Plan plan;
  for (const std::size_t i : order) {
    const json& task = file.at("tasks")[i];
    const auto worker = file.at("worker_of_task")[i].get<std::size_t>();
    core::TaskSpec spec = ProgramBuilder::task(task.at("name"), "gpu",
                                               seconds(task.at("duration").get<double>()).ns());
    for (const std::size_t object : task.at("inputs")) spec.accesses.push_back(in(objects[object]));
    for (const std::size_t object : task.at("outputs")) {
      spec.accesses.push_back(out(objects[object]));
    }
    ids[i] = builder.spawn(spec);
    plan.tasks.push_back({ids[i], {gpu_device(worker)}, {}});
  }
  return plan;
}

TEST_CASE("replays of workflows start every task when another simulator does") {
  for (const char* name : {"1000genome-chameleon-2ch-100k-001", "montage-chameleon-2mass-01d-001",
                           "srasearch-chameleon-20a-003"}) {
    const auto file = reference("estee_replay_" + std::string(name) + ".json");
    if (!file) return;
    for (const Sharing sharing : {Sharing::kInstant, Sharing::kSimple, Sharing::kMaxMin}) {
      const std::string key = sharing == Sharing::kInstant  ? "instant"
                              : sharing == Sharing::kSimple ? "simple"
                                                            : "maxmin";
      CAPTURE(name);
      CAPTURE(key);
      const json& recorded = file->at("results").at(key);
      ProgramBuilder builder;
      std::vector<core::TaskId> ids;
      core::Plan plan = build_replay(*file, recorded, builder, ids);
      const std::vector<double> bandwidth(file->at("workers"), file->at("bandwidth"));
      std::vector<std::pair<int, int>> pairs;
      for (int i = 0; i < 4; ++i) {
        for (int j = 0; j < 4; ++j) {
          if (i != j) pairs.emplace_back(i, j);
        }
      }
      const core::Machine machine = worker_machine(bandwidth, bandwidth, sharing, pairs);
      SimOptions options;
      options.engine.plan = std::make_shared<const core::Plan>(std::move(plan));
      options.engine.mapper = "fixed";
      options.engine.order = "strict:global=0";  // a worker does not wait for others' order
      options.engine.window = 1;                 // nor starts what comes later in its own
      options.engine.prefetch = "on_produce";
      options.engine.source = "owner";
      const SimResult result = required(simulate(builder.close(), machine, options));
      CHECK(result.run.copies.size() == recorded.at("transfers").get<std::size_t>());
      core::IdVector<core::TaskId, Time> starts(ids.size());
      for (const core::TaskRecord& task : result.run.tasks) starts[task.task] = task.start;
      constexpr std::int64_t kToleranceNs = 1000;
      for (std::size_t i = 0; i < ids.size(); ++i) {
        const Time expected = seconds(recorded.at("start")[i]);
        REQUIRE(std::abs((starts[ids[i]] - expected).count()) <= kToleranceNs);
      }
      const Time makespan = seconds(recorded.at("makespan"));
      CHECK(std::abs((result.run.makespan - makespan).count()) <= kToleranceNs);
    }
  }
}

}  // namespace
}  // namespace parley::sim
