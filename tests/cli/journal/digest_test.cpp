#include "cli/journal/digest.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>
#include <string>

namespace parley::cli {
namespace {

TEST_CASE("FNV-1a gives the published values") {
  // Test vectors of the draft by Fowler, Noll, Vo and Eastlake.
  const auto of = [](std::string_view bytes) {
    Digest digest;
    digest.add_bytes(bytes);
    return digest.text();
  };
  CHECK(of("") == "cbf29ce484222325");
  CHECK(of("a") == "af63dc4c8601ec8c");
  CHECK(of("foobar") == "85944171f73967e8");
}

struct Variation {
  std::string array_name = "A";
  std::int64_t extent = 4;
  core::AccessMode mode = core::AccessMode::kInout;
  std::int32_t priority = 0;
  std::int64_t cost_ns = 10;
  std::string placement = "gpu";
  std::int64_t release_ns = 0;
  double kernel_value = 1.0;
  bool shows = false;
};

core::Program program_of(const Variation& variation) {
  core::Program program("p");
  core::ArraySpec array;
  array.name = variation.array_name;
  array.shape = {variation.extent};
  array.initial = {core::Initial::Kind::kArange, {}, 0};
  const auto id = program.add_array(array);
  REQUIRE(id);
  core::TaskSpec task;
  task.name = "t";
  task.accesses = {{program.whole(*id).region, variation.mode, 0, {}}};
  task.placement.resize(1);
  task.placement[0].members = {variation.placement};
  task.cost = {{"", core::Duration(variation.cost_ns), 0.0, 0.0}};
  task.priority = variation.priority;
  task.release = core::Time(variation.release_ns);
  core::KernelArgument argument;
  argument.index = 0;
  task.kernel = {{"fill", {{"value", variation.kernel_value}}, {argument}}};
  if (variation.shows) task.show = {{*id, core::Show::Values::kEnd, false}};
  REQUIRE(program.spawn(task));
  REQUIRE(program.close());
  return program;
}

TEST_CASE("equal programs have equal digests; a change of any part changes it") {
  CHECK(digest_of(program_of({})) == digest_of(program_of({})));
  const std::function<void(Variation&)> changes[] = {
      [](Variation& v) { v.array_name = "B"; },
      [](Variation& v) { v.extent = 5; },
      [](Variation& v) { v.mode = core::AccessMode::kOut; },
      [](Variation& v) { v.priority = 1; },
      [](Variation& v) { v.cost_ns = 11; },
      [](Variation& v) { v.placement = "cpu"; },
      [](Variation& v) { v.release_ns = 1; },
      [](Variation& v) { v.kernel_value = 2.0; },
      [](Variation& v) { v.shows = true; }};
  std::set<std::string> digests = {digest_of(program_of({}))};
  for (const auto& change : changes) {
    Variation variation;
    change(variation);
    CHECK(digests.insert(digest_of(program_of(variation))).second);
  }
}

}  // namespace
}  // namespace parley::cli
