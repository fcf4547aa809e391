// Calibration, tried on simulated machines whose every figure is known: what comes out must predict
// what they do.
#include "exec/calibrate/calibration.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "exec/calibrate/host_costs.h"
#include "exec/calibrate/laboratory.h"
#include "exec/calibrate/link_fit.h"
#include "exec/host/host_backend.h"
#include "sim/simulator.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::exec {
namespace {

core::Machine shipped(const std::string& name, const std::vector<std::string>& limits = {}) {
  auto machine = workloads::load_machine(name, limits);
  REQUIRE(machine.has_value());
  return *std::move(machine);
}

/// Performs programs on `truth`, whatever machine the engine is told about.
RunProgram simulated_on(const core::Machine& truth) {
  return [&truth](const core::Program& program, const core::Machine&,
                  const core::EngineOptions& engine, bool) -> core::Result<core::RunRecord> {
    sim::SimOptions options;
    options.engine = engine;
    auto result = sim::simulate(program, truth, options);
    if (!result) return result.faults();
    return std::move(result->run);
  };
}

double makespan(const core::Machine& machine, const std::string& workload,
                const std::string& mapper = "") {
  const auto program = workloads::load_workload(workload);
  REQUIRE_MESSAGE(program.has_value(), workload);
  sim::SimOptions options;
  options.engine.mapper = mapper;
  const auto result = sim::simulate(*program, machine, options);
  REQUIRE(result.has_value());
  return static_cast<double>(result->run.makespan.ns());
}

TEST_CASE("joint_rate: what all flows carry while each of them is under way") {
  const CopyFlow a{core::SpaceId(0), core::SpaceId(1)}, b{core::SpaceId(1), core::SpaceId(0)};
  CHECK(joint_rate({{a, 100.0, 0.0, 10.0}}) == doctest::Approx(10.0));
  CHECK(joint_rate({{a, 100.0, 0.0, 10.0}, {b, 100.0, 0.0, 10.0}}) == doctest::Approx(20.0));
  // From 5, when b starts, to 10, when a ends.
  CHECK(joint_rate({{a, 100.0, 0.0, 10.0}, {b, 100.0, 5.0, 25.0}}) == doctest::Approx(15.0));
  CHECK(joint_rate({{a, 50.0, 0.0, 4.0}, {a, 50.0, 4.0, 10.0}, {b, 40.0, 2.0, 12.0}}) ==
        doctest::Approx((25.0 + 50.0 + 32.0) / 8.0));
  CHECK(joint_rate({{a, 100.0, 0.0, 10.0}, {b, 100.0, 10.0, 20.0}}) == 0.0);
}

TEST_CASE("make_rising: what was held up says nothing about larger copies") {
  using Curve = std::vector<std::pair<std::int64_t, std::int64_t>>;
  struct Row {
    Curve measured, rising;
  };
  const std::vector<Row> rows = {
      {{}, {}},
      {{{1, 10}}, {{1, 10}}},
      {{{1, 10}, {2, 20}, {4, 40}}, {{1, 10}, {2, 20}, {4, 40}}},
      {{{1, 10}, {2, 90}, {4, 40}}, {{1, 10}, {2, 40}, {4, 41}}},
      {{{1, 50}, {2, 90}, {4, 40}}, {{1, 40}, {2, 41}, {4, 42}}},
      {{{1, 10}, {2, 10}, {4, 10}, {8, 11}}, {{1, 10}, {2, 11}, {4, 12}, {8, 13}}}};
  for (const Row& row : rows) {
    Curve curve = row.measured;
    make_rising(curve);
    CHECK(curve == row.rising);
  }
}

TEST_CASE("copies that are held up once, as by memory touched first, do not change what is found") {
  const core::Machine truth = shipped("h200x2");
  using Key = std::tuple<core::SpaceId, core::SpaceId, std::int64_t>;
  std::map<Key, int> runs;
  const RunProgram undisturbed = simulated_on(truth);
  const RunProgram disturbed = [&](const core::Program& program, const core::Machine& machine,
                                   const core::EngineOptions& engine,
                                   bool is_timed) -> core::Result<core::RunRecord> {
    auto run = undisturbed(program, machine, engine, is_timed);
    if (!run) return run;
    std::map<Key, int> now = runs;
    for (core::CopyRecord& copy : run->copies) {
      const Key key(copy.from, copy.to, copy.bytes.count());
      now[key] = runs[key] + 1;
      if (runs[key] == 0) copy.end = copy.end + (copy.end - copy.start) * 3;
    }
    runs = now;
    return run;
  };
  const auto routes_by = [&](const RunProgram& run) {
    core::MachineSpec spec = truth.spec();
    spec.routes.clear();
    spec.relays.clear();
    spec.resources = {};
    spec.engines = {};
    const Laboratory laboratory(truth, run);
    LinkFit fit(laboratory, spec, true);
    for (const LinkFit::Step& step : fit.steps()) step.measure();
    return spec.routes;
  };
  const std::vector<core::Route> right = routes_by(undisturbed), found = routes_by(disturbed);
  REQUIRE(found.size() == right.size());
  for (std::size_t i = 0; i < right.size(); ++i) {
    REQUIRE(found[i].curve.size() == right[i].curve.size());
    for (std::size_t point = 0; point < right[i].curve.size(); ++point) {
      CAPTURE(right[i].curve[point].first);
      CHECK(static_cast<double>(found[i].curve[point].second) ==
            doctest::Approx(static_cast<double>(right[i].curve[point].second)).epsilon(0.02));
    }
  }
}

TEST_CASE("a calibrated machine predicts the patterns of copies of the one that was measured") {
  for (const std::string name : {"h200x4", "h200x2", "sirocco"}) {
    CAPTURE(name);
    const core::Machine truth = shipped(name);
    const auto spec = calibrate(truth, {.is_quick = true}, simulated_on(truth));
    REQUIRE_MESSAGE(spec.has_value(), spec.faults().front().what);
    const auto machine = core::Machine::create(*spec);
    REQUIRE(machine.has_value());
    const std::string gpus = ",gpus=" + std::string(name == "h200x2" ? "2" : "4");
    for (const std::string pattern :
         {"host_to_gpu", "gpu_to_host", "both_ways", "peer", "peer_both_ways", "ring", "broadcast",
          "gather", "all_to_all"}) {
      for (const std::string block : {"64MiB", "1MiB"}) {
        const std::string workload = "copies:pattern=" + pattern + ",block=" + block + gpus;
        CAPTURE(workload);
        const double ratio = makespan(*machine, workload) / makespan(truth, workload);
        CHECK(ratio > 0.85);
        CHECK(ratio < 1.15);
      }
    }
  }
}

TEST_CASE("a calibrated machine predicts kernels and what commands cost the host") {
  const core::Machine truth = shipped("h200x2");
  const auto spec = calibrate(truth, {}, simulated_on(truth));
  REQUIRE(spec.has_value());
  const auto near = [](core::Duration found, core::Duration right) {
    CHECK(static_cast<double>(found.count()) ==
          doctest::Approx(static_cast<double>(right.count())).epsilon(0.1));
  };
  near(spec->host.issue_launch, truth.host().issue_launch);
  near(spec->host.issue_copy, truth.host().issue_copy);
  near(spec->host.round_trip, truth.host().round_trip);
  for (const char* kernel : {"gemm", "syrk", "trsm", "potrf"}) {
    CAPTURE(kernel);
    const auto& found = spec->kernels.at(kernel).at("gpu").at("float64");
    const auto& right = truth.spec().kernels.at(kernel).at("gpu").at("float64");
    for (const auto& [size, time] : right) {
      for (const auto& [measured_size, measured] : found) {
        if (measured_size == size) near(measured, time);
      }
    }
  }
  const auto machine = core::Machine::create(*spec);
  REQUIRE(machine.has_value());
  for (const std::string workload : {"cholesky:tiles=12,tile=1024",
                                     "cholesky:tiles=12,tile=1024,solve=inverse,home=block_cyclic,"
                                     "gpus=2",
                                     "gemm:tiles=6,depth=4,tile=2048",
                                     "wavefront:rows=30,columns=30,block=8,kernel=spin,task_ns=0",
                                     "pingpong:rounds=20,block=16MiB"}) {
    CAPTURE(workload);
    const double ratio =
        makespan(*machine, workload, "block_cyclic") / makespan(truth, workload, "block_cyclic");
    CHECK(ratio > 0.9);
    CHECK(ratio < 1.1);
  }
}

/// As clocks on a GPU tell it: what finds its queue idle began when it began to be issued.
core::RunRecord told_by_clocks(core::RunRecord run, const core::Machine& truth) {
  std::ranges::sort(run.tasks, {}, &core::TaskRecord::start);
  core::IdVector<core::DeviceId, core::Time> busy_until(truth.device_count());
  for (core::TaskRecord& task : run.tasks) {
    const core::DeviceId device = task.devices.front();
    const bool is_on_gpu = !truth.space(truth.device(device).space).is_host;
    const core::Time early = std::max(busy_until[device], task.start - truth.host().issue_launch);
    busy_until[device] = task.end;
    if (is_on_gpu) task.issue = core::Duration(123'457);  // many of them outlast a short gate
    if (is_on_gpu) task.start = std::max(core::Time(0), std::min(task.start, early));
  }
  // Two queues for each pair of spaces, in turn: at the head of one a copy's clock is running.
  std::ranges::sort(run.copies, {}, &core::CopyRecord::start);
  std::map<std::pair<core::SpaceId, core::SpaceId>, std::pair<core::Time, core::Time>> last_ends;
  for (core::CopyRecord& copy : run.copies) {
    auto& [one_before, two_before] = last_ends[{copy.from, copy.to}];
    copy.start = std::min(copy.start, std::max(copy.issued, two_before));
    two_before = std::exchange(one_before, copy.end);
    copy.issue = std::min(copy.start - core::Time(0),
                          truth.host().issue_copy + truth.route(copy.route).issue);
    copy.start = copy.start - copy.issue;
  }
  return run;
}

TEST_CASE("streams, threads that issue and power are found") {
  core::MachineSpec spec = shipped("h200x2").spec();
  spec.host.submitters = core::Submitters::kPerGpu;
  spec.host.decide_command = core::Duration(200);
  spec.host.poll = core::Duration(900);
  spec.host.inline_copy = core::Bytes(1 << 16);
  spec.host.issue_joined = core::Duration(700);
  spec.host.event = core::Duration(4000);
  spec.host.handoff = core::Duration(9000);
  spec.host.crowding = 0.3;
  for (std::size_t d = 0; d < spec.devices.size(); ++d) {
    core::Device& device = spec.devices[core::DeviceId(d)];
    device.interference = {};
    if (device.device_class != "gpu") continue;
    device.streams = 4;
    device.saturation = 0.9;
    device.power = {core::Duration(40'000'000), 0.85};
  }
  for (const core::Route& route : spec.routes) {
    const bool takes_two = route.from == core::SpaceId(0) && !route.engines.empty();
    if (takes_two) spec.engines[route.engines.front()].slots = 2;
  }
  for (core::Route& route : spec.routes) {
    const bool has_host = route.from == core::SpaceId(0) || route.to == core::SpaceId(0);
    if (!has_host) route.issue = core::Duration(route.from == route.to ? 3000 : 2500);
  }
  spec.shares["spin"]["gpu"]["float64"] = {{1, 0.0}};
  spec.shares["potrf"]["gpu"]["float64"] = {{1, 0.4}};
  spec.shares["syrk"]["gpu"]["float64"] = {{1, {0.6, 0.7}}};
  const core::Result<core::Machine> truth = core::Machine::create(std::move(spec));
  REQUIRE(truth.has_value());
  CalibrationOptions options;
  options.streams = 4;
  options.has_submitters = true;
  options.turn = core::Duration(1234);
  options.copy_streams = 1;
  options.inline_copy = core::Bytes(1 << 16);
  bool is_slow = false;
  const RunProgram run = [&](const core::Program& program, const core::Machine&,
                             const core::EngineOptions& engine,
                             bool) -> core::Result<core::RunRecord> {
    sim::SimOptions simulated;
    simulated.engine = engine;
    simulated.has_power = true;
    auto result = sim::simulate(program, *truth, simulated);
    if (!result) return result.faults();
    core::RunRecord told = told_by_clocks(std::move(result->run), *truth);
    // The host is slower once kernels are measured than when its commands were.
    const auto name_of = [&](core::TaskId task) {
      const core::Kernel& calls = program.kernel(program.task(task).kernel);
      return calls.empty() ? std::string() : calls.front().name;
    };
    const bool is_among_others = std::ranges::any_of(
        told.tasks, [&](const auto& task) { return name_of(task.task) == "getrf"; });
    for (core::TaskRecord& task : told.tasks) {
      const bool is_gemm = name_of(task.task) == "gemm";
      is_slow = is_slow || is_gemm;
      if (is_gemm || name_of(task.task) == "spin") {
        // Longer where other kernels were issued before it.
        const int gemm_ns = is_among_others ? 9000 : 5000;
        task.issue = core::Duration((is_gemm ? gemm_ns : 3000) * (is_slow ? 3 : 2) / 2);
      }
      // A fifth of the time from one to the next lies between the two.
      if (name_of(task.task) == "syrk") {
        task.end = task.start + core::Duration((task.end - task.start).count() * 4 / 5);
      }
    }
    return told;
  };
  const auto found = calibrate(*truth, options, run);
  REQUIRE(found.has_value());
  CHECK(found->host.submitters == core::Submitters::kPerGpu);
  CHECK(found->host.decide_command == core::Duration(200));
  const auto near = [](core::Duration a, core::Duration b, double share) {
    CAPTURE(a.count());
    CAPTURE(b.count());
    CHECK(std::abs(static_cast<double>(a.count() - b.count())) <=
          share * static_cast<double>(b.count()));
  };
  CHECK(found->host.issue_part == core::Duration(3000));
  for (const auto& [size, time] : found->issue.at("gemm").at("gpu").at("float64")) {
    CAPTURE(size);  // large ones take the GPU so long that it does not matter
    near(time, core::Duration((size <= 1024 ? 9000 : 5000) - 3000), 0.01);
  }
  CHECK(found->host.turn == core::Duration(1234));
  near(found->host.issue_joined, core::Duration(700), 0.25);  // looks for ends included
  near(found->host.event, core::Duration(4000), 0.1);
  near(found->host.handoff, core::Duration(9000), 0.1);
  CHECK(found->host.crowding == doctest::Approx(0.3).epsilon(0.2));
  CHECK(found->host.copy_streams == 1);
  CHECK(found->host.inline_copy == core::Bytes(1 << 16));
  const auto machine = core::Machine::create(*found);
  REQUIRE(machine.has_value());
  for (std::size_t i = 0; i < truth->spec().routes.size(); ++i) {
    const core::Route& route = truth->spec().routes[i];
    const core::RouteId same = machine->route_id(route.from, route.to);
    for (const std::int64_t bytes : {4096, 65536, 1 << 20, 1 << 26}) {
      near(machine->copy_duration(same, core::Bytes(bytes)),
           truth->copy_duration(truth->route_id(route.from, route.to), core::Bytes(bytes)), 0.1);
    }
  }
  for (const core::Route& route : found->routes) {
    const bool has_host = route.from == core::SpaceId(0) || route.to == core::SpaceId(0);
    const bool is_between_gpus = !has_host && route.from != route.to;
    CAPTURE(is_between_gpus);
    if (is_between_gpus) {
      near(route.issue, core::Duration(2500), 0.25);  // looks for ends included
    } else {
      near(route.issue, core::Duration(has_host ? 0 : 3000), 0.02);
    }
    const core::RouteId same = truth->route_id(route.from, route.to);
    if (truth->route(same).engines.empty()) continue;
    CHECK(found->engines[route.engines.front()].slots ==
          truth->spec().engines[truth->route(same).engines.front()].slots);
  }
  for (const char* kernel : {"gemm", "potrf"}) {
    for (const auto& [size, time] : found->kernels.at(kernel).at("gpu").at("float64")) {
      for (const auto& [edge, right] : truth->spec().kernels.at(kernel).at("gpu").at("float64")) {
        if (edge == size) near(time, right, 0.02);
      }
    }
  }
  const core::Device& gpu = found->devices[core::DeviceId(1)];
  CHECK(gpu.streams == 4);
  CHECK(gpu.saturation == doctest::Approx(0.9).epsilon(0.1));
  CHECK(found->shares.at("spin").at("gpu").at("float64")[0].second.of_all == 0.0);
  for (const auto& [size, share] : found->shares.at("potrf").at("gpu").at("float64")) {
    if (size < 512) continue;  // those take the host longer than the GPU
    CHECK(share.of_all == doctest::Approx(0.4).epsilon(0.1));
  }
  for (const auto& [size, share] : found->shares.at("syrk").at("gpu").at("float64")) {
    if (size < 1024) continue;
    CAPTURE(size);
    // Of the time that the table tells.
    CHECK(share.of_all == doctest::Approx(0.6 / 0.8).epsilon(0.05));
    CHECK(share.of_two == doctest::Approx(0.7 / 0.8).epsilon(0.05));
  }
  for (const auto& [size, share] : found->shares.at("gemm").at("gpu").at("float64")) {
    if (size >= 1024) CHECK(share.of_all == doctest::Approx(1.0).epsilon(0.05));
  }
  CHECK(gpu.power.sustained == doctest::Approx(0.85).epsilon(0.02));
  near(gpu.power.burst, core::Duration(40'000'000), 0.2);
}

/// Mean rates of the first copies of each flow, of those that leave `space` and of the others.
std::pair<double, double> rates_of(const core::Machine& machine, const std::vector<CopyFlow>& flows,
                                   core::SpaceId space) {
  const RunProgram run = simulated_on(machine);
  const Laboratory laboratory(machine, run);
  std::map<std::pair<std::size_t, std::size_t>, double> first;
  for (const MeasuredCopy& copy : laboratory.copies(flows, 1 << 26, 2)) {
    first.try_emplace({copy.flow.from.index(), copy.flow.to.index()},
                      copy.bytes / (copy.end - copy.start));
  }
  double sums[2] = {0.0, 0.0}, counts[2] = {0.0, 0.0};
  for (const auto& [flow, rate] : first) {
    const std::size_t way = flow.first == space.index() ? 0 : 1;
    sums[way] += rate;
    counts[way] += 1.0;
  }
  return {sums[0] / counts[0], sums[1] / counts[1]};
}

TEST_CASE("copies from the host that step back for those to it are found") {
  core::MachineSpec spec = shipped("h200x2").spec();
  const core::SpaceId host(0), first(1), second(2);
  for (core::Route& route : spec.routes) {
    if (route.from == host && route.to != host) route.gives_way = 1.0;
  }
  for (const core::SpaceId gpu : {first, second}) {
    const core::ResourceId reads =
        spec.resources.push_back({spec.spaces[gpu].name + ".host_reads", core::Bandwidth(54e9)});
    for (core::Route& route : spec.routes) {
      if (route.from == host && route.to == gpu) route.via.push_back({reads, 1.0});
      if (route.from != host && route.to == host) route.via.push_back({reads, 0.25});
    }
  }
  const core::Result<core::Machine> truth = core::Machine::create(std::move(spec));
  REQUIRE(truth.has_value());
  CalibrationOptions options;
  options.is_quick = true;
  const auto found = calibrate(*truth, options, simulated_on(*truth));
  REQUIRE(found.has_value());
  const core::Result<core::Machine> machine = core::Machine::create(*found);
  REQUIRE(machine.has_value());
  const std::vector<std::vector<CopyFlow>> patterns = {
      {{host, first}, {first, host}, {second, host}},
      {{host, first}, {host, second}, {first, host}, {second, host}},
      {{host, first}, {host, second}, {second, host}}};
  for (const std::vector<CopyFlow>& flows : patterns) {
    CAPTURE(flows.size());
    const auto [read, written] = rates_of(*truth, flows, host);
    const auto [read_as, written_as] = rates_of(*machine, flows, host);
    CHECK(read < 0.9 * written);  // or there would be nothing to find
    CHECK(read_as == doctest::Approx(read).epsilon(0.1));
    CHECK(written_as == doctest::Approx(written).epsilon(0.1));
  }
}

TEST_CASE("what does not fit into a GPU is not measured, and the rest is") {
  core::MachineSpec spec = shipped("h200x1").spec();
  for (std::size_t d = 0; d < spec.devices.size(); ++d) {
    const core::DeviceId device(d);
    if (spec.devices[device].device_class != "gpu") continue;
    spec.devices[device].streams = 4;
    spec.devices[device].saturation = 0.9;
    spec.spaces[spec.devices[device].space].capacity = core::Bytes(std::int64_t{256} << 20U);
  }
  const core::Result<core::Machine> truth = core::Machine::create(std::move(spec));
  REQUIRE(truth.has_value());
  CalibrationOptions options;
  options.is_quick = true;
  options.streams = 4;
  const auto found = calibrate(*truth, options, simulated_on(*truth));
  REQUIRE_MESSAGE(found.has_value(), found.faults().front().what);
  CHECK(found->devices[core::DeviceId(1)].streams == 4);
  CHECK(found->devices[core::DeviceId(1)].saturation == 0.0);
  CHECK_FALSE(found->kernels.at("gemm").empty());
}

TEST_CASE("what commands cost is told for one speed of the host, which changes all the time") {
  core::MachineSpec spec = shipped("h200x2").spec();
  spec.host.submitters = core::Submitters::kPerGpu;
  spec.host.issue_launch = core::Duration(5000);
  spec.host.issue_copy = core::Duration(4000);
  spec.host.round_trip = core::Duration(15000);
  spec.host.poll = core::Duration(2500);
  spec.host.decide_command = core::Duration(900);
  spec.host.issue_joined = core::Duration(700);
  spec.host.inline_copy = core::Bytes(1 << 16);
  for (core::Route& route : spec.routes) {
    const bool has_host = route.from == core::SpaceId(0) || route.to == core::SpaceId(0);
    if (!has_host) route.issue = core::Duration(2500);
  }
  spec.host.crowding = 0.2;
  spec.shares["spin"]["gpu"]["float64"] = {{1, 0.0}};
  for (std::size_t d = 0; d < spec.devices.size(); ++d) {
    core::Device& device = spec.devices[core::DeviceId(d)];
    if (device.device_class == "gpu") device.streams = 4;
  }
  const core::Result<core::Machine> truth = core::Machine::create(std::move(spec));
  REQUIRE(truth.has_value());
  CalibrationOptions options;
  options.is_quick = true;
  options.streams = 4;
  options.has_submitters = true;
  options.turn = core::Duration(1234);
  options.copy_streams = 1;
  options.inline_copy = core::Bytes(1 << 16);
  const auto calibrated = [&](double change, double step) {
    double runs = 0.0;
    const auto found =
        calibrate(*truth, options,
                  [&](const core::Program& program, const core::Machine&,
                      const core::EngineOptions& engine, bool) -> core::Result<core::RunRecord> {
                    sim::SimOptions simulated;
                    simulated.engine = engine;
                    simulated.host_slowdown = 1.0 + change * std::sin(step * runs++);
                    auto result = sim::simulate(program, *truth, simulated);
                    if (!result) return result.faults();
                    return std::move(result->run);
                  });
    REQUIRE(found.has_value());
    return *found;
  };
  const core::MachineSpec at_one = calibrated(0.0, 0.0), at_many = calibrated(0.3, 0.2);
  const core::HostCosts &steady = at_one.host, &changing = at_many.host;
  const auto in_launches = [](core::Duration time, const core::HostCosts& host) {
    return static_cast<double>(time.count()) / static_cast<double>(host.issue_launch.count());
  };
  const auto check_near = [](double found, double right, double share) {
    CAPTURE(found);
    CAPTURE(right);
    CHECK(std::abs(found - right) <= share * right);
  };
  check_near(in_launches(changing.issue_launch, steady), 1.0, 0.15);
  for (const auto cost : {&core::HostCosts::issue_copy, &core::HostCosts::round_trip,
                          &core::HostCosts::decide_command, &core::HostCosts::poll}) {
    CAPTURE((steady.*cost).count());
    check_near(in_launches(changing.*cost, changing), in_launches(steady.*cost, steady), 0.1);
  }
  check_near(changing.crowding, steady.crowding, 0.2);
  // Small beside what they are told apart from.
  check_near(in_launches(changing.issue_joined, changing), in_launches(steady.issue_joined, steady),
             0.15);
  const core::HostCosts restless = calibrated(0.3, 1.0).host;
  check_near(in_launches(restless.issue_joined, restless), in_launches(steady.issue_joined, steady),
             0.5);
  for (std::size_t i = 0; i < at_one.routes.size(); ++i) {
    const core::Route& route = at_one.routes[i];
    if (route.from == core::SpaceId(0) || route.to == core::SpaceId(0) || route.from == route.to) {
      continue;
    }
    check_near(static_cast<double>(route.issue.count()), 2500.0, 0.3);
    check_near(in_launches(at_many.routes[i].issue, changing), in_launches(route.issue, steady),
               0.4);
  }
}

TEST_CASE("machines whose products take no time, or whose host takes none, can be calibrated") {
  for (const std::string name : {"a100x4", "dgx-1v", "pcie4"}) {
    CAPTURE(name);
    core::MachineSpec spec = shipped(name).spec();
    spec.kernels.clear();
    spec.host = core::HostCosts();
    spec.host.submitters = core::Submitters::kPerGpu;
    const core::Result<core::Machine> truth = core::Machine::create(std::move(spec));
    REQUIRE(truth.has_value());
    const auto found = calibrate(*truth, {.is_quick = true, .streams = 4, .has_submitters = true},
                                 simulated_on(*truth));
    CHECK_MESSAGE(found.has_value(), found.faults().front().where, ": ",
                  found.faults().front().what);
  }
}

TEST_CASE(
    "a rate is that of the link even if something held up large copies while they were measured") {
  const core::Machine truth = shipped("h200x2");
  const auto plain = calibrate(truth, {}, simulated_on(truth));
  REQUIRE(plain.has_value());
  constexpr std::int64_t kLarge = std::int64_t{16} << 20U;
  std::map<std::int64_t, int> seen;  // runs of copies of a size
  const auto found = calibrate(
      truth, {},
      [&](const core::Program& program, const core::Machine& machine,
          const core::EngineOptions& engine, bool is_timed) -> core::Result<core::RunRecord> {
        auto run = simulated_on(truth)(program, machine, engine, is_timed);
        if (!run || run->copies.empty()) return run;
        const std::int64_t bytes = run->copies.front().bytes.count();
        if (bytes < kLarge || ++seen[bytes] % 2 == 0) return run;
        for (core::CopyRecord& copy : run->copies) {
          copy.end = copy.end + core::Duration((copy.end - copy.start).count() / 8);
        }
        return run;
      });
  REQUIRE(found.has_value());
  REQUIRE(found->routes.size() == plain->routes.size());
  for (std::size_t i = 0; i < found->routes.size(); ++i) {
    CAPTURE(i);
    const auto rate = [&](const core::MachineSpec& spec) {
      return spec.resources[spec.routes[i].via.front().resource].capacity.bytes_per_s();
    };
    CHECK(rate(*found) == doctest::Approx(rate(*plain)).epsilon(0.01));
  }
}

TEST_CASE("a failing measurement is said, not hidden") {
  const core::Machine truth = shipped("h200x1");
  const auto spec =
      calibrate(truth, {.is_quick = true},
                [](const core::Program&, const core::Machine&, const core::EngineOptions&,
                   bool) -> core::Result<core::RunRecord> {
                  return core::Fault{"execution", "the device is gone"};
                });
  REQUIRE_FALSE(spec.has_value());
  CHECK(spec.faults().front().what == "execution: the device is gone");
}

}  // namespace
}  // namespace parley::exec
