#include "sim/servers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "core/base/check.h"
#include "tests/sim/draws.h"

namespace parley::sim {
namespace {

using core::CommandId;
using core::DeviceId;

core::IdVector<DeviceId, std::int64_t> units(std::initializer_list<std::int64_t> list) {
  core::IdVector<DeviceId, std::int64_t> vector;
  for (const std::int64_t n : list) vector.push_back(n);
  return vector;
}

std::vector<std::uint32_t> started(Devices& devices) {
  const auto span = devices.start_ready();
  return {span.begin(), span.end()};
}

using Started = std::vector<std::uint32_t>;

const std::vector<DeviceId> kFirst = {DeviceId(0)};
const std::vector<DeviceId> kSecond = {DeviceId(1)};
const std::vector<DeviceId> kBoth = {DeviceId(0), DeviceId(1)};

TEST_CASE("four tasks that each take all slots of a device run one after the other") {
  Devices devices(units({8000}));
  for (std::uint32_t i = 0; i < 4; ++i) devices.enqueue(i, i, kFirst, 8000);
  for (std::uint32_t i = 0; i < 4; ++i) {
    CHECK(started(devices) == Started{i});
    CHECK(started(devices).empty());
    devices.release(kFirst, 8000);
  }
}

TEST_CASE("four tasks that each take half of a device run two at a time") {
  Devices devices(units({8000}));
  for (std::uint32_t i = 0; i < 4; ++i) devices.enqueue(i, i, kFirst, 4000);
  CHECK(started(devices) == Started{0, 1});
  devices.release(kFirst, 4000);
  CHECK(started(devices) == Started{2});
  devices.release(kFirst, 4000);
  CHECK(started(devices) == Started{3});
}

TEST_CASE("a task of no vcus starts on a full device") {
  Devices devices(units({1000}));
  devices.enqueue(0, 0, kFirst, 1000);
  CHECK(started(devices) == Started{0});
  devices.enqueue(1, 1, kFirst, 0);
  CHECK(started(devices) == Started{1});
  devices.release(kFirst, 0);
  CHECK(devices.free_units(DeviceId(0)) == 0);
}

TEST_CASE("the highest priority goes first, then the lowest id") {
  Devices devices(units({1000}));
  devices.enqueue(launch_key(0, CommandId(1)), 1, kFirst, 1000);
  devices.enqueue(launch_key(5, CommandId(3)), 3, kFirst, 1000);
  devices.enqueue(launch_key(5, CommandId(2)), 2, kFirst, 1000);
  devices.enqueue(launch_key(-7, CommandId(0)), 0, kFirst, 1000);
  for (const std::uint32_t next : {2U, 3U, 1U, 0U}) {
    CHECK(started(devices) == Started{next});
    devices.release(kFirst, 1000);
  }
}

TEST_CASE("extreme priorities keep their order") {
  constexpr std::int32_t kLowest = std::numeric_limits<std::int32_t>::min();
  constexpr std::int32_t kHighest = std::numeric_limits<std::int32_t>::max();
  CHECK(launch_key(kHighest, CommandId(9)) < launch_key(0, CommandId(0)));
  CHECK(launch_key(0, CommandId(0xfffffffe)) < launch_key(-1, CommandId(0)));
  CHECK(launch_key(-1, CommandId(9)) < launch_key(kLowest, CommandId(0)));
}

TEST_CASE("a large task that waits for slots is not overtaken by small ones") {
  Devices devices(units({2000}));
  devices.enqueue(0, 0, kFirst, 1000);
  devices.enqueue(1, 1, kFirst, 2000);
  devices.enqueue(2, 2, kFirst, 1000);
  CHECK(started(devices) == Started{0});
  devices.release(kFirst, 1000);
  CHECK(started(devices) == Started{1});
  devices.release(kFirst, 2000);
  CHECK(started(devices) == Started{2});
}

TEST_CASE("a group takes all its devices at once and reserves them while it waits") {
  Devices devices(units({1000, 1000}));
  devices.enqueue(0, 0, kFirst, 1000);
  CHECK(started(devices) == Started{0});
  devices.enqueue(1, 1, kBoth, 1000);
  devices.enqueue(2, 2, kSecond, 1000);  // its device is free, but promised
  CHECK(started(devices).empty());
  devices.release(kFirst, 1000);
  CHECK(started(devices) == Started{1});
  devices.release(kBoth, 1000);
  CHECK(started(devices) == Started{2});
}

TEST_CASE("an urgent task that comes later goes before a group that waits") {
  Devices devices(units({1000, 1000}));
  devices.enqueue(launch_key(0, CommandId(0)), 0, kFirst, 1000);
  CHECK(started(devices) == Started{0});
  devices.enqueue(launch_key(0, CommandId(1)), 1, kBoth, 1000);
  devices.enqueue(launch_key(1, CommandId(2)), 2, kSecond, 1000);
  CHECK(started(devices) == Started{2});
}

TEST_CASE("what becomes ready at one instant starts lowest first, whatever came first") {
  Devices devices(units({1000}));
  devices.enqueue(9, 9, kFirst, 1000);
  devices.enqueue(8, 8, kFirst, 1000);
  CHECK(started(devices) == Started{8});
}

TEST_CASE("asking for more than a server has breaks an invariant") {
  Devices devices(units({1000}));
  CHECK_THROWS_AS(devices.enqueue(0, 0, kFirst, 1001), core::InvariantViolation);
}

TEST_CASE("random groups: nothing starves, no server is overbooked, first come first") {
  struct Request {
    std::vector<DeviceId> servers;
    std::int64_t units = 0;
  };
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    Draws random(seed);
    constexpr std::int64_t kCapacity = 3;
    Devices devices(units({kCapacity, kCapacity, kCapacity, kCapacity}));
    std::vector<Request> requests;
    for (std::uint32_t i = 0; i < 60; ++i) {
      Request request;
      request.units = static_cast<std::int64_t>(random.below(kCapacity + 1));
      for (std::size_t d = 0; d < 4; ++d) {
        if (random.below(3) == 0) request.servers.emplace_back(d);
      }
      requests.push_back(request);
    }
    std::vector<std::uint32_t> running;
    std::vector<bool> has_started(requests.size(), false);
    std::uint32_t next = 0;
    std::size_t done = 0;
    while (done < requests.size()) {
      for (std::uint32_t n = random.below(4); n > 0 && next < requests.size(); --n, ++next) {
        devices.enqueue(next, next, requests[next].servers, requests[next].units);
      }
      for (const std::uint32_t id : started(devices)) {
        has_started[id] = true;
        running.push_back(id);
      }
      core::IdVector<DeviceId, std::int64_t> used(4, 0);
      for (const std::uint32_t id : running) {
        for (const DeviceId d : requests[id].servers) used[d] += requests[id].units;
      }
      for (const std::int64_t n : used) REQUIRE(n <= kCapacity);
      // Whoever waits is stopped by too few free units or by somebody before it.
      for (std::uint32_t id = 0; id < next; ++id) {
        if (has_started[id]) continue;
        bool is_stopped = false;
        for (const DeviceId d : requests[id].servers) {
          if (used[d] + requests[id].units > kCapacity) is_stopped = true;
          for (std::uint32_t before = 0; before < id; ++before) {
            const auto& servers = requests[before].servers;
            if (!has_started[before] && requests[before].units > 0 &&
                std::ranges::find(servers, d) != servers.end()) {
              is_stopped = true;
            }
          }
        }
        REQUIRE(is_stopped);
      }
      if (running.empty()) {
        REQUIRE(next < requests.size());  // else something starves
        continue;
      }
      const std::size_t ended = random.below(running.size());
      devices.release(requests[running[ended]].servers, requests[running[ended]].units);
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(ended));
      ++done;
    }
  }
}

}  // namespace
}  // namespace parley::sim
