// What an executor adds to a task's cost, what a kernel uses of a device, and what issuing it takes
// the host.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/machine/cost_model.h"

namespace parley::core {
namespace {

Machine measured_machine() {
  MachineSpec spec;
  spec.name = "measured";
  const SpaceId host = spec.spaces.push_back({"host", Bytes(1 << 30), "", true});
  Device device;
  device.name = device.device_class = "gpu";
  device.space = host;
  device.streams = 4;
  device.launch = Duration(40);
  spec.devices.push_back(device);
  spec.kernels["hash_mix"]["gpu"]["float64"] = {{1000, Duration(100)}, {100000, Duration(10000)}};
  spec.kernels["copy"]["gpu"]["float64"] = {{10, Duration(50)}, {1000, Duration(90)}};
  spec.shares["hash_mix"]["gpu"]["float64"] = {{1, 0.5}};
  spec.shares["spin"]["gpu"]["float64"] = {{1, 0.0}};
  spec.shares["copy"]["gpu"]["float64"] = {{10, {0.2, 0.4}}, {1000, {0.6, 0.8}}};
  spec.issue["hash_mix"]["gpu"]["float64"] = {{1000, Duration(70)}};
  spec.issue["copy"]["gpu"]["float64"] = {{10, Duration(300)}, {1000, Duration(300)}};
  Result<Machine> machine = Machine::create(std::move(spec));
  REQUIRE(machine.has_value());
  return *std::move(machine);
}

struct KernelCase {
  const char* what;
  std::vector<KernelCall> kernel;
  std::int64_t elements;  // of float64, read, and as many written
  std::int64_t stated_ns;
  std::int64_t extra_ns;
  double share, executed_share;
  std::int64_t issue_ns;
  std::size_t phases = 0;  // as executed
  double used = 0.0;       // of the device, over all phases
};

TEST_CASE("extra times, shares and costs of issuing, by kernel") {
  const Machine machine = measured_machine();
  const KernelCall copy{"copy", {}, {{false, 0, {}}, {false, 1, {}}}};
  const std::vector<KernelCase> cases = {
      // 1,000 bytes read, as many written: 200 ns of hashing, 40 to start, beside 240 of spinning.
      {"no kernel", {}, 125, 240, 240, 1.0, 0.25, 70, 2, 200.0 / 480.0 * 0.5},
      {"spin", {{"spin", {}, {}}}, 125, 240, 40, 0.0, 0.0, 0},
      {"none", {{"none", {}, {}}}, 125, 0, 0, 0.0, 0.0, 0},
      {"small", {copy}, 5, 9, 0, 0.2, 0.2, 300},
      {"between two sizes", {copy}, 100, 9, 0, 0.4, 0.4, 300},
      {"beyond the last", {copy}, 100000, 9, 0, 0.6, 0.6, 300},
      {"twice", {copy, copy}, 100, 9, 0, 0.4, 0.4, 600, 2, 0.4},
      {"not listed", {{"scale", {{"value", 2.0}}, {{false, 1, {}}}}}, 100, 9, 0, 1.0, 1.0, 0},
  };
  for (const KernelCase& one : cases) {
    CAPTURE(one.what);
    Program program("p");
    TaskSpec task;
    for (const char* name : {"A", "B"}) {
      ArraySpec array;
      array.name = name;
      array.shape = {one.elements};
      array.dtype = DType::kFloat64;
      array.initial.kind = Initial::Kind::kArange;
      const RegionView whole = program.whole(*program.add_array(std::move(array)));
      const bool is_read = std::string(name) == "A";
      // A scaled target is read, too, which is of no matter here.
      const bool is_scaled = !one.kernel.empty() && one.kernel[0].name == "scale";
      const AccessMode written = is_scaled ? AccessMode::kInout : AccessMode::kOut;
      task.accesses.push_back({whole.region, is_read ? AccessMode::kIn : written, 0, {}});
    }
    task.kernel = one.kernel;
    task.cost.emplace_back();
    task.cost.back().stated = Duration(one.stated_ns);
    const Result<TaskId> id = program.spawn(std::move(task));
    REQUIRE(id.has_value());
    const DeviceId device(0);
    CHECK(executed_extra(program, machine, *id, 0, device).count() == one.extra_ns);
    const KernelShare stated = kernel_share(program, machine, *id, 0, device, false);
    CHECK(stated.of_all == doctest::Approx(one.share));
    const bool is_copy = !one.kernel.empty() && one.kernel[0].name == "copy";
    CHECK(stated.of_two == doctest::Approx(one.share + (is_copy ? 0.2 : 0.0)));
    CHECK(kernel_share(program, machine, *id, 0, device, true).of_all ==
          doctest::Approx(one.executed_share));
    CHECK(issue_extra(program, machine, *id, 0, device, true).count() == one.issue_ns);
    const std::vector<KernelPhase> phases = kernel_phases(program, machine, *id, 0, device, true);
    double parts = 0.0, used = 0.0;
    for (const KernelPhase& phase : phases) {
      parts += phase.part;
      used += phase.part * phase.share.of_all;
    }
    CHECK(phases.size() == one.phases);
    if (!phases.empty()) {
      CHECK(parts == doctest::Approx(1.0));
      CHECK(used == doctest::Approx(one.used));
    }
    const std::int64_t plain = one.kernel.empty() ? 0 : one.issue_ns;
    CHECK(issue_extra(program, machine, *id, 0, device, false).count() == plain);
  }
}

TEST_CASE("a spin that says how long takes that, and none takes nothing") {
  const Machine machine = measured_machine();
  Program program("p");
  TaskSpec spin, none;
  spin.kernel = {{"spin", {{"ns", 700.0}}, {}}};
  none.kernel = {{"none", {}, {}}};
  const TaskId spins = *program.spawn(std::move(spin)), nothing = *program.spawn(std::move(none));
  CHECK(task_duration(program, machine, spins, 0, DeviceId(0), WhichCost::kTrue) == Duration(700));
  CHECK(task_duration(program, machine, nothing, 0, DeviceId(0), WhichCost::kTrue) == Duration(0));
}

}  // namespace
}  // namespace parley::core
