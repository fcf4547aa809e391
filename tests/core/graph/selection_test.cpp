// Selections as numpy makes them, where an array has no elements.
#include <doctest/doctest.h>

#include <vector>

#include "core/graph/program.h"

namespace parley::core {
namespace {

TEST_CASE("an integer index of a dimension is legal although another has no extent") {
  Program program("p");
  ArraySpec spec;
  spec.name = "A";
  spec.shape = {3, 0, 5};
  const ArrayId array = *program.add_array(std::move(spec));
  const std::vector<Index> second = {std::int64_t{1}};
  const auto selected = program.slice(program.whole(array), second);
  REQUIRE(selected);
  CHECK(program.region(selected->region).box.is_empty());
  const std::vector<Index> outside = {std::int64_t{3}};
  CHECK_FALSE(program.slice(program.whole(array), outside));
  const std::vector<Index> nothing = {Slice{}, std::int64_t{0}};
  CHECK_FALSE(program.slice(program.whole(array), nothing));
}

}  // namespace
}  // namespace parley::core
