#include "cli/report/trace_lanes.h"

#include <doctest/doctest.h>

namespace parley::cli {
namespace {

TEST_CASE("an interval takes the lowest lane that is free at its start") {
  TraceLanes lanes;
  CHECK(lanes.place(core::Time(0), core::Time(10)) == 0);
  CHECK(lanes.place(core::Time(2), core::Time(4)) == 1);
  CHECK(lanes.place(core::Time(3), core::Time(20)) == 2);
  CHECK(lanes.place(core::Time(4), core::Time(6)) == 1);    // lane 1 ends just then
  CHECK(lanes.place(core::Time(10), core::Time(12)) == 0);  // 0 and 1 are free
  CHECK(lanes.count() == 3);
}

TEST_CASE("intervals of no length do not keep their lane") {
  TraceLanes lanes;
  CHECK(lanes.place(core::Time(5), core::Time(5)) == 0);
  CHECK(lanes.place(core::Time(5), core::Time(5)) == 0);
}

}  // namespace
}  // namespace parley::cli
