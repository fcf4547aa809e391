#include "sim/copy_timing.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "tests/sim/machine_builder.h"
#include "tests/sim/program_builder.h"
#include "tests/sim/records.h"

namespace parley::sim {
namespace {

using core::Bytes;
using core::Duration;
using core::Machine;

TEST_CASE("latency and rate are the fixed part and the limit") {
  MachineBuilder builder(1);
  core::Route& route = builder.route(host_space(), gpu_space(0));
  route.latency = Duration(2700);
  route.rate_cap = core::Bandwidth(50e9);
  const Machine machine = builder.build();
  const CopyTiming timing =
      copy_timing(machine, machine.route_id(host_space(), gpu_space(0)), Bytes(1000));
  CHECK(timing.fixed == Duration(2700));
  CHECK(timing.rate_limit == 50e9);
  CHECK_FALSE(timing.is_fixed_only);
}

TEST_CASE("a flow ends, however slow it is") {
  CHECK(flow_duration(1e15, 1e-9) == core::kLongestRun);
  CHECK(flow_duration(1e15, std::numeric_limits<double>::infinity()) == Duration(0));
}

TEST_CASE("a curve: fixed part and flow add up to the uncontended time of every size") {
  MachineBuilder builder(1);
  builder.route(host_space(), gpu_space(0)).curve = {
      {4096, 2700}, {65536, 3000}, {1 << 20, 6000}, {1 << 28, 700000}};
  const Machine machine = builder.build();
  const core::RouteId route = machine.route_id(host_space(), gpu_space(0));
  for (const std::int64_t bytes :
       {1, 4096, 4097, 20000, 65536, 500000, 1 << 20, 99999999, 1 << 29}) {
    CAPTURE(bytes);
    const CopyTiming timing = copy_timing(machine, route, Bytes(bytes));
    const Duration flowing = timing.is_fixed_only
                                 ? Duration(0)
                                 : flow_duration(static_cast<double>(bytes), timing.rate_limit);
    CHECK(timing.fixed + flowing == machine.copy_duration(route, Bytes(bytes)));
  }
}

TEST_CASE("a curve that rises slower than a resource allows takes its time all the same") {
  MachineBuilder builder(1);
  const core::ResourceId port = builder.resource("port", 400e9);
  builder.route(host_space(), gpu_space(0), {port}).curve = {
      {0, 2864}, {262144, 2864}, {1048576, 4782}, {1 << 28, 679893}};
  const Machine machine = builder.build();
  const core::RouteId route = machine.route_id(host_space(), gpu_space(0));
  const CopyTiming small = copy_timing(machine, route, Bytes(1048576));
  CHECK(small.rate_limit == 400e9);
  CHECK(small.fixed == Duration(4782 - 2622));  // the flow takes 2621.44 ns
  const CopyTiming large = copy_timing(machine, route, Bytes(1 << 28));
  CHECK(large.fixed == Duration(2864));
  CHECK(large.rate_limit < 400e9);
}

TEST_CASE("a copy within the flat part of a curve takes no bandwidth") {
  MachineBuilder builder(1);
  builder.route(host_space(), gpu_space(0)).curve = {{4096, 2700}, {65536, 3000}};
  const Machine machine = builder.build();
  const core::RouteId route = machine.route_id(host_space(), gpu_space(0));
  CHECK(copy_timing(machine, route, Bytes(4096)).is_fixed_only);
  CHECK_FALSE(copy_timing(machine, route, Bytes(5000)).is_fixed_only);
}

TEST_CASE("where a curve is flat, what resources notice flows all the time, as fast as they can") {
  MachineBuilder builder(1);
  const core::ResourceId link = builder.resource("link", 1e9);
  builder.route(host_space(), gpu_space(0), {link}).curve = {{0, 1000}, {4000, 1000}, {8000, 9000}};
  const core::Machine machine = builder.build();
  const core::RouteId route = machine.route_id(host_space(), gpu_space(0));
  const auto timing = [&](std::int64_t bytes) { return copy_timing(machine, route, Bytes(bytes)); };
  CHECK(timing(0).is_fixed_only);
  CHECK_FALSE(timing(500).is_fixed_only);
  CHECK(timing(500).fixed == Duration(0));
  CHECK(timing(500).rate_limit == doctest::Approx(0.5e9));
  CHECK(timing(3000).fixed == Duration(0));
  CHECK(timing(3000).rate_limit == doctest::Approx(1e9));  // 3 us, whatever the curve says
}

TEST_CASE("each part of a copy takes what a copy takes to start, where a curve is flat, too") {
  ProgramBuilder program;
  const core::RegionId whole = program.array("A", 3000, "gpu0");
  const core::RegionId middle = program.part(whole, 1000, 2000);
  program.spawn(ProgramBuilder::task("write", "gpu:1", 1, {out(middle)}));
  program.spawn(ProgramBuilder::task("read", "gpu:1", 1, {in(whole)}));
  MachineBuilder builder(2);
  const core::ResourceId link = builder.resource("link", 1e12);
  builder.route(gpu_space(0), gpu_space(1), {link}).curve = {{0, 500}, {4096, 500}, {8192, 900}};
  const Machine machine = builder.build();
  const SimResult result = run(program.close(), machine);
  const auto moved = std::ranges::find(result.run.copies, gpu_space(0), &core::CopyRecord::from);
  REQUIRE(moved != result.run.copies.end());
  CHECK(moved->bytes == Bytes(2000));
  CHECK(moved->end - moved->start == Duration(2 * 500));
}

TEST_CASE("flow durations are rounded up, but not for rounding errors") {
  CHECK(flow_duration(1000.0, 100e9) == Duration(10));
  CHECK(flow_duration(1001.0, 100e9) == Duration(11));
  CHECK(flow_duration(1000.0000000001, 100e9) == Duration(10));
  CHECK(flow_duration(0.0, 100e9) == Duration(0));
  CHECK(flow_duration(-1e-9, 100e9) == Duration(0));
  CHECK(flow_duration(1e12, std::numeric_limits<double>::infinity()) == Duration(0));
  // Every size at a rate of 3 bytes/ns: exact thirds.
  for (std::int64_t bytes = 1; bytes < 3000; ++bytes) {
    CHECK(flow_duration(static_cast<double>(bytes), 3e9) == Duration((bytes + 2) / 3));
  }
}

}  // namespace
}  // namespace parley::sim
