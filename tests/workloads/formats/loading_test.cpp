// What a file says arrives in the program: values, operands, kernels, placements, costs.
#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/graph/element.h"
#include "workloads/workload.h"

namespace {

using namespace parley;

core::Program load(const std::string& arrays, const std::string& tasks) {
  auto program = workloads::parse_workload(
      R"({"format": "parley-workload", "version": 1, "name": "x", "meta": {"a": [1]}, "arrays": [)" +
          arrays + R"(], "tasks": [)" + tasks + "]}",
      "workload.json");
  if (!program) FAIL(program.faults().front().what);
  return std::move(*program);
}

const std::string kArrays =
    R"({"name": "A", "shape": [4, 6], "init": {"fill": 0}},
       {"name": "B", "shape": [6], "dtype": "int32", "init": {"arange": true}})";

core::Program load_task(const std::string& members) {
  return load(kArrays, R"({"name": "t", )" + members + "}");
}

const core::Task& only_task(const core::Program& program) { return program.task(core::TaskId(0)); }

/// "in A[0, :]", "out B of member 1".
std::vector<std::string> operands(const core::Program& program) {
  std::vector<std::string> texts;
  for (const core::Access& access : program.accesses(core::TaskId(0))) {
    texts.push_back(std::string(core::name_of(access.mode)) + " " +
                    program.region_text(access.region, access.view));
    if (access.member > 0) texts.back() += " of member " + std::to_string(access.member);
  }
  return texts;
}

/// Bytes of the fill value of an array of `dtype`.
std::vector<std::byte> fill(const std::string& dtype, const std::string& value) {
  const core::Program program = load(R"({"name": "A", "shape": [2], "dtype": ")" + dtype +
                                         R"(", "init": {"fill": )" + value + "}}",
                                     "{}");
  return program.array(core::ArrayId(0)).spec.initial.data;
}

template <class T>
std::vector<std::byte> bytes_of(std::vector<T> values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("integers are exact over the dtype's range") {
  CHECK(fill("int64", "9223372036854775807") == bytes_of<std::int64_t>({INT64_MAX}));
  CHECK(fill("int64", "-9223372036854775808") == bytes_of<std::int64_t>({INT64_MIN}));
  CHECK(fill("uint64", "18446744073709551615") == bytes_of<std::uint64_t>({UINT64_MAX}));
  CHECK(fill("int64", "9007199254740993") == bytes_of<std::int64_t>({9007199254740993}));
  CHECK(fill("int64", "9007199254740992.0") == bytes_of<std::int64_t>({9007199254740992}));
  CHECK(fill("int8", "-128") == bytes_of<std::int8_t>({-128}));
  CHECK(fill("uint16", "6.5535e4") == bytes_of<std::uint16_t>({65535}));
  CHECK(fill("bool", "true") == bytes_of<std::uint8_t>({1}));
  CHECK(fill("float64", "9007199254740993.0") == bytes_of<double>({9007199254740992.0}));
  CHECK(fill("float32", "0.1") == bytes_of<float>({0.1F}));
  CHECK(fill("float64", "\"-inf\"") ==
        bytes_of<double>({-std::numeric_limits<double>::infinity()}));
  CHECK(fill("float16", "1") == bytes_of<std::uint16_t>({0x3c00}));
  CHECK(fill("bfloat16", "-2") == bytes_of<std::uint16_t>({0xc000}));
  CHECK(fill("complex64", "[1, -2]") == bytes_of<float>({1.0F, -2.0F}));
  CHECK(fill("complex128", "3") == bytes_of<double>({3.0, 0.0}));
}

TEST_CASE("arrays arrive as declared") {
  const core::Program program =
      load(R"({"name": "A", "shape": [2, 2], "dtype": "int16", "home": ["host", "gpu1"],
               "init": {"values": [[1, 2], [3, 4]]}, "at_end": "discard", "meta": 3},
              {"name": "f", "bytes": 1000, "home": "gpu0"}, {"name": "none", "shape": [0, 3]})",
           "");
  const core::ArraySpec& a = program.array(core::ArrayId(0)).spec;
  CHECK(a.homes == Texts{"host", "gpu1"});
  CHECK(a.at_end == core::AtEnd::kDiscard);
  CHECK(a.initial.data == bytes_of<std::int16_t>({1, 2, 3, 4}));
  const core::Array& f = program.array(core::ArrayId(1));
  CHECK(f.spec.is_opaque);
  CHECK(f.bytes == core::Bytes(1000));
  CHECK(f.spec.homes == Texts{"gpu0"});
  CHECK(program.array(core::ArrayId(2)).bytes == core::Bytes(0));
}

TEST_CASE("operands are in, inout, out, and a region in both in and out is inout") {
  CHECK(operands(load_task(R"("out": ["B[0]"], "in": ["A[0]", "A"], "inout": ["A[1]"])")) ==
        Texts{"in A[0, :]", "in A", "inout A[1, :]", "out B[0]"});
  CHECK(operands(load_task(R"("in": ["A[0:1]", "B"], "out": ["A[0]"])")) ==
        Texts{"inout A[0:1, :]", "in B"});
  CHECK(operands(load_task(R"("accesses": [{"region": "B", "mode": "out"},
                                           {"region": "A", "mode": "in", "member": 1}],
                              "placement": {"group": "gpu", "count": 2})")) ==
        Texts{"out B", "in A of member 1"});
}

TEST_CASE("kernels take their operands in list order, or as args say") {
  const auto arguments = [](const std::string& members) {
    const core::Program program = load_task(members);
    std::vector<int> places;
    for (const core::KernelArgument& argument :
         program.kernel(only_task(program).kernel).front().arguments) {
      places.push_back(argument.is_scratch ? -1 - argument.index : argument.index);
    }
    return places;
  };
  CHECK(arguments(R"("in": ["A[0]"], "out": ["B"], "kernel": {"name": "copy"})") ==
        std::vector{0, 1});
  CHECK(arguments(R"("in": ["A[0]"], "inout": ["B"], "kernel": {"name": "axpy", "value": 2,
                     "args": ["A[-4]", "B[:]"]})") == std::vector{0, 1});
  CHECK(arguments(R"("in": ["A[0]"], "scratch": {"s": {"shape": [2]}, "t": {"shape": [6]}},
                     "kernel": {"name": "copy", "args": ["A[0]", "$t"]})") == std::vector{0, -2});
}

TEST_CASE("manual movement is lazy, and clone_here declares its target") {
  const core::Program program =
      load_task(R"("in": ["A[1]"], "kernel": {"name": "clone_here", "args": ["A[1]", "$here"]})");
  CHECK(only_task(program).is_lazy);
  const core::Alternative& place = program.placement(only_task(program).placement).front();
  REQUIRE(place.scratch.size() == 1);
  CHECK(place.scratch.front() == core::ScratchArray{"here", {6}, core::DType::kFloat64});
  CHECK_FALSE(only_task(load_task(R"("in": ["A"])")).is_lazy);
  CHECK(only_task(load_task(R"("in": ["A"], "movement": "lazy")")).is_lazy);
  CHECK_FALSE(only_task(load_task(R"("in": ["A[0]"], "out": ["B"], "kernel": {"name": "copy"},
                                     "movement": "eager")"))
                  .is_lazy);
}

TEST_CASE("alternatives have what the task says unless they say otherwise") {
  const core::Program program = load_task(
      R"("vcus": 0.25, "scratch_bytes": 100, "scratch": {"s": {"shape": [2]}}, "inout": ["B"],
         "placement": ["cpu", {"on": "gpu:1", "vcus": 0.3333, "scratch": {"t": {"shape": []}},
                               "kernel": {"name": "scale", "value": 2}, "cost": {"ns": 5}},
                       {"group": "gpu", "count": 3, "scratch_bytes": 0}])");
  const core::Placement& placement = program.placement(only_task(program).placement);
  REQUIRE(placement.size() == 3);
  CHECK(placement[0].members == Texts{"cpu"});
  CHECK(placement[0].milli_vcus == 250);
  CHECK(placement[0].scratch_bytes == core::Bytes(100));
  CHECK(placement[0].scratch.size() == 1);
  CHECK_FALSE(placement[0].kernel.has_value());
  CHECK(placement[1].members == Texts{"gpu:1"});
  CHECK(placement[1].milli_vcus == 333);
  CHECK(placement[1].scratch_bytes == core::Bytes(100));
  CHECK(placement[1].scratch.size() == 2);
  CHECK(placement[1].kernel->front().name == "scale");
  CHECK(placement[1].cost->front().stated == core::Duration(5));
  CHECK(placement[2].members == Texts{"gpu", "gpu", "gpu"});
  CHECK(placement[2].is_group);
  CHECK(placement[2].scratch_bytes == core::Bytes(0));
  const core::Program free = load_task(R"("vcus": 0)");
  CHECK(free.placement(only_task(free).placement).front().milli_vcus == 0);
}

TEST_CASE("costs are for every device, or by class or name") {
  const core::Program program = load_task(
      R"("cost": {"gpu": {"ns": 20000}, "flops": 2e9, "bytes": 1e8, "gpu:1": {"flops": 1}},
         "expected_cost": {"ns": 2e4}, "priority": -3, "release_ns": 7)");
  const core::Cost& cost = program.cost(only_task(program).cost);
  REQUIRE(cost.size() == 3);
  CHECK(cost[0] == core::CostEntry{"gpu", core::Duration(20000), 0.0, 0.0});
  CHECK(cost[1] == core::CostEntry{"", std::nullopt, 2e9, 1e8});
  CHECK(cost[2] == core::CostEntry{"gpu:1", std::nullopt, 1.0, 0.0});
  CHECK(program.cost(only_task(program).expected_cost).front().stated == core::Duration(20000));
  CHECK(only_task(program).priority == -3);
  CHECK(only_task(program).release == core::Time(7));
}

TEST_CASE("expected values are bytes in the region's own order") {
  const auto expected = [](const std::string& region, const std::string& values) {
    const core::Program program =
        load_task(R"("in": ["B", "A"], "expect": {")" + region + "\": " + values + "}");
    return program.extras(core::TaskId(0)).expect.front().bytes;
  };
  CHECK(expected("B[1]", "5") == bytes_of<std::int32_t>({5}));
  CHECK(expected("B[1:4]", "[1, 2, 3]") == bytes_of<std::int32_t>({1, 2, 3}));
  CHECK(expected("B[3:0:-1]", "[3, 2, 1]") == bytes_of<std::int32_t>({1, 2, 3}));
  CHECK(expected("B", "7") == bytes_of<std::int32_t>({7, 7, 7, 7, 7, 7}));
  CHECK(expected("A[0:2, 1:3]", "[[1, 2], [3, 4]]") == bytes_of<double>({1, 2, 3, 4}));
  CHECK(expected("A[1::-1, 1:3]", "[[1, 2], [3, 4]]") == bytes_of<double>({3, 4, 1, 2}));
  CHECK(expected("A[0:2, 2:0:-1]", "[[1, 2], [3, 4]]") == bytes_of<double>({2, 1, 4, 3}));
}

TEST_CASE("show and print name arrays, with values at the start, the end or not at all") {
  const core::Program program = load_task(
      R"("in": ["A"], "show": ["A", {"array": "B", "values": "start"}, {"array": "B", "values": false}],
         "print": "A")");
  const std::vector<core::Show>& show = program.extras(core::TaskId(0)).show;
  using Values = core::Show::Values;
  REQUIRE(show.size() == 4);
  CHECK(show[0].values == Values::kEnd);
  CHECK(show[1].values == Values::kStart);
  CHECK(show[2].values == Values::kNone);
  CHECK_FALSE(show[2].is_print);
  CHECK(show[3].is_print);
  CHECK(show[3].array == core::ArrayId(0));
}
