// Kernels side by side: processor sharing against times worked out by hand, and work conserved in
// random traces.
#include "sim/kernel_rates.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "tests/sim/required.h"

namespace parley::sim {
namespace {

using core::CommandId;
using core::DeviceId;
using core::Duration;
using core::Time;

core::Machine machine_of(std::int32_t devices, std::int32_t streams, std::int32_t slots = 1) {
  core::MachineSpec spec;
  spec.name = "kernels";
  const core::SpaceId host = spec.spaces.push_back({"host", core::Bytes(1 << 20), "", true});
  for (std::int32_t i = 0; i < devices; ++i) {
    core::Device device;
    device.name = "cpu" + std::to_string(i);
    device.device_class = "cpu";
    device.space = host;
    device.slots = slots;
    device.streams = streams;
    spec.devices.push_back(device);
  }
  return required(core::Machine::create(std::move(spec)));
}

/// Ends as told last, by launch.
class Ends {
 public:
  explicit Ends(KernelRates& rates) : rates_(rates) {}
  void settle(std::int64_t now) {
    for (const KernelRates::Retimed& retimed : rates_.settle(Time(now))) {
      at_[retimed.launch.index()] = retimed.end.ns();
    }
  }
  std::int64_t operator[](std::size_t launch) const { return at_.at(launch); }
  [[nodiscard]] const std::map<std::size_t, std::int64_t>& all() const { return at_; }
  void forget(std::size_t launch) { at_.erase(launch); }

 private:
  KernelRates& rates_;
  std::map<std::size_t, std::int64_t> at_;
};

TEST_CASE("a panel's kernel beside others leaves room that none can use") {
  core::MachineSpec spec = machine_of(1, 4).spec();
  spec.devices[DeviceId(0)].saturation = 0.9;
  const core::Machine machine = required(core::Machine::create(std::move(spec)));
  const std::vector<DeviceId> on = {DeviceId(0)};
  const double mixed = 1.0 - std::exp(-0.9 * 1.6), three = 1.0 - std::exp(-0.9 * 2.5);
  const double fitting = 1.0 - std::exp(-0.9 * 0.9), little = 1.0 - std::exp(-0.9 * 0.3);
  using Use = KernelRates::Use;
  struct Row {
    const char* what;
    std::vector<Use> uses;
    double rate;
  };
  const std::vector<Row> rows = {
      {"one kind", {{0.8, 1, true}, {0.8, 1, true}}, 1.0 / 1.6},
      {"two kinds, no panel", {{0.9, 1, false}, {0.7, 2, false}}, 1.0 / 1.6},
      {"a panel and another kind", {{0.9, 1, false}, {0.7, 2, true}}, mixed / 1.6},
      {"two panels of two kinds", {{0.9, 1, true}, {0.7, 2, true}}, mixed / 1.6},
      {"more of it", {{0.9, 1, false}, {0.9, 1, false}, {0.7, 2, true}}, three / 2.5},
      {"shares that would fit", {{0.6, 1, false}, {0.3, 2, true}}, fitting / 0.9},
      {"hardly anything", {{1e-9, 1, false}, {0.3, 2, true}}, std::min(1.0, little / 0.3)},
      {"what disturbs nobody", {{0.0, 3, false}, {0.8, 1, true}, {0.8, 1, true}}, 1.0 / 1.6},
      {"the panel disturbs nobody", {{0.0, 2, true}, {0.8, 1, false}, {0.8, 3, false}}, 1.0 / 1.6},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    KernelRates rates(machine);
    Ends ends(rates);
    for (std::size_t i = 0; i < row.uses.size(); ++i) {
      rates.start(Time(0), CommandId(i), on, Duration(1'000'000), row.uses[i]);
    }
    ends.settle(0);
    for (std::size_t i = 0; i < row.uses.size(); ++i) {
      const double rate = row.uses[i].share.of_all > 0.0 ? row.rate : 1.0;
      CHECK(static_cast<double>(ends[i]) == doctest::Approx(1e6 / rate).epsilon(1e-5));
    }
  }
}

TEST_CASE("kernels that fill a device share it; small ones do not disturb each other") {
  const core::Machine machine = machine_of(1, 4);
  const std::vector<DeviceId> on = {DeviceId(0)};
  struct Row {
    double a, b;                // shares
    std::int64_t end_a, end_b;  // of 1000 ns each, the second started at 400
  };
  const std::vector<Row> table = {
      {1.0, 1.0, 1600, 2000},   // 600 left at half speed until 1600; then b has 400 left
      {0.5, 0.5, 1000, 1400},   // room for both
      {0.0, 1.0, 1000, 1400},   // one that takes nothing
      {1.0, 0.25, 1150, 1550},  // load 1.25: 0.8 of full speed; b has 400 left at 1150
  };
  for (const Row& row : table) {
    CAPTURE(row.a);
    CAPTURE(row.b);
    KernelRates rates(machine);
    Ends ends(rates);
    rates.start(Time(0), CommandId(0), on, Duration(1000), {row.a});
    ends.settle(0);
    CHECK(ends[0] == 1000);
    rates.start(Time(400), CommandId(1), on, Duration(1000), {row.b});
    ends.settle(400);
    CHECK(ends[0] == row.end_a);
    rates.end(CommandId(0), on);
    ends.settle(ends[0]);
    CHECK(ends[1] == row.end_b);
  }
}

TEST_CASE("two kernels leave less than as many as there can be") {
  const core::Machine machine = machine_of(1, 4);  // four at a time
  const std::vector<DeviceId> on = {DeviceId(0)};
  struct Row {
    std::size_t count;
    double rate;
  };
  for (const Row& row :
       std::vector<Row>{{1, 1.0}, {2, 1.0 / 1.6}, {3, 1.0 / 2.1}, {4, 1.0 / 2.4}, {5, 1.0 / 3.0}}) {
    CAPTURE(row.count);
    KernelRates rates(machine);
    Ends ends(rates);
    for (std::size_t i = 0; i < row.count; ++i) {
      rates.start(Time(0), CommandId(i), on, Duration(1'000'000), {core::KernelShare(0.6, 0.8)});
    }
    ends.settle(0);
    CHECK(static_cast<double>(ends[0]) == doctest::Approx(1e6 / row.rate).epsilon(1e-5));
  }
}

TEST_CASE("a kernel that all but stands still ends, once it is told to go on") {
  const core::Machine machine = machine_of(1, 0);
  const std::vector<DeviceId> on = {DeviceId(0)};
  KernelRates rates(machine, true);
  Ends ends(rates);
  rates.set_speed(DeviceId(0), 1e-18);
  rates.start(Time(0), CommandId(0), on, Duration(100000), {});
  ends.settle(0);
  CHECK(ends[0] == core::kLongestRun.count());
  rates.set_speed(DeviceId(0), 1.0);
  ends.settle(1000);
  CHECK(ends[0] == 101000);
}

TEST_CASE("devices without streams are left alone, unless speeds change") {
  const core::Machine machine = machine_of(1, 0);
  const std::vector<DeviceId> on = {DeviceId(0)};
  CHECK_FALSE(KernelRates(machine).apply_to(on));
  KernelRates rates(machine, true);
  REQUIRE(rates.apply_to(on));
  Ends ends(rates);
  rates.start(Time(0), CommandId(0), on, Duration(1000), {});
  ends.settle(0);
  rates.set_speed(DeviceId(0), 0.5);
  ends.settle(600);
  CHECK(ends[0] == 1400);
  rates.set_speed(DeviceId(0), 1.0);
  ends.settle(1000);
  CHECK(ends[0] == 1200);
}

TEST_CASE("a group is as slow as on its slowest device") {
  const core::Machine machine = machine_of(2, 2);
  const std::vector<DeviceId> both = {DeviceId(0), DeviceId(1)}, second = {DeviceId(1)};
  KernelRates rates(machine);
  Ends ends(rates);
  rates.start(Time(0), CommandId(0), both, Duration(1000), {});
  rates.start(Time(0), CommandId(1), second, Duration(100), {});
  ends.settle(0);
  CHECK(ends[0] == 2000);
  CHECK(ends[1] == 200);
  rates.end(CommandId(1), second);
  ends.settle(200);
  CHECK(ends[0] == 1100);
}

TEST_CASE("random traces: work is conserved, and nobody waits on a device that has room") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t n) { return random() % n; };
    const core::Machine machine = machine_of(1, 8, 1 + static_cast<std::int32_t>(below(2)));
    const double slots = machine.device(DeviceId(0)).slots;
    const std::vector<DeviceId> on = {DeviceId(0)};
    KernelRates rates(machine);
    Ends ends(rates);
    double work = 0.0;
    std::int64_t now = 0, busy = 0, longest_alone = 0;
    for (std::size_t launched = 0; launched < 30 || !ends.all().empty();) {
      if (launched < 30 && (ends.all().empty() || below(2) == 0)) {
        const auto alone = static_cast<std::int64_t>(1 + below(1000));
        const double share = static_cast<double>(below(5)) / 4.0;
        rates.start(Time(now), CommandId(launched++), on, Duration(alone), {share});
        work += share * static_cast<double>(alone);
        longest_alone = std::max(longest_alone, alone);
        ends.settle(now);
        continue;
      }
      auto first = ends.all().begin();
      for (auto it = first; it != ends.all().end(); ++it) {
        if (it->second < first->second) first = it;
      }
      const std::size_t launch = first->first;
      REQUIRE(first->second >= now);
      busy += first->second - now;
      now = first->second;
      ends.forget(launch);
      rates.end(CommandId(launch), on);
      ends.settle(now);
    }
    CHECK(static_cast<double>(busy) + 1e-6 >= work / slots);  // no faster than the device
    CHECK(busy >= longest_alone);
  }
}

}  // namespace
}  // namespace parley::sim
