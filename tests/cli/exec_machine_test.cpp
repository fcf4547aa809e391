#include "cli/exec_machine.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/cli/command_line.h"
#include "workloads/machine_file.h"

namespace parley::cli {
namespace {

constexpr core::Bytes kGiB{std::int64_t{1} << 30U};

Computer computer_with_gpus(std::size_t gpus) {
  return {kGiB * 100, 8, std::vector<core::Bytes>(gpus, kGiB * 80), true};
}

Computer computer_without_gpus() { return {kGiB * 100, 8, {}, false}; }

std::size_t gpus_of(const core::Machine& machine) { return machine.space_count() - 1; }

core::Bytes capacity(const core::Machine& machine, const std::string& space) {
  return machine.space(machine.find_space(space).value()).capacity;
}

TEST_CASE("by default all GPUs are used, or two virtual ones") {
  const auto real = choose_machine({}, computer_with_gpus(3));
  REQUIRE(real.has_value());
  CHECK(gpus_of(*real) == 3);
  CHECK(real->name() == "this machine (3 GPUs)");
  const auto found = choose_machine({"", 2, {}}, computer_with_gpus(3));
  REQUIRE(found.has_value());
  CHECK(gpus_of(*found) == 2);
  const auto host = choose_machine({}, computer_without_gpus());
  REQUIRE(host.has_value());
  CHECK(gpus_of(*host) == 2);
  CHECK(host->device(host->find_device("cpu").value()).slots == 8);
  const auto seven = choose_machine({"", 7, {}}, computer_without_gpus());
  REQUIRE(seven.has_value());
  CHECK(gpus_of(*seven) == 7);
  CHECK(!seven->route_id(core::SpaceId(7), core::SpaceId(1)).is_none());
  const auto none = choose_machine({"", 0, {}}, computer_without_gpus());
  REQUIRE(none.has_value());
  CHECK(gpus_of(*none) == 0);
}

TEST_CASE("memory is what there is: less a reserve on GPUs, shared on the host backend") {
  const auto real = choose_machine({"h200x2", {}, {}}, computer_with_gpus(2));
  REQUIRE(real.has_value());
  CHECK(capacity(*real, "gpu1") == kGiB * 80 - kGpuReserve);
  CHECK(capacity(*real, "host") <= kGiB * 90);
  const auto host = choose_machine({"h200x2", {}, {}}, computer_without_gpus());
  REQUIRE(host.has_value());
  CHECK(capacity(*host, "host") == kGiB * 50);
  CHECK(capacity(*host, "gpu0") == kGiB * 25);
  const auto cluster = choose_machine({"cluster", {}, {}}, computer_without_gpus());
  REQUIRE(cluster.has_value());
  core::Bytes all;
  for (const core::MemorySpace& space : cluster->spec().spaces) all += space.capacity;
  CHECK(all <= kGiB * 100);
  const auto small = choose_machine({"h200x2", {}, {"gpu=2GiB"}}, computer_with_gpus(2));
  REQUIRE(small.has_value());
  CHECK(capacity(*small, "gpu0") == kGiB * 2);
  const auto large = choose_machine({"", 1, {"gpu=500GiB"}}, computer_with_gpus(1));
  REQUIRE(large.has_value());
  CHECK(capacity(*large, "gpu0") == kGiB * 80 - kGpuReserve);
  const auto wide = choose_machine({"", 1, {}, 9}, computer_with_gpus(1));
  REQUIRE(wide.has_value());
  CHECK(capacity(*wide, "gpu0") == kGiB * 80 - kGiB * 6);
}

TEST_CASE("a GPU stands in for several with equal parts of its memory") {
  Computer computer = computer_with_gpus(2);
  computer.gpu_memory = {kGiB * 80, kGiB * 60};
  const Computer shared = with_devices_per_gpu(computer, 2);
  const auto all = choose_machine({}, shared);
  REQUIRE(all.has_value());
  CHECK(gpus_of(*all) == 4);
  CHECK(all->name() == "this machine (4 GPUs), on 2 GPUs");
  CHECK(capacity(*all, "gpu2") == kGiB * 40 - kGpuReserve);
  CHECK(capacity(*all, "gpu3") == kGiB * 30 - kGpuReserve);
  const auto two = choose_machine({"", 2, {}}, shared);
  REQUIRE(two.has_value());
  CHECK(two->name() == "this machine (2 GPUs)");
  const auto described = choose_machine({"h200x4", {}, {}}, shared);
  REQUIRE(described.has_value());
  CHECK(capacity(*described, "gpu1") == kGiB * 30 - kGpuReserve);
  const auto too_many = choose_machine({"", 5, {}}, shared);
  REQUIRE(!too_many.has_value());
  CHECK(has(too_many.faults().front().what, "5 GPUs asked for, found 4 (2 on each of 2)"));
  CHECK(with_devices_per_gpu(computer, 1).gpu_memory == computer.gpu_memory);
}

TEST_CASE("more GPUs than there are is wrong input") {
  struct Case {
    MachineRequest request;
    std::size_t gpus;
    const char* message;
  };
  const Case cases[] = {{{"", 4, {}}, 2, "4 GPUs asked for, found 2"},
                        {{"h200x4", {}, {}}, 2, "\"h200x4\" has 4 GPUs, found 2; --devices 2"},
                        {{"h200x2", 3, {}}, 8, "3 GPUs asked for, \"h200x2\" has 2"},
                        {{"", 1, {}}, 0, "1 GPUs asked for, found 0"},
                        {{"", {}, {}}, 0, "no GPU"},
                        {{"h200x2", {}, {"gpux=1GiB"}}, 2, "unknown class"}};
  for (const Case& wrong : cases) {
    const auto machine = choose_machine(wrong.request, computer_with_gpus(wrong.gpus));
    REQUIRE(!machine.has_value());
    CAPTURE(machine.faults().front().what);
    CHECK(has(machine.faults().front().what, wrong.message));
  }
  CHECK(choose_machine({"h200x4", 2, {}}, computer_with_gpus(2)).has_value());
}

TEST_CASE("every shipped machine is still one with fewer of its GPUs, and keeps their rates") {
  for (const std::string& name : workloads::shipped_machines()) {
    CAPTURE(name);
    const auto whole = workloads::load_machine(name);
    REQUIRE(whole.has_value());
    const core::MachineSpec& spec = whole->spec();
    std::uint32_t gpus = 0;
    for (const core::MemorySpace& space : spec.spaces) gpus += space.is_host ? 0U : 1U;
    for (std::uint32_t count = 1; count <= gpus; ++count) {
      CAPTURE(count);
      const auto fewer = core::Machine::create(with_first_gpus(spec, count));
      CAPTURE(fewer.has_value() ? "" : fewer.faults().front().what);
      REQUIRE(fewer.has_value());
      std::uint32_t left = 0;
      for (const core::MemorySpace& space : fewer->spec().spaces) left += space.is_host ? 0U : 1U;
      CHECK(left == count);
      for (std::size_t from = 0; from < fewer->space_count(); ++from) {
        for (std::size_t to = 0; to < fewer->space_count(); ++to) {
          const core::RouteId route = fewer->route_id(core::SpaceId(from), core::SpaceId(to));
          if (route.is_none()) continue;
          const auto old_from = whole->find_space(fewer->space(core::SpaceId(from)).name).value();
          const auto old_to = whole->find_space(fewer->space(core::SpaceId(to)).name).value();
          const core::RouteId old = whole->route_id(old_from, old_to);
          REQUIRE(!old.is_none());
          CHECK(fewer->copy_duration(route, core::Bytes(1 << 24)) ==
                whole->copy_duration(old, core::Bytes(1 << 24)));
        }
      }
    }
  }
}

TEST_CASE("the computer has memory and processors") {
  const Computer computer = this_computer();
  CHECK(computer.host_memory > core::Bytes(1 << 20));
  CHECK(computer.processors >= 1);
  CHECK(computer.gpu_memory.empty());
}

}  // namespace
}  // namespace parley::cli
