#include "sim/network.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "core/base/check.h"
#include "sim/copy_timing.h"
#include "tests/sim/draws.h"
#include "tests/sim/machine_builder.h"
#include "tests/sim/water_filling.h"

namespace parley::sim {
namespace {

using core::Bytes;
using core::Machine;
using core::RouteId;
using core::Time;

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

/// GPUs whose ports carry 100 bytes/ns each way, joined pair by pair.
Machine switched_machine(std::size_t gpus, core::ShareMode share = core::ShareMode::kFlow) {
  MachineBuilder builder(gpus);
  std::vector<core::ResourceId> out, in;
  for (std::size_t i = 0; i < gpus; ++i) {
    out.push_back(builder.resource("out" + std::to_string(i), 100e9));
    in.push_back(builder.resource("in" + std::to_string(i), 100e9));
  }
  for (std::size_t i = 0; i < gpus; ++i) {
    for (std::size_t j = 0; j < gpus; ++j) {
      if (i != j) builder.route(gpu_space(i), gpu_space(j), {out[i], in[j]}).share = share;
    }
  }
  return builder.build();
}

RouteId between(const Machine& machine, std::size_t from, std::size_t to) {
  return machine.route_id(gpu_space(from), gpu_space(to));
}

/// Plays flows to their ends: starts them at their times, ends them when the network says.
class Playback {
 public:
  explicit Playback(const Machine& machine) : network(machine) {}

  struct Start {
    Time at;
    RouteId route;
    Bytes bytes;
    double limit = kUnlimited;
  };
  /// Ends by index of the starts, which are in order of time.
  std::vector<Time> play(const std::vector<Start>& starts) {
    std::vector<Time> ends(starts.size());
    std::size_t next = 0;
    while (next < starts.size() || !end_of.empty()) {
      Time now = next < starts.size() ? starts[next].at : Time::max();
      for (const auto& [flow, end] : end_of) now = std::min(now, end);
      for (auto entry = end_of.begin(); entry != end_of.end();) {
        if (entry->second != now) {
          ++entry;
          continue;
        }
        network.end(now, FlowId(entry->first));
        ends[index_of[entry->first]] = now;
        entry = end_of.erase(entry);
      }
      for (; next < starts.size() && starts[next].at == now; ++next) {
        const Start& start = starts[next];
        const FlowId flow = network.start(now, start.route, start.bytes, start.limit);
        index_of[flow.index()] = next;
      }
      for (const Network::Retimed& retimed : network.settle(now)) {
        end_of[retimed.flow.index()] = retimed.end;
      }
    }
    return ends;
  }

  Network network;
  std::map<std::size_t, Time> end_of;  // by flow
  std::map<std::size_t, std::size_t> index_of;
};

TEST_CASE("a flow alone runs at its port's rate and ends rounded up to the nanosecond") {
  const Machine machine = switched_machine(2);
  CHECK(Playback(machine).play({{Time(0), between(machine, 0, 1), Bytes(1000)}}) ==
        std::vector{Time(10)});
  CHECK(Playback(machine).play({{Time(7), between(machine, 0, 1), Bytes(1001)}}) ==
        std::vector{Time(18)});
}

TEST_CASE("a flow's own limit counts") {
  const Machine machine = switched_machine(2);
  CHECK(Playback(machine).play({{Time(0), between(machine, 0, 1), Bytes(1000), 10e9}}) ==
        std::vector{Time(100)});
}

TEST_CASE("a gather shares the receiver's port") {
  const Machine machine = switched_machine(4);
  const auto ends = Playback(machine).play({{Time(0), between(machine, 1, 0), Bytes(3000)},
                                            {Time(0), between(machine, 2, 0), Bytes(3000)},
                                            {Time(0), between(machine, 3, 0), Bytes(3000)}});
  CHECK(ends == std::vector{Time(90), Time(90), Time(90)});
}

TEST_CASE("a ring is full duplex: everybody sends and receives at the full rate") {
  const Machine machine = switched_machine(4);
  std::vector<Playback::Start> ring;
  for (std::size_t i = 0; i < 4; ++i) {
    ring.push_back({Time(0), between(machine, i, (i + 1) % 4), Bytes(1000)});
    ring.push_back({Time(0), between(machine, (i + 1) % 4, i), Bytes(1000)});
  }
  // Every port carries two flows each way: one clockwise, one back.
  for (const Time end : Playback(machine).play(ring)) CHECK(end == Time(20));
  ring.erase(std::remove_if(ring.begin(), ring.end(),
                            [&, i = 0](const auto&) mutable { return i++ % 2 == 1; }),
             ring.end());
  for (const Time end : Playback(machine).play(ring)) CHECK(end == Time(10));
}

TEST_CASE("a flow that ends leaves its share to the others") {
  const Machine machine = switched_machine(3);
  const auto ends = Playback(machine).play({{Time(0), between(machine, 1, 0), Bytes(1000)},
                                            {Time(0), between(machine, 2, 0), Bytes(3000)}});
  // 50 bytes/ns each until 20 ns, then 2000 bytes at 100 bytes/ns.
  CHECK(ends == std::vector{Time(20), Time(40)});
}

TEST_CASE("a flow that starts takes its share from the others") {
  const Machine machine = switched_machine(3);
  const auto ends = Playback(machine).play({{Time(0), between(machine, 1, 0), Bytes(2000)},
                                            {Time(10), between(machine, 2, 0), Bytes(1000)}});
  CHECK(ends == std::vector{Time(30), Time(30)});
}

TEST_CASE("two flows on one pair: two shares by flow, one by pair") {
  for (const core::ShareMode share : {core::ShareMode::kFlow, core::ShareMode::kPair}) {
    const Machine machine = switched_machine(3, share);
    const auto ends = Playback(machine).play({{Time(0), between(machine, 1, 0), Bytes(6000)},
                                              {Time(0), between(machine, 1, 0), Bytes(6000)},
                                              {Time(0), between(machine, 2, 0), Bytes(6000)}});
    if (share == core::ShareMode::kFlow) {
      CHECK(ends == std::vector{Time(180), Time(180), Time(180)});
    } else {
      // 25, 25 and 50 bytes/ns until 120 ns; then the pair has the port to itself.
      CHECK(ends == std::vector{Time(180), Time(180), Time(120)});
    }
  }
}

TEST_CASE("flows that share an unlimited pair take no time, or what their own limits say") {
  MachineBuilder builder(1);
  builder.route(host_space(), gpu_space(0)).share = core::ShareMode::kPair;
  const Machine machine = builder.build();
  const RouteId route = machine.route_id(host_space(), gpu_space(0));
  Playback playback(machine);
  const std::vector<Time> ends = playback.play({{Time(10), route, Bytes(1000)},
                                                {Time(10), route, Bytes(1000), 5e9},
                                                {Time(10), route, Bytes(1000000)},
                                                {Time(10), route, Bytes(1000)}});
  CHECK(ends == std::vector<Time>{Time(10), Time(210), Time(10), Time(10)});
}

TEST_CASE("of a pair's rate, a flow gets no more than its limit, the others the rest") {
  const Machine machine = switched_machine(2, core::ShareMode::kPair);
  const auto ends = Playback(machine).play({{Time(0), between(machine, 0, 1), Bytes(1000), 10e9},
                                            {Time(0), between(machine, 0, 1), Bytes(9000)}});
  CHECK(ends == std::vector{Time(100), Time(100)});
}

TEST_CASE("a route without limits takes no time") {
  const Machine machine = MachineBuilder(1).build();
  const RouteId route = machine.route_id(host_space(), gpu_space(0));
  CHECK(Playback(machine).play({{Time(5), route, Bytes(1 << 30)}, {Time(5), route, Bytes(1)}}) ==
        std::vector{Time(5), Time(5)});
}

TEST_CASE("a weight makes a byte take more of a resource") {
  MachineBuilder builder(1);
  const core::ResourceId memory = builder.resource("memory", 100e9);
  builder.route(gpu_space(0), host_space()).via = {{memory, 1.0}};
  builder.route(host_space(), gpu_space(0)).via = {{memory, 4.0}};
  const Machine machine = builder.build();
  const RouteId down = machine.route_id(host_space(), gpu_space(0));
  CHECK(Playback(machine).play({{Time(0), down, Bytes(1000)}}) == std::vector{Time(40)});
}

TEST_CASE("ending a flow at another time than its own breaks an invariant") {
  const Machine machine = switched_machine(2);
  Network network(machine);
  const FlowId flow = network.start(Time(0), between(machine, 0, 1), Bytes(1000), kUnlimited);
  network.settle(Time(0));
  CHECK_THROWS_AS(network.end(Time(9), flow), core::InvariantViolation);
}

// ---- random networks ----

Machine random_machine(Draws& random) {
  const std::size_t gpus = 3 + random.below(4);
  MachineBuilder builder(gpus);
  std::vector<core::ResourceId> resources;
  for (std::size_t r = 0; r < 3 + random.below(6); ++r) {
    resources.push_back(builder.resource("r" + std::to_string(r), 1e9 * (1 + random.below(500))));
  }
  std::size_t unused = 0;  // each resource is on some route
  for (std::size_t i = 0; i < gpus; ++i) {
    for (std::size_t j = 0; j < gpus; ++j) {
      if (i == j) continue;
      core::Route& route = builder.route(gpu_space(i), gpu_space(j));
      if (random.below(4) == 0) route.share = core::ShareMode::kPair;
      if (random.below(3) == 0) route.rate_cap = core::Bandwidth(1e9 * (1 + random.below(200)));
      if (unused < resources.size()) route.via.push_back({resources[unused++], 1.0});
      for (const core::ResourceId id : resources) {
        const bool is_there = !route.via.empty() && route.via.front().resource == id;
        constexpr double kWeights[] = {0.5, 1.0, 1.0, 2.0};
        if (!is_there && random.below(4) == 0) route.via.push_back({id, kWeights[random.below(4)]});
      }
    }
  }
  return builder.build();
}

struct LiveFlow {
  RouteId route;
  double limit = 0.0;
  double bytes = 0.0;
  double delivered = 0.0;
  Time end = Time::max();
};
using LiveFlows = std::map<std::size_t, LiveFlow>;

/// Rates of all flows, solved anew by brute force: pairs first, then the flows of each.
std::map<std::size_t, double> brute_force_rates(const Machine& machine, const LiveFlows& flows) {
  WaterFilling problem;
  for (const core::Resource& resource : machine.spec().resources) {
    problem.capacities.push_back(resource.capacity.bytes_per_s() * 1e-9);
  }
  std::vector<std::vector<std::size_t>> members;
  std::map<std::size_t, std::size_t> player_of_pair;
  for (const auto& [id, flow] : flows) {
    const core::Route& route = machine.route(flow.route);
    const auto known = player_of_pair.find(flow.route.index());
    if (route.share == core::ShareMode::kPair && known != player_of_pair.end()) {
      members[known->second].push_back(id);
      problem.players[known->second].limit += flow.limit * 1e-9;
      continue;
    }
    player_of_pair[flow.route.index()] = members.size();
    members.push_back({id});
    WaterFilling::Player player{flow.limit * 1e-9, {}};
    for (const core::Via& via : route.via) {
      player.uses.emplace_back(via.resource.index(), via.weight);
    }
    problem.players.push_back(player);
  }
  const std::vector<double> player_rates = problem.rates();
  std::map<std::size_t, double> rates;
  for (std::size_t p = 0; p < members.size(); ++p) {
    WaterFilling inside{{player_rates[p]}, {}};
    for (const std::size_t id : members[p]) {
      inside.players.push_back({flows.at(id).limit * 1e-9, {{0, 1.0}}});
    }
    const std::vector<double> inner = inside.rates();
    for (std::size_t i = 0; i < inner.size(); ++i) rates[members[p][i]] = inner[i] * 1e9;
  }
  return rates;
}

void check_rates(const Machine& machine, const Network& network, const LiveFlows& flows) {
  const auto expected = brute_force_rates(machine, flows);
  for (const auto& [id, flow] : flows) {
    REQUIRE(network.rate(FlowId(id)) == doctest::Approx(expected.at(id)).epsilon(1e-6));
  }
  for (std::size_t r = 0; r < machine.spec().resources.size(); ++r) {
    REQUIRE(network.utilisation(core::ResourceId(r)) <= 1.0 + 1e-9);
  }
}

TEST_CASE("random flows: incremental rates are those solved anew, and every byte arrives") {
  for (std::uint32_t seed = 0; seed < 25; ++seed) {
    CAPTURE(seed);
    Draws random(seed);
    const Machine machine = random_machine(random);
    Network network(machine);
    LiveFlows flows;
    Time now(0);
    std::int64_t asked = 0;
    int to_start = 60;
    while (to_start > 0 || !flows.empty()) {
      for (auto entry = flows.begin(); entry != flows.end();) {
        if (entry->second.end != now) {
          ++entry;
          continue;
        }
        const double rate = network.rate(FlowId(entry->first));
        REQUIRE(entry->second.delivered >= entry->second.bytes * (1.0 - 1e-9));
        REQUIRE(entry->second.delivered <= entry->second.bytes * (1.0 + 1e-9) + rate * 1e-9);
        network.end(now, FlowId(entry->first));
        entry = flows.erase(entry);
      }
      for (std::uint32_t n = random.below(4); n > 0 && to_start > 0; --n, --to_start) {
        const std::size_t gpus = machine.space_count() - 1;
        const std::size_t from = random.below(gpus);
        const std::size_t to = (from + 1 + random.below(gpus - 1)) % gpus;
        const Bytes bytes(1 + static_cast<std::int64_t>(random.below(100000)));
        const CopyTiming timing = copy_timing(machine, between(machine, from, to), bytes);
        if (!std::isfinite(timing.rate_limit)) continue;  // a pair joined by nothing that limits
        const FlowId flow =
            network.start(now, between(machine, from, to), bytes, timing.rate_limit);
        flows[flow.index()] = {between(machine, from, to), timing.rate_limit,
                               static_cast<double>(bytes.count()), 0.0, Time::max()};
        asked += bytes.count();
      }
      for (const Network::Retimed& retimed : network.settle(now)) {
        flows.at(retimed.flow.index()).end = retimed.end;
      }
      check_rates(machine, network, flows);
      Time next = now + core::Duration(1 + static_cast<std::int64_t>(random.below(300)));
      for (const auto& [id, flow] : flows) next = std::min(next, flow.end);
      for (auto& [id, flow] : flows) {
        flow.delivered +=
            network.rate(FlowId(id)) * 1e-9 * static_cast<double>((next - now).count());
      }
      now = next;
    }
    CHECK(network.delivered() == Bytes(asked));
    CHECK(network.flow_count() == 0);
  }
}

}  // namespace
}  // namespace parley::sim
