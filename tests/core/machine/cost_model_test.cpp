#include "core/machine/cost_model.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

namespace parley::core {
namespace {

/// One CPU and `gpus` GPUs; gemm and copy are in the table of the class gpu, gemm in that of gpu:1.
Machine machine_with(std::size_t gpus) {
  MachineSpec spec;
  spec.name = "m";
  const SpaceId host = spec.spaces.push_back({"host", Bytes(1 << 30), "", true});
  spec.devices.push_back({"cpu", "cpu", host, 1, {}, 0.0, Duration(0)});
  for (std::size_t i = 0; i < gpus; ++i) {
    const std::string number = std::to_string(i);
    const SpaceId space = spec.spaces.push_back({"gpu" + number, Bytes(1 << 30), "", false});
    spec.devices.push_back({"gpu:" + number,
                            "gpu",
                            space,
                            1,
                            {{"float64", 1e12}, {"float32", 2e12}},
                            1e11,
                            Duration(500)});
    for (const bool is_out : {true, false}) {
      Route route;
      route.from = is_out ? host : space;
      route.to = is_out ? space : host;
      spec.routes.push_back(route);
    }
  }
  spec.kernels["gemm"]["gpu"]["float64"] = {{100, Duration(1000)}, {200, Duration(4000)}};
  if (gpus > 1) spec.kernels["gemm"]["gpu:1"]["float64"] = {{100, Duration(70)}};
  spec.kernels["copy"]["gpu"]["float64"] = {{1000, Duration(10)}};
  Result<Machine> machine = Machine::create(std::move(spec));
  REQUIRE(machine.has_value());
  return *std::move(machine);
}

Alternative on(std::vector<std::string> members, bool is_group = false) {
  Alternative alternative;
  alternative.members = std::move(members);
  alternative.is_group = is_group;
  return alternative;
}

/// Duration in ns of the first alternative of a task that updates an array of `dtype`.
struct OneTask {
  Program program{"p"};
  ArrayId array;
  TaskId id;

  explicit OneTask(TaskSpec spec, DType dtype = DType::kFloat64) {
    ArraySpec a;
    a.name = "A";
    a.shape = {10};
    a.dtype = dtype;
    a.initial.kind = Initial::Kind::kArange;
    array = *program.add_array(a);
    Access access;
    access.region = program.whole(array).region;
    access.mode = AccessMode::kInout;
    spec.accesses = {access};
    id = *program.spawn(std::move(spec));
  }

  [[nodiscard]] std::optional<std::int64_t> ns(const Machine& machine, std::string_view device,
                                               WhichCost which = WhichCost::kTrue) const {
    const auto duration =
        task_duration(program, machine, id, 0, *machine.find_device(device), which);
    if (!duration) return std::nullopt;
    return duration->count();
  }
};

CostEntry stated(std::string where, std::int64_t ns) {
  CostEntry entry;
  entry.on = std::move(where);
  entry.stated = Duration(ns);
  return entry;
}

CostEntry work(double flops, double bytes) {
  CostEntry entry;
  entry.flops = flops;
  entry.bytes = bytes;
  return entry;
}

TEST_CASE("the most specific cost counts: device, then class, then every device") {
  const Machine machine = machine_with(2);
  TaskSpec spec;
  spec.cost = {stated("", 30), stated("gpu", 20), stated("gpu:1", 10)};
  const OneTask task(std::move(spec));
  CHECK(task.ns(machine, "cpu") == 30);
  CHECK(task.ns(machine, "gpu:0") == 20);
  CHECK(task.ns(machine, "gpu:1") == 10);
}

TEST_CASE("policies are told the expected cost, the simulator takes the true one") {
  const Machine machine = machine_with(1);
  TaskSpec spec;
  spec.cost = {stated("", 30)};
  spec.expected_cost = Cost{stated("", 40)};
  const OneTask plain(spec);
  CHECK(plain.ns(machine, "gpu:0", WhichCost::kTrue) == 30);
  CHECK(plain.ns(machine, "gpu:0", WhichCost::kExpected) == 40);

  Alternative own = on({"gpu"});
  own.cost = Cost{stated("", 50)};
  own.expected_cost = Cost{stated("", 60)};
  spec.placement = {own};
  const OneTask with_own(spec);
  CHECK(with_own.ns(machine, "gpu:0", WhichCost::kTrue) == 50);
  CHECK(with_own.ns(machine, "gpu:0", WhichCost::kExpected) == 60);
}

TEST_CASE("roofline: launch plus the longer of flops and bytes, by the dtype written") {
  const Machine machine = machine_with(1);
  struct Case {
    double flops, bytes;
    DType dtype;
    std::optional<std::int64_t> ns;
  };
  const std::vector<Case> cases = {
      {1e9, 0.0, DType::kFloat64, 500 + 1000000},
      {1e9, 0.0, DType::kFloat32, 500 + 500000},
      {1e9, 0.0, DType::kComplex64, 500 + 500000},  // stands in: float32
      {1e9, 0.0, DType::kInt64, 500 + 1000000},     // stands in: float64
      {1e9, 1e9, DType::kFloat64, 500 + 10000000},  // memory is the limit
      {1e9, 1e7, DType::kFloat64, 500 + 1000000},   // flops are
      {0.0, 0.0, DType::kFloat64, 500},
  };
  for (const Case& c : cases) {
    TaskSpec spec;
    spec.cost = {work(c.flops, c.bytes)};
    const OneTask task(std::move(spec), c.dtype);
    CAPTURE(c.flops);
    CAPTURE(c.bytes);
    CHECK(task.ns(machine, "gpu:0") == c.ns);
    // The CPU states no rates: unknown, unless there is nothing to do.
    CHECK(task.ns(machine, "cpu").has_value() == (c.flops + c.bytes < 1.0));
  }
}

TEST_CASE("neither cost nor kernel: nothing is known") {
  const Machine machine = machine_with(1);
  CHECK_FALSE(OneTask(TaskSpec()).ns(machine, "gpu:0").has_value());
}

// ---- kernel table ----

struct Gemm {
  Program program{"p"};
  TaskId id;

  /// C (edge, edge) += A B, so often in one task, of float64 or another dtype.
  explicit Gemm(std::int64_t edge, std::size_t calls = 1, DType dtype = DType::kFloat64,
                TaskSpec spec = {}) {
    for (const char* name : {"A", "B", "C"}) {
      ArraySpec array;
      array.name = name;
      array.shape = {edge, edge};
      array.dtype = dtype;
      array.initial.kind = Initial::Kind::kArange;
      Access access;
      access.region = program.whole(*program.add_array(array)).region;
      access.mode = spec.accesses.size() == 2 ? AccessMode::kInout : AccessMode::kIn;
      spec.accesses.push_back(access);
    }
    KernelCall call;
    call.name = "gemm";
    for (std::uint16_t i = 0; i < 3; ++i) call.arguments.push_back({false, i, {}});
    spec.kernel.assign(calls, call);
    id = *program.spawn(std::move(spec));
  }

  [[nodiscard]] std::optional<Duration> on(const Machine& machine, std::string_view device) const {
    return task_duration(program, machine, id, 0, *machine.find_device(device), WhichCost::kTrue);
  }
};

TEST_CASE("kernel table: exact points, a power law between, flat below, the cube beyond") {
  const Machine machine = machine_with(1);
  const std::vector<std::pair<std::int64_t, std::int64_t>> expected = {
      {50, 1000},    // below the first: start-up dominates
      {100, 1000},   // a point
      {150, 2250},   // 1000 * 1.5^2: four times the duration for twice the size is a square
      {200, 4000},   // a point
      {400, 32000},  // the work of a tile grows with the cube of its edge
  };
  for (const auto& [edge, ns] : expected) {
    const auto& shown = edge;  // clang 14 captures no structured bindings
    CAPTURE(shown);
    CHECK(Gemm(edge).on(machine, "gpu:0") == Duration(ns));
  }
}

TEST_CASE("kernel table: the device's own entry, and nothing where there is none") {
  const Machine machine = machine_with(2);
  CHECK(Gemm(100).on(machine, "gpu:1") == Duration(70));
  CHECK(Gemm(200).on(machine, "gpu:1") == Duration(560));
  CHECK_FALSE(Gemm(100).on(machine, "cpu").has_value());
  CHECK_FALSE(Gemm(100, 1, DType::kFloat32).on(machine, "gpu:0").has_value());
}

TEST_CASE("kernel table: the calls of a task add up, and an elementwise kernel grows linearly") {
  const Machine machine = machine_with(1);
  CHECK(Gemm(100, 3).on(machine, "gpu:0") == Duration(3000));

  Program program("p");
  TaskSpec spec;
  for (const char* name : {"A", "B"}) {
    ArraySpec array;
    array.name = name;
    array.shape = {5000};
    array.initial.kind = Initial::Kind::kArange;
    Access access;
    access.region = program.whole(*program.add_array(array)).region;
    access.mode = spec.accesses.empty() ? AccessMode::kIn : AccessMode::kOut;
    spec.accesses.push_back(access);
  }
  KernelCall call;
  call.name = "copy";
  call.arguments = {{false, 0, {}}, {false, 1, {}}};
  spec.kernel = {call};
  const TaskId id = *program.spawn(std::move(spec));
  CHECK(task_duration(program, machine, id, 0, *machine.find_device("gpu:0"), WhichCost::kTrue) ==
        Duration(50));
}

TEST_CASE("the kernel table counts before flops, and flops where it has no entry") {
  const Machine machine = machine_with(1);
  TaskSpec spec;
  spec.cost = {work(2e6, 0.0)};
  CHECK(Gemm(100, 1, DType::kFloat64, spec).on(machine, "gpu:0") == Duration(1000));
  CHECK(Gemm(100, 1, DType::kFloat32, spec).on(machine, "gpu:0") == Duration(500 + 1000));

  spec.expected_cost = {work(9e6, 0.0)};
  const Gemm told(100, 1, DType::kFloat64, spec);
  CHECK(told.on(machine, "gpu:0") == Duration(1000));
  CHECK(task_duration(told.program, machine, told.id, 0, *machine.find_device("gpu:0"),
                      WhichCost::kExpected) == Duration(500 + 9000));
}

// ---- placements ----

/// "0:gpu:0 0:gpu:1" for two candidates of alternative 0.
std::string text(const std::vector<Candidate>& candidates, const Machine& machine) {
  std::string all;
  for (const Candidate& candidate : candidates) {
    all += (all.empty() ? "" : " ") + std::to_string(candidate.alternative);
    for (const DeviceId device : candidate.devices) all += "/" + machine.device(device).name;
  }
  return all;
}

TEST_CASE("placements become candidates in the order of alternatives, then of devices") {
  const Machine machine = machine_with(3);
  struct Case {
    Placement placement;
    std::string candidates;
    std::vector<std::string> unknown;
  };
  const std::vector<Case> cases = {
      {{}, "0/cpu 0/gpu:0 0/gpu:1 0/gpu:2", {}},
      {{on({"any"})}, "0/cpu 0/gpu:0 0/gpu:1 0/gpu:2", {}},
      {{on({"gpu"})}, "0/gpu:0 0/gpu:1 0/gpu:2", {}},
      {{on({"gpu:2"}), on({"cpu"})}, "0/gpu:2 1/cpu", {}},
      {{on({"gpu:7"}), on({"tpu"}), on({"tpu"}), on({"gpu:0"})}, "3/gpu:0", {"gpu:7", "tpu"}},
      {{on({"gpu", "gpu"}, true)}, "0/gpu:0/gpu:1 0/gpu:0/gpu:2 0/gpu:1/gpu:2", {}},
      {{on({"gpu:2", "gpu"}, true)}, "0/gpu:2/gpu:0 0/gpu:2/gpu:1", {}},
      {{on({"gpu", "cpu", "gpu"}, true)},
       "0/gpu:0/cpu/gpu:1 0/gpu:0/cpu/gpu:2 0/gpu:1/cpu/gpu:2",
       {}},
      {{on({"gpu", "gpu", "gpu", "gpu"}, true)}, "", {}},  // more than there are
      {{on({"gpu:1", "gpu:1"}, true)}, "", {}},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(i);
    std::vector<std::string> unknown;
    CHECK(text(resolve(cases[i].placement, machine, &unknown), machine) == cases[i].candidates);
    CHECK(unknown == cases[i].unknown);
  }
}

TEST_CASE("too many combinations: windows of neighbouring devices instead") {
  const Machine machine = machine_with(32);
  const auto pairs = resolve({on({"gpu", "gpu"}, true)}, machine, nullptr);
  CHECK(pairs.size() == 32 * 31 / 2);
  const std::vector<std::string> sixteen(16, "gpu");
  const auto windows = resolve({on(sixteen, true)}, machine, nullptr);
  REQUIRE(windows.size() == 17);
  CHECK(machine.device(windows[3].devices.front()).name == "gpu:3");
  CHECK(machine.device(windows[3].devices.back()).name == "gpu:18");
  const std::vector<std::string> all_but_one(31, "gpu");
  CHECK(resolve({on(all_but_one, true)}, machine, nullptr).size() == 32);
}

}  // namespace
}  // namespace parley::core
