// Flows per second of the network: each flow starts, is rated with those around it, and ends.
// Random traffic between the ports of a switch, from flows that meet nobody to all of them
// connected through busy ports.
#include <benchmark/benchmark.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/machine/machine.h"
#include "sim/event_queue.h"
#include "sim/network.h"

namespace parley {
namespace {

using core::Time;

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

/// GPUs behind a switch, each with a port of 100 bytes/ns each way.
core::Machine switched_machine(std::size_t gpus) {
  core::MachineSpec spec;
  spec.name = "switched";
  spec.spaces.push_back({"host", core::Bytes(1), "", true});
  spec.devices.push_back({"cpu", "cpu", core::SpaceId(0), 1, {}, 0.0, core::Duration(0)});
  std::vector<core::ResourceId> out, in;
  for (std::size_t i = 0; i < gpus; ++i) {
    const std::string name = "gpu" + std::to_string(i);
    spec.spaces.push_back({name, core::Bytes(1), "", false});
    out.push_back(spec.resources.push_back({name + ".out", core::Bandwidth(100e9)}));
    in.push_back(spec.resources.push_back({name + ".in", core::Bandwidth(100e9)}));
  }
  for (std::size_t i = 0; i < gpus; ++i) {
    for (std::size_t j = 0; j < gpus; ++j) {
      core::Route route;
      route.from = core::SpaceId(i + 1);
      route.to = i == j ? core::SpaceId(0) : core::SpaceId(j + 1);
      if (i != j) route.via = {{out[i], 1.0}, {in[j], 1.0}};
      spec.routes.push_back(route);
      if (i != j) continue;
      std::swap(route.from, route.to);
      spec.routes.push_back(route);
    }
  }
  return core::Machine::create(std::move(spec)).value();
}

/// Keeps `range(1)` random flows going between `range(0)` GPUs.
void random_flows(benchmark::State& state) {
  const auto gpus = static_cast<std::size_t>(state.range(0));
  const core::Machine machine = switched_machine(gpus);
  sim::Network network(machine);
  sim::EventQueue queue;
  std::vector<sim::EventQueue::Handle> ends;  // by flow
  std::vector<bool> has_end;
  std::mt19937 random(1);
  Time now(0);
  const auto start = [&] {
    const std::size_t from = random() % gpus;
    const std::size_t to = (from + 1 + random() % (gpus - 1)) % gpus;
    const auto bytes = core::Bytes(1 + static_cast<std::int64_t>(random() % 100'000'000));
    const sim::FlowId flow = network.start(
        now, machine.route_id(core::SpaceId(from + 1), core::SpaceId(to + 1)), bytes, kUnlimited);
    if (flow.index() >= ends.size()) {
      ends.resize(flow.index() + 1);
      has_end.resize(flow.index() + 1);
    }
    has_end[flow.index()] = false;
  };
  const auto settle = [&] {
    for (const sim::Network::Retimed& retimed : network.settle(now)) {
      const std::size_t flow = retimed.flow.index();
      if (has_end[flow]) {
        queue.move(ends[flow], retimed.end);
      } else {
        ends[flow] = queue.push(retimed.end,
                                {sim::OccurrenceKind::kFlowEnds, static_cast<std::uint32_t>(flow)});
        has_end[flow] = true;
      }
    }
  };
  for (std::int64_t i = 0; i < state.range(1); ++i) start();
  settle();
  for ([[maybe_unused]] auto _ : state) {
    now = queue.next_time();
    network.end(now, sim::FlowId(queue.pop().subject));
    start();
    settle();
  }
  state.counters["flows/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

BENCHMARK(random_flows)
    ->ArgNames({"gpus", "flows"})
    ->Args({4, 1})
    ->Args({4, 4})
    ->Args({4, 16})
    ->Args({16, 16})
    ->Args({16, 64})
    ->Args({64, 64})
    ->Args({64, 256});

}  // namespace
}  // namespace parley

BENCHMARK_MAIN();
