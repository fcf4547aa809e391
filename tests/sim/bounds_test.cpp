#include "sim/bounds.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "sim/transfer_bound.h"
#include "tests/sim/draws.h"
#include "tests/sim/machine_builder.h"
#include "tests/sim/program_builder.h"
#include "tests/sim/required.h"

namespace parley::sim {
namespace {

using core::Bandwidth;
using core::Duration;

// ---- chains ----

TEST_CASE("a chain counts read-after-write, not the order of writers and readers elsewhere") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 8);
  const core::RegionId b = builder.array("B", 8);
  builder.spawn(ProgramBuilder::task("write", "gpu:0", 10, {out(a)}));
  builder.spawn(ProgramBuilder::task("read", "gpu:0", 20, {in(a), out(b)}));
  builder.spawn(ProgramBuilder::task("overwrite", "gpu:0", 40, {out(a)}));  // waits for no bytes
  builder.spawn(ProgramBuilder::task("reread", "gpu:0", 80, {in(a)}));
  const core::Machine machine = MachineBuilder(1).build();
  CHECK(lower_bounds(builder.close(), machine).critical_path == Duration(120));
}

TEST_CASE("a chain follows the elements of overlapping regions") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 100);
  builder.spawn(ProgramBuilder::task("left", "gpu", 10, {out(builder.part(a, 0, 50))}));
  builder.spawn(ProgramBuilder::task("right", "gpu", 20, {out(builder.part(a, 50, 100))}));
  builder.spawn(ProgramBuilder::task("middle", "gpu", 5, {inout(builder.part(a, 40, 60))}));
  builder.spawn(ProgramBuilder::task("first", "gpu", 1, {in(builder.part(a, 0, 40))}));
  builder.spawn(ProgramBuilder::task("cover", "gpu", 3, {out(builder.part(a, 0, 60))}));
  builder.spawn(ProgramBuilder::task("again", "gpu", 2, {in(builder.part(a, 30, 70))}));
  const core::Machine machine = MachineBuilder(1).build();
  // right (20), middle (25); cover waits for nobody; again reads cover and right.
  CHECK(lower_bounds(builder.close(), machine).critical_path == Duration(25));
}

TEST_CASE("a chain takes the fastest device of each task, and explicit dependencies") {
  ProgramBuilder builder(core::DependencyMode::kExplicit);
  core::TaskSpec first = ProgramBuilder::task("first", "any", 0);
  first.cost = {{"cpu", Duration(100), 0.0, 0.0}, {"gpu", Duration(10), 0.0, 0.0}};
  core::TaskSpec second = ProgramBuilder::task("second", "cpu", 0);
  second.cost = first.cost;
  // The later task is named before it exists.
  first.after = {core::TaskId(1)};
  builder.spawn(first);
  builder.spawn(second);
  const core::Machine machine = MachineBuilder(1).build();
  CHECK(lower_bounds(builder.close(), machine).critical_path == Duration(110));
}

TEST_CASE("a chain waits for releases") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 8);
  core::TaskSpec first = ProgramBuilder::task("first", "gpu", 10, {inout(a)});
  first.release = core::Time(1000);
  builder.spawn(first);
  builder.spawn(ProgramBuilder::task("second", "gpu", 10, {in(a)}));
  const core::Machine machine = MachineBuilder(1).build();
  CHECK(lower_bounds(builder.close(), machine).critical_path == Duration(1020));
}

// ---- work ----

TEST_CASE("work is divided by the slots of the devices that may do it") {
  ProgramBuilder builder;
  for (int i = 0; i < 10; ++i) {
    builder.spawn(ProgramBuilder::task("T" + std::to_string(i), "gpu", 100));
  }
  const core::Machine machine = MachineBuilder(4).build();
  CHECK(lower_bounds(builder.close(), machine).work == Duration(250));
}

TEST_CASE("work counts vcus, and each member of a group") {
  ProgramBuilder builder;
  core::TaskSpec half = ProgramBuilder::task("half", "gpu", 100);
  half.placement[0].milli_vcus = 500;
  builder.spawn(half);
  core::TaskSpec group = ProgramBuilder::task("group", "gpu", 100);
  group.placement[0].members = {"gpu", "gpu"};
  group.placement[0].is_group = true;
  builder.spawn(group);
  const core::Machine machine = MachineBuilder(2).build();
  CHECK(lower_bounds(builder.close(), machine).work == Duration(125));
}

TEST_CASE("work that is bound to one device counts there alone") {
  ProgramBuilder builder;
  for (int i = 0; i < 5; ++i) {
    builder.spawn(ProgramBuilder::task("T" + std::to_string(i), "gpu:1", 100));
  }
  const core::Machine machine = MachineBuilder(4).build();
  CHECK(lower_bounds(builder.close(), machine).work == Duration(500));
}

TEST_CASE("between a slow and a fast kind of device, work is divided as in the best schedule") {
  ProgramBuilder builder;
  // 9 tasks: 10 ns on a GPU, 30 ns on the CPU. In 67.5 ns the CPU does 2.25 of them, the GPU 6.75.
  for (int i = 0; i < 9; ++i) {
    core::TaskSpec spec = ProgramBuilder::task("T" + std::to_string(i), "any", 0);
    spec.cost = {{"cpu", Duration(30), 0.0, 0.0}, {"gpu", Duration(10), 0.0, 0.0}};
    builder.spawn(spec);
  }
  const core::Machine machine = MachineBuilder(1).build();
  const Duration work = lower_bounds(builder.close(), machine).work;
  CHECK(work.count() >= 67);
  CHECK(work.count() <= 68);
}

// ---- transfers ----

TEST_CASE("bytes that must leave home share what leads out of it") {
  ProgramBuilder builder;
  for (int i = 0; i < 4; ++i) {
    const core::RegionId a = builder.array("A" + std::to_string(i), 1000);
    builder.spawn(ProgramBuilder::task("T" + std::to_string(i), "gpu", 1, {in(a)}));
    builder.spawn(
        ProgramBuilder::task("U" + std::to_string(i), "gpu", 1, {in(a)}));  // once is enough
  }
  MachineBuilder machine_builder(4);
  const core::ResourceId memory = machine_builder.resource("host.out", 2e9);
  for (std::size_t i = 0; i < 4; ++i) {
    machine_builder.route(host_space(), gpu_space(i), {memory}).rate_cap = Bandwidth(1e9);
  }
  const core::Machine machine = machine_builder.build();
  CHECK(lower_bounds(builder.close(), machine).transfer == Duration(2000));
}

TEST_CASE("contents that are written before they are read, or may be read at home, need not move") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 1000);
  const core::RegionId b = builder.array("B", 1000);
  builder.spawn(ProgramBuilder::task("write", "gpu:0", 1, {out(a)}));
  builder.spawn(ProgramBuilder::task("read", "gpu:0", 1, {in(a)}));
  builder.spawn(ProgramBuilder::task("anywhere", "any", 1, {in(b)}));
  MachineBuilder machine_builder(1);
  const core::ResourceId link = machine_builder.resource("link", 1e9);
  machine_builder.route(host_space(), gpu_space(0), {link});
  const core::Machine machine = machine_builder.build();
  CHECK(lower_bounds(builder.close(), machine).transfer == Duration(0));
}

TEST_CASE("what one GPU makes for another must come in there") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 1000);
  builder.spawn(ProgramBuilder::task("make", "gpu:0", 1, {out(a)}));
  builder.spawn(ProgramBuilder::task("use", "gpu:1", 1, {in(a)}));
  builder.spawn(ProgramBuilder::task("make more", "gpu:0", 1, {out(a)}));
  builder.spawn(ProgramBuilder::task("use more", "gpu:1", 1, {in(a)}));
  MachineBuilder machine_builder(2);
  const core::ResourceId link = machine_builder.resource("link", 1e9);
  machine_builder.route(gpu_space(0), gpu_space(1), {link});
  machine_builder.route(gpu_space(0), host_space(), {link});
  const core::Machine machine = machine_builder.build();
  CHECK(lower_bounds(builder.close(), machine).transfer == Duration(2000));
}

TEST_CASE("contents go to the first home in the end, which may be a GPU") {
  for (const char* home : {"gpu0", "host"}) {
    CAPTURE(home);
    ProgramBuilder builder;
    const core::RegionId a = builder.array("A", 1000, home, core::AtEnd::kHome);
    builder.spawn(ProgramBuilder::task("use", "gpu:0", 1, {inout(a)}));
    MachineBuilder machine_builder(1);
    machine_builder.route(gpu_space(0), host_space(), {machine_builder.resource("link", 1e9)});
    const core::Machine machine = machine_builder.build();
    const bool is_host = std::string(home) == "host";
    CHECK(lower_bounds(builder.close(), machine).transfer == Duration(is_host ? 1000 : 0));
  }
}

TEST_CASE("nothing is known of all copies when each may draw a shorter time") {
  ProgramBuilder builder;
  const core::RegionId a = builder.array("A", 1'000'000);
  builder.spawn(ProgramBuilder::task("use", "gpu:0", 1, {in(a)}));
  MachineBuilder machine_builder(1);
  machine_builder.route(host_space(), gpu_space(0), {machine_builder.resource("link", 1e9)});
  const core::Machine machine = machine_builder.build();
  const core::Program& program = builder.close();
  SimOptions options;
  CHECK(required(simulate(program, machine, options)).bounds.transfer > Duration(900'000));
  options.copy_noise = required(Noise::parse("lognormal:sigma=1"));
  for (options.engine.seed = 0; options.engine.seed < 10; ++options.engine.seed) {
    const SimResult result = required(simulate(program, machine, options));
    CHECK(result.run.makespan.ns() >= result.bounds.best().count());
  }
}

TEST_CASE("what routes carry together: own limits, a shared resource, a shared engine") {
  MachineBuilder builder(3);
  const core::ResourceId memory = builder.resource("memory", 100e9);
  const core::CopyEngineId engine = builder.engine("engine", 2);
  core::Route& first = builder.route(host_space(), gpu_space(0), {memory});
  first.via[0].weight = 2.0;
  builder.route(host_space(), gpu_space(1), {}, {engine}).rate_cap = Bandwidth(10e9);
  builder.route(host_space(), gpu_space(2), {}, {engine}).curve = {{1000, 1000}, {5000, 1200}};
  const core::Machine machine = builder.build();
  const auto to = [&](std::size_t gpu) { return machine.route_id(host_space(), gpu_space(gpu)); };
  CHECK(most_together(machine, {to(0)}) == doctest::Approx(50e9));
  CHECK(most_together(machine, {to(1)}) == doctest::Approx(20e9));  // two at a time
  CHECK(most_together(machine, {to(2)}) == doctest::Approx(40e9));  // last slope: 20 bytes/ns
  CHECK(most_together(machine, {to(1), to(2)}) == doctest::Approx(40e9));
  CHECK(most_together(machine, {to(0), to(1), to(2)}) == doctest::Approx(90e9));
}

// ---- they hold ----

TEST_CASE("random programs: no run is shorter than any bound, whatever the policies") {
  for (std::uint32_t seed = 0; seed < 30; ++seed) {
    CAPTURE(seed);
    Draws random(seed);
    ProgramBuilder builder;
    std::vector<core::RegionId> regions;
    for (int i = 0; i < 5; ++i) {
      const char* homes[] = {"host", "host", "gpu0", "gpu1"};
      const auto at_end = random.below(3) == 0 ? core::AtEnd::kHome : core::AtEnd::kAnywhere;
      const core::RegionId whole = builder.array("A" + std::to_string(i), 1000 + random.below(9000),
                                                 homes[random.below(4)], at_end);
      regions.push_back(whole);
      regions.push_back(builder.part(whole, 0, 600));
      regions.push_back(builder.part(whole, 300, 1000));
    }
    for (std::size_t i = 0; i < 40; ++i) {
      const char* places[] = {"any", "gpu", "cpu", "gpu:0", "gpu:1", "gpu:2"};
      const core::RegionId read = regions[random.below(regions.size())];
      const core::RegionId written = regions[random.below(regions.size())];
      core::TaskSpec spec = ProgramBuilder::task("T" + std::to_string(i), places[random.below(6)],
                                                 random.below(500), {in(read)});
      if (random.below(3) > 0 && written != read) {
        spec.accesses.push_back(random.below(2) == 0 ? inout(written) : out(written));
      }
      spec.priority = static_cast<std::int32_t>(random.below(3));
      if (random.below(8) == 0) spec.release = core::Time(random.below(2000));
      builder.spawn(spec);
    }
    MachineBuilder machine_builder(3);
    const core::ResourceId down = machine_builder.resource("host.out", 20e9);
    const core::ResourceId up = machine_builder.resource("host.in", 10e9);
    for (std::size_t g = 0; g < 3; ++g) {
      const core::CopyEngineId engine = machine_builder.engine("e" + std::to_string(g));
      machine_builder.route(host_space(), gpu_space(g), {down}).rate_cap = Bandwidth(8e9);
      machine_builder.route(gpu_space(g), host_space(), {up}, {engine}).latency = Duration(20);
      machine_builder.route(gpu_space(g), gpu_space((g + 1) % 3), {}, {engine}).curve = {
          {500, 100}, {1000, 150}, {10000, 400}};
    }
    const core::Machine machine = machine_builder.build();
    const core::Program& program = builder.close();
    for (const char* mapper : {"earliest_finish", "round_robin"}) {
      for (const std::uint32_t window : {1U, 0U}) {
        SimOptions options;
        options.engine.mapper = mapper;
        options.engine.window = window;
        const SimResult result = required(simulate(program, machine, options));
        const std::int64_t makespan = result.run.makespan.ns();
        CHECK(makespan >= result.bounds.critical_path.count());
        CHECK(makespan >= result.bounds.work.count());
        CHECK(makespan >= result.bounds.transfer.count());
        CHECK(result.bounds.best().count() > 0);
        CHECK(result.run.tasks.size() == 40);
      }
    }
  }
}

}  // namespace
}  // namespace parley::sim
