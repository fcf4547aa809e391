// The protocol, one case at a time: which commands a small program gets, and what they wait for.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/memory/arena.h"
#include "tests/support/virtual_driver.h"

namespace parley::core {
namespace {

using test::CommandStage;
using test::ManualDriver;
using test::OwnedCopy;
using test::OwnedDrop;

/// A host and GPUs of `gpu_bytes` each, all pairs connected.
Machine small_machine(std::size_t gpus, std::int64_t gpu_bytes) {
  MachineSpec spec;
  spec.name = "small";
  spec.spaces.push_back({"host", Bytes(1 << 16), "", true});
  Device cpu;
  cpu.name = cpu.device_class = "cpu";
  cpu.space = SpaceId(0);
  spec.devices.push_back(cpu);
  for (std::size_t g = 0; g < gpus; ++g) {
    const SpaceId space =
        spec.spaces.push_back({"gpu" + std::to_string(g), Bytes(gpu_bytes), "", false});
    Device gpu;
    gpu.name = "gpu:" + std::to_string(g);
    gpu.device_class = "gpu";
    gpu.space = space;
    spec.devices.push_back(gpu);
  }
  for (std::size_t from = 0; from <= gpus; ++from) {
    for (std::size_t to = 0; to <= gpus; ++to) {
      if (from == to) continue;
      Route route;
      route.from = SpaceId(from);
      route.to = SpaceId(to);
      spec.routes.push_back(route);
    }
  }
  Result<Machine> machine = Machine::create(std::move(spec));
  REQUIRE(machine);
  return std::move(machine).value();
}

ArrayId add_array(Program& program, const std::string& name) {
  ArraySpec spec;
  spec.name = name;
  spec.shape = {8};
  spec.initial.kind = Initial::Kind::kArange;
  return *program.add_array(std::move(spec));
}

TaskId spawn(Program& program, const std::string& name, const std::string& device, ArrayId array,
             AccessMode mode) {
  TaskSpec spec;
  spec.name = name;
  spec.accesses = {{program.whole(array).region, mode, 0, {}}};
  Alternative alternative;
  alternative.members = {device};
  spec.placement = {alternative};
  return *program.spawn(std::move(spec));
}

bool waits_for(const ManualDriver& driver, CommandId later, CommandId earlier) {
  const auto after = test::after_of(driver.command(later));
  return std::find(after.begin(), after.end(), earlier) != after.end();
}

TEST_CASE("dependent work is issued ahead, each command waiting for the bytes it needs") {
  const Machine machine = small_machine(2, 4096);
  Program program("p");
  const ArrayId a = add_array(program, "A");
  spawn(program, "write", "gpu:0", a, AccessMode::kInout);
  spawn(program, "read", "gpu:1", a, AccessMode::kIn);
  REQUIRE(program.close());
  ManualDriver driver(program, machine, {});
  driver.submit_all();
  const CommandId write = driver.launch_of("write"), read = driver.launch_of("read");
  REQUIRE_FALSE(write.is_none());
  REQUIRE_FALSE(read.is_none());  // although nothing has run yet
  const auto fetch = driver.copies_of("A", "host", "gpu0");
  const auto forward = driver.copies_of("A", "gpu0", "gpu1");
  REQUIRE(fetch.size() == 1);
  REQUIRE(forward.size() == 1);
  CHECK(waits_for(driver, write, fetch[0]));
  CHECK(waits_for(driver, forward[0], write));
  CHECK(waits_for(driver, read, forward[0]));
  CHECK(driver.in_stage(CommandStage::kReady) == fetch);
  driver.complete_all();
  CHECK(driver.is_finished());
  driver.check_end();
}

TEST_CASE("a task that takes more vcus than any device has slots is refused with both figures") {
  const Machine machine = small_machine(1, 4096);
  Program program("p");
  TaskSpec spec;
  spec.name = "wide";
  Alternative alternative;
  alternative.members = {"gpu"};
  alternative.milli_vcus = 2500;
  spec.placement = {alternative};
  REQUIRE(program.spawn(std::move(spec)));
  REQUIRE(program.close());
  const auto engine = Engine::create(program, machine, {});
  REQUIRE_FALSE(engine);
  REQUIRE(engine.faults().size() == 1);
  CHECK(engine.faults()[0].where == "placement \"gpu\"");
  CHECK(engine.faults()[0].what ==
        "takes 2.500 vcus, more than any device that it may run on has (1)");
}

TEST_CASE("out moves nothing in, and makes the other copies invalid") {
  const Machine machine = small_machine(1, 4096);
  Program program("p");
  const ArrayId a = add_array(program, "A");
  spawn(program, "write", "gpu:0", a, AccessMode::kOut);
  REQUIRE(program.close());
  ManualDriver driver(program, machine, {});
  driver.submit_all();
  CHECK(driver.copies_of("A").empty());
  CHECK(driver.engine().overview(a).state(SpaceId(0)) == MsiState::kInvalid);
  CHECK(driver.engine().overview(a).state(SpaceId(1)) == MsiState::kModified);
  driver.complete_all();
  driver.check_end();
}

TEST_CASE("a dirty sole copy is written back before it is dropped") {
  const Machine machine = small_machine(1, Arena::kAlignment);  // room for one array
  Program program("p");
  const ArrayId a = add_array(program, "A"), b = add_array(program, "B");
  spawn(program, "write A", "gpu:0", a, AccessMode::kInout);
  spawn(program, "write B", "gpu:0", b, AccessMode::kInout);
  REQUIRE(program.close());
  EngineOptions options;
  options.prefetch = "none";
  ManualDriver driver(program, machine, options);
  driver.submit_all();
  const auto back = driver.copies_of("A", "gpu0", "host");
  const auto fetch = driver.copies_of("B", "host", "gpu0");
  REQUIRE(back.size() == 1);
  REQUIRE(fetch.size() == 1);
  CHECK(std::get<OwnedCopy>(driver.command(back[0])).reason == CopyReason::kWriteBack);
  CHECK(waits_for(driver, back[0], driver.launch_of("write A")));
  CHECK(waits_for(driver, fetch[0], back[0]));  // B gets A's bytes
  const auto drops = std::count_if(
      driver.last_commands().begin(), driver.last_commands().end(),
      [](const test::OwnedCommand& c) { return std::holds_alternative<OwnedDrop>(c); });
  CHECK(drops == 1);
  driver.complete_all();
  driver.check_end();
}

TEST_CASE("what waits for a failed command is cancelled, the rest drains, lost pieces are listed") {
  const Machine machine = small_machine(2, 4096);
  Program program("p");
  const ArrayId a = add_array(program, "A"), b = add_array(program, "B");
  spawn(program, "write A", "gpu:0", a, AccessMode::kInout);
  spawn(program, "read A", "gpu:1", a, AccessMode::kIn);
  spawn(program, "read B", "gpu:1", b, AccessMode::kIn);
  REQUIRE(program.close());
  ManualDriver driver(program, machine, {});
  driver.submit_all();
  const CommandId write = driver.launch_of("write A");
  driver.complete(driver.copies_of("A", "host", "gpu0")[0]);
  driver.fail(write, "the device fell off the bus");
  CHECK(driver.stage(driver.launch_of("read A")) == CommandStage::kStopped);
  CHECK(driver.stage(driver.copies_of("A", "gpu0", "gpu1")[0]) == CommandStage::kStopped);
  driver.complete_all();
  CHECK(driver.stage(driver.launch_of("read B")) == CommandStage::kReported);
  const std::vector<LostPiece> lost = driver.engine().lost_pieces();
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].array == a);
  CHECK(lost[0].box.size() == 8);
  driver.check_end();
}

}  // namespace
}  // namespace parley::core
