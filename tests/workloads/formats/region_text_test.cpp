#include "workloads/formats/region_text.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using namespace parley;
using workloads::parse_region;

void add_array(core::Program& program, std::string name, std::vector<std::int64_t> shape) {
  core::ArraySpec spec;
  spec.name = std::move(name);
  spec.shape = std::move(shape);
  REQUIRE(program.add_array(std::move(spec)));
}

/// A (4 x 6), B (10) and s, a single element.
core::Program program_of_arrays() {
  core::Program program("regions");
  add_array(program, "A", {4, 6});
  add_array(program, "B", {10});
  add_array(program, "s", {});
  return program;
}

/// "0:4:1 x 2:6:2", start, stop and step of each dimension.
std::string elements(const core::Program& program, core::RegionView view) {
  std::string text;
  for (const core::Range& range : program.region(view.region).box.ranges()) {
    text += (text.empty() ? "" : " x ") + std::to_string(range.start) + ":" +
            std::to_string(range.start + range.count * range.step) + ":" +
            std::to_string(range.step);
  }
  return text;
}

}  // namespace

TEST_CASE("texts select the elements that numpy selects") {
  struct Case {
    std::string text, elements, spelling;
  };
  const std::vector<Case> cases = {
      {"A", "0:4:1 x 0:6:1", "A"},
      {"A[0]", "0:1:1 x 0:6:1", "A[0, :]"},
      {"A[-1]", "3:4:1 x 0:6:1", "A[3, :]"},
      {"A[2:5, ::2]", "2:4:1 x 0:6:2", "A[2:4, 0:5:2]"},
      {"A[0][1:3]", "0:1:1 x 1:3:1", "A[0, 1:3]"},
      {"A[1:3][0]", "1:2:1 x 0:6:1", "A[1, :]"},
      {"A[1:][1:][0, ::3]", "2:3:1 x 0:6:3", "A[2, 0:4:3]"},
      {"A[...]", "0:4:1 x 0:6:1", "A"},
      {"A[..., 1]", "0:4:1 x 1:2:1", "A[:, 1]"},
      {"A[1, ...]", "1:2:1 x 0:6:1", "A[1, :]"},
      {"A[1, ..., 2]", "1:2:1 x 2:3:1", "A[1, 2]"},
      {"A[:, -2:]", "0:4:1 x 4:6:1", "A[:, 4:6]"},
      {" A [ 0 : 2 , 1 ] ", "0:2:1 x 1:2:1", "A[0:2, 1]"},
      {"A[0,]", "0:1:1 x 0:6:1", "A[0, :]"},
      {"B[100:]", "0:0:1", "B[0:0]"},
      {"B[8:100]", "8:10:1", "B[8:10]"},
      {"B[::-1]", "0:10:1", "B[9::-1]"},
      {"B[7:2:-2]", "3:9:2", "B[7:2:-2]"},
      {"B[::-1][0]", "9:10:1", "B[9]"},
      {"B[::2][::-1][1:3]", "4:8:2", "B[6:3:-2]"},
      {"B[::-1][::-1]", "0:10:1", "B"},
      {"B[1:9:3]", "1:10:3", "B[1:8:3]"},
      {"s", "", "s"},
      {"s[...]", "", "s"},
  };
  core::Program program = program_of_arrays();
  for (const Case& one : cases) {
    CAPTURE(one.text);
    const auto view = parse_region(program, one.text);
    REQUIRE(view.has_value());
    CHECK(elements(program, *view) == one.elements);
    CHECK(program.region_text(view->region, view->view) == one.spelling);
    // What is written reads back as the same region, seen the same way.
    const auto again = parse_region(program, one.spelling);
    REQUIRE(again.has_value());
    CHECK(again->region == view->region);
    CHECK(again->view == view->view);
  }
}

TEST_CASE("different spellings of the same elements are one region") {
  const std::vector<std::vector<std::string>> classes = {
      {"A", "A[:]", "A[:, :]", "A[0:4]", "A[-4:, ...]", "A[::-1]", "A[0:99, 0:6:1]"},
      {"A[0]", "A[0:1]", "A[-4]", "A[0, :]", "A[:1]", "A[::9]", "A[0:2][0]", "A[::-1][3]"},
      {"A[1:3, 2]", "A[1:3][:, 2]", "A[1:-1, 2:3]", "A[2:0:-1, 2]"},
      {"B[::2]", "B[0:9:2]", "B[0:10:2]", "B[8::-2]"},
      {"B[0:5][3]", "B[3]", "B[3:4]", "B[3:5:7]", "B[-7]"},
      {"B[3:3]", "B[5:2]", "B[20:]", "B[0:0]", "B[2:5:-1]"},
  };
  core::Program program = program_of_arrays();
  std::vector<core::RegionId> regions;
  for (const auto& spellings : classes) {
    const auto first = parse_region(program, spellings.front());
    REQUIRE(first.has_value());
    for (const std::string& text : spellings) {
      CAPTURE(text);
      const auto view = parse_region(program, text);
      REQUIRE(view.has_value());
      CHECK(view->region == first->region);
    }
    for (const core::RegionId other : regions) CHECK(other != first->region);
    regions.push_back(first->region);
  }
}

TEST_CASE("an integer drops its dimension, a negative step turns it round") {
  core::Program program = program_of_arrays();
  CHECK(parse_region(program, "A[0:1]")->view == core::OperandView{});
  CHECK(parse_region(program, "A[0]")->view == core::OperandView{.dropped = 1, .flipped = 0});
  CHECK(parse_region(program, "A[:, 0]")->view == core::OperandView{.dropped = 2, .flipped = 0});
  CHECK(parse_region(program, "A[0, ::-1]")->view == core::OperandView{.dropped = 1, .flipped = 2});
  CHECK(parse_region(program, "A[::-1, ::-1]")->view ==
        core::OperandView{.dropped = 0, .flipped = 3});
}

TEST_CASE("an unknown array is refused with the nearest") {
  core::Program program = program_of_arrays();
  add_array(program, "temperature", {3});
  const auto view = parse_region(program, "temprature[0]");
  REQUIRE_FALSE(view.has_value());
  CHECK(view.faults().front().what ==
        "unknown array \"temprature\"; did you mean \"temperature\"?");
}
