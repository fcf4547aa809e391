// The meaning of programs: whole arrays, one task after another.
#include "exec/verify/sequential.h"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "core/graph/element.h"

namespace parley::exec {
namespace {

using namespace core;  // NOLINT

ArrayId add_array(Program& program, const std::string& name, std::vector<std::int64_t> shape) {
  ArraySpec spec;
  spec.name = name;
  spec.shape = std::move(shape);
  spec.initial.kind = Initial::Kind::kArange;
  return *program.add_array(std::move(spec));
}

KernelCall call(const std::string& name, std::vector<std::pair<std::string, double>> parameters) {
  return {name, std::move(parameters), {}};
}

std::vector<double> numbers(std::span<const std::byte> bytes) {
  std::vector<double> values;
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    values.push_back(decode_element(DType::kFloat64, bytes.data() + at));
  }
  return values;
}

RegionView slice(Program& program, ArrayId array, Slice one) {
  return *program.slice(program.whole(array), std::vector<Index>{one});
}

Access access(RegionView view, AccessMode mode) { return {view.region, mode, 0, view.view}; }

TEST_CASE("an input that overlaps an output shows the values from before the task") {
  Program program("p");
  const ArrayId a = add_array(program, "A", {5});
  TaskSpec shift;
  shift.accesses = {access(slice(program, a, {0, 4, 1}), AccessMode::kIn),
                    access(slice(program, a, {1, 5, 1}), AccessMode::kOut)};
  shift.kernel = {call("copy", {})};
  REQUIRE(program.spawn(shift));
  REQUIRE(program.close());
  const SequentialResult result = execute_sequentially(program, KernelRegistry());
  CHECK(numbers(result.arrays[a]) == std::vector<double>{0, 0, 1, 2, 3});
}

TEST_CASE("flipped views are walked backwards") {
  Program program("p");
  const ArrayId a = add_array(program, "A", {4});
  const ArrayId b = add_array(program, "B", {4});
  TaskSpec reverse;
  reverse.accesses = {access(slice(program, a, {{}, {}, -1}), AccessMode::kIn),
                      access(program.whole(b), AccessMode::kOut)};
  reverse.kernel = {call("copy", {})};
  REQUIRE(program.spawn(reverse));
  REQUIRE(program.close());
  CHECK(numbers(execute_sequentially(program, KernelRegistry()).arrays[b]) ==
        std::vector<double>{3, 2, 1, 0});
}

TEST_CASE("explicit programs run in topological order, whatever the order of submission") {
  Program program("p", DependencyMode::kExplicit);
  const ArrayId a = add_array(program, "A", {2});
  TaskSpec later, earlier;
  later.accesses = earlier.accesses = {access(program.whole(a), AccessMode::kInout)};
  later.kernel = {call("scale", {{"value", 10.0}})};
  later.after = {TaskId(1)};
  earlier.kernel = {call("add_scalar", {{"value", 1.0}})};
  REQUIRE(program.spawn(later));
  REQUIRE(program.spawn(earlier));
  REQUIRE(program.close());
  CHECK(sequential_order(program) == std::vector<TaskId>{TaskId(1), TaskId(0)});
  CHECK(numbers(execute_sequentially(program, KernelRegistry()).arrays[a]) ==
        std::vector<double>{10, 20});
}

TEST_CASE("show keeps values from before or after its task; expect is checked after it") {
  Program program("p");
  const ArrayId a = add_array(program, "A", {2});
  TaskSpec task;
  task.accesses = {access(program.whole(a), AccessMode::kInout)};
  task.kernel = {call("add_scalar", {{"value", 1.0}})};
  task.show = {{a, Show::Values::kStart}, {a, Show::Values::kEnd}, {a, Show::Values::kNone}};
  std::vector<std::byte> two(8), one(8);
  encode_element(DType::kFloat64, 2.0, two.data());
  encode_element(DType::kFloat64, 1.0, one.data());
  const RegionId last = slice(program, a, {1, 2, 1}).region;
  task.expect = {{last, two}, {last, one}};
  REQUIRE(program.spawn(task));
  REQUIRE(program.close());
  const SequentialResult result = execute_sequentially(program, KernelRegistry());
  REQUIRE(result.shown.size() == 2);
  CHECK(numbers(result.shown[0].bytes) == std::vector<double>{0, 1});
  CHECK(numbers(result.shown[1].bytes) == std::vector<double>{1, 2});
  REQUIRE(result.failed.size() == 1);
  CHECK(numbers(result.failed[0].expected) == std::vector<double>{1});
  CHECK(numbers(result.failed[0].found) == std::vector<double>{2});
}

TEST_CASE("the chosen alternative's own kernel counts") {
  Program program("p");
  const ArrayId a = add_array(program, "A", {1});
  TaskSpec task;
  task.accesses = {access(program.whole(a), AccessMode::kOut)};
  task.kernel = {call("fill", {{"value", 1.0}})};
  Alternative plain, special;
  plain.members = {"cpu"};
  special.members = {"gpu"};
  special.kernel = Kernel{{"fill", {{"value", 2.0}}, {{false, 0, {}}}}};
  task.placement = {plain, special};
  REQUIRE(program.spawn(task));
  REQUIRE(program.close());
  const KernelRegistry registry;
  CHECK(numbers(execute_sequentially(program, registry).arrays[a]) == std::vector<double>{1});
  CHECK(numbers(execute_sequentially(program, registry, [](TaskId) {
                  return std::uint16_t{1};
                }).arrays[a]) == std::vector<double>{2});
}

TEST_CASE("a difference is named by its index and both values") {
  Program program("p");
  const ArrayId a = add_array(program, "A", {2, 3});
  std::vector<std::byte> expected(48), found(48);
  CHECK_FALSE(first_difference(program, a, expected, found).has_value());
  found[5 * 8] = std::byte{0x1f};
  CHECK(first_difference(program, a, expected, found) ==
        "A[1, 2]: found bytes 1f 00 00 00 00 00 00 00, expected 00 00 00 00 00 00 00 00");
}

}  // namespace
}  // namespace parley::exec
