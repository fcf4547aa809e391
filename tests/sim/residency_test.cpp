#include "sim/residency.h"

#include <doctest/doctest.h>

#include <map>

namespace parley::sim {
namespace {

using core::Bytes;
using core::ReplicaId;
using core::SpaceId;
using core::Time;

const SpaceId kHost(0);
const SpaceId kGpu(1);

core::DropReplica drop_of(ReplicaId replica, SpaceId space, Bytes offset, Bytes bytes) {
  core::DropReplica drop;
  drop.replica = replica;
  drop.space = space;
  drop.offset = offset;
  drop.bytes = bytes;
  return drop;
}

Bytes always_100(ReplicaId) { return Bytes(100); }

TEST_CASE("bytes appear when the first command that uses a replica starts, and go with its drop") {
  Residency residency(2, true);
  const std::uint32_t first = residency.use(ReplicaId(0), kGpu, Bytes(0), Residency::kNone);
  const std::uint32_t second = residency.use(ReplicaId(0), kGpu, Bytes(0), Residency::kNone);
  residency.end_of_step(always_100);
  CHECK(second == Residency::kNone);
  CHECK(residency.bytes(kGpu) == Bytes(0));
  residency.arrive(Time(10), first);
  CHECK(residency.bytes(kGpu) == Bytes(100));
  const std::uint32_t drop = residency.drop(drop_of(ReplicaId(0), kGpu, Bytes(0), Bytes(100)));
  CHECK(residency.bytes(kGpu) == Bytes(100));
  residency.drop_done(Time(30), drop);
  CHECK(residency.bytes(kGpu) == Bytes(0));
  CHECK(residency.peak()[kGpu] == Bytes(100));
  const auto samples = residency.take_samples();
  REQUIRE(samples.size() == 2);
  CHECK(samples[0].at == Time(10));
  CHECK(samples[0].bytes == Bytes(100));
  CHECK(samples[1].at == Time(30));
  CHECK(samples[1].bytes == Bytes(0));
}

TEST_CASE("a replica's number may be used again before its drop is done") {
  Residency residency(2, false);
  const std::uint32_t first = residency.use(ReplicaId(0), kGpu, Bytes(0), Residency::kNone);
  residency.end_of_step(always_100);
  residency.arrive(Time(0), first);
  const std::uint32_t drop = residency.drop(drop_of(ReplicaId(0), kGpu, Bytes(0), Bytes(100)));
  const std::uint32_t again = residency.use(ReplicaId(0), kGpu, Bytes(0), Residency::kNone);
  REQUIRE(again != Residency::kNone);
  residency.end_of_step([](ReplicaId) { return Bytes(70); });
  residency.drop_done(Time(5), drop);
  residency.arrive(Time(5), again);
  CHECK(residency.bytes(kGpu) == Bytes(70));
  CHECK(residency.peak()[kGpu] == Bytes(100));
}

TEST_CASE("a replica made and dropped in one step has its drop's size") {
  Residency residency(2, false);
  const std::uint32_t chain = residency.use(ReplicaId(3), kGpu, Bytes(0), Residency::kNone);
  const std::uint32_t drop = residency.drop(drop_of(ReplicaId(3), kGpu, Bytes(0), Bytes(64)));
  residency.end_of_step([](ReplicaId) -> Bytes { throw "not asked"; });
  residency.arrive(Time(1), chain);
  CHECK(residency.bytes(kGpu) == Bytes(64));
  residency.drop_done(Time(2), drop);
  CHECK(residency.bytes(kGpu) == Bytes(0));
}

TEST_CASE("several replicas that one command is the first to use appear together") {
  Residency residency(2, false);
  std::uint32_t chain = residency.use(ReplicaId(0), kGpu, Bytes(0), Residency::kNone);
  chain = residency.use(ReplicaId(1), kGpu, Bytes(100), chain);
  chain = residency.use(ReplicaId(2), kHost, Bytes(0), chain);
  residency.end_of_step(always_100);
  residency.arrive(Time(0), chain);
  CHECK(residency.bytes(kGpu) == Bytes(200));
  CHECK(residency.bytes(kHost) == Bytes(100));
}

TEST_CASE("home slots count from the start and are never dropped") {
  Residency residency(2, false);
  residency.reserve_home(kHost, Bytes(500));
  const std::uint32_t chain = residency.use(ReplicaId(0), kHost, Bytes(16), Residency::kNone);
  residency.end_of_step([](ReplicaId) { return Bytes(0); });
  residency.arrive(Time(0), chain);
  CHECK(residency.bytes(kHost) == Bytes(500));
  residency.drop_done(Time(1), residency.drop(drop_of(ReplicaId(0), kHost, Bytes(0), Bytes(500))));
  CHECK(residency.bytes(kHost) == Bytes(500));
}

TEST_CASE("an initial replica is there before anybody uses it, and goes with its drop only once") {
  Residency residency(2, false);
  residency.place_initial(kGpu, Bytes(256), Bytes(128));
  residency.place_initial(kGpu, Bytes(0), Bytes(128));
  CHECK(residency.bytes(kGpu) == Bytes(256));
  // Used in its middle, as the source of a copy of some part.
  CHECK(residency.use(ReplicaId(0), kGpu, Bytes(300), Residency::kNone) == Residency::kNone);
  residency.end_of_step(always_100);
  residency.drop_done(Time(1), residency.drop(drop_of(ReplicaId(0), kGpu, Bytes(256), Bytes(128))));
  CHECK(residency.bytes(kGpu) == Bytes(128));
  // Another replica takes the same place.
  const std::uint32_t chain = residency.use(ReplicaId(0), kGpu, Bytes(256), Residency::kNone);
  REQUIRE(chain != Residency::kNone);
  residency.end_of_step(always_100);
  residency.arrive(Time(2), chain);
  CHECK(residency.bytes(kGpu) == Bytes(228));
}

}  // namespace
}  // namespace parley::sim
