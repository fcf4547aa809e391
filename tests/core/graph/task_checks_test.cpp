#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/graph/program.h"

using namespace parley::core;

namespace {

constexpr AccessMode kIn = AccessMode::kIn, kOut = AccessMode::kOut, kInout = AccessMode::kInout;

/// Arrays A and B of (4, 4), v of (4,).
Program three_arrays() {
  Program program("p");
  for (const auto& [name, rank] : {std::pair("A", 2U), std::pair("B", 2U), std::pair("v", 1U)}) {
    ArraySpec spec;
    spec.name = name;
    spec.shape.assign(rank, 4);
    spec.initial.kind = Initial::Kind::kArange;
    REQUIRE(program.add_array(spec));
  }
  return program;
}

Access whole(const Program& program, const char* array, AccessMode mode) {
  return {program.whole(*program.find_array(array)).region, mode, 0, {}};
}

KernelCall call(std::string name, std::vector<KernelArgument> arguments = {}) {
  return {std::move(name), {}, std::move(arguments)};
}

KernelArgument operand(std::uint16_t index) { return {false, index, {}}; }
KernelArgument scratch(std::uint16_t index) { return {true, index, {}}; }

/// The faults of a task, joined; "" when it is accepted.
std::string faults_of(Program& program, std::vector<Access> accesses, Kernel kernel,
                      std::vector<ScratchArray> scratch_arrays = {}) {
  TaskSpec task;
  task.accesses = std::move(accesses);
  task.kernel = std::move(kernel);
  Alternative alternative;
  alternative.members = {"any"};
  alternative.scratch = std::move(scratch_arrays);
  task.placement = {alternative};
  std::string text;
  const auto spawned = program.spawn(task);
  for (const Fault& fault : spawned.faults()) text += (text.empty() ? "" : "; ") + fault.what;
  return text;
}

}  // namespace

TEST_CASE("a kernel may only do with an operand what the task declares") {
  Program program = three_arrays();
  const Access in = whole(program, "A", kIn), out = whole(program, "B", kOut);
  CHECK(faults_of(program, {in, out}, {call("copy")}) == "");
  CHECK(faults_of(program, {in, out}, {call("copy", {operand(1), operand(0)})}) ==
        "kernel \"copy\": reads B, which the task declares as \"out\"; "
        "kernel \"copy\": writes A, which the task declares as \"in\"");
  CHECK(faults_of(program, {in}, {call("sqrt")}) ==
        "kernel \"sqrt\": writes A, which the task declares as \"in\"");
  CHECK(faults_of(program, {whole(program, "A", kInout)}, {call("sqrt")}) == "");
}

TEST_CASE("kernels that take any operands accept every mode") {
  Program program = three_arrays();
  for (const char* name : {"none", "hash_mix", "spin"}) {
    CAPTURE(name);
    CHECK(faults_of(
              program,
              {whole(program, "A", kIn), whole(program, "B", kOut), whole(program, "v", kInout)},
              {call(name)}) == "");
    CHECK(faults_of(program, {}, {call(name)}) == "");
  }
}

TEST_CASE("what an earlier kernel of the task has written may be read") {
  Program program = three_arrays();
  const Access out = whole(program, "B", kOut);
  KernelCall fill = call("fill", {operand(0)});
  fill.parameters = {{"value", 2.0}};
  CHECK(faults_of(program, {out}, {fill, call("sqrt", {operand(0)})}) == "");
  CHECK(faults_of(program, {out}, {call("sqrt", {operand(0)}), fill}) ==
        "kernel \"sqrt\": reads B, which the task declares as \"out\"");
  const ScratchArray both{"both", {4, 4}, DType::kFloat64};
  const Access in = whole(program, "A", kIn);
  CHECK(faults_of(program, {in, out},
                  {call("add", {operand(0), operand(0), scratch(0)}),
                   call("copy", {scratch(0), operand(1)})},
                  {both}) == "");
  CHECK(faults_of(program, {in, out}, {call("copy", {scratch(0), operand(1)})}, {both}) ==
        "kernel \"copy\": reads $both, which no earlier kernel of the task has written");
}

TEST_CASE("extents of operands must fit the kernel, dropped dimensions not counted") {
  Program program = three_arrays();
  CHECK(faults_of(program, {whole(program, "A", kIn), whole(program, "v", kOut)}, {call("copy")}) ==
        "kernel \"copy\": operand 1 has shape (4,), operand 0 (4, 4); they must be equal");
  const std::vector<Index> row = {std::int64_t{1}};
  const RegionView view = *program.slice(program.whole(ArrayId(0)), row);
  CHECK(faults_of(program, {{view.region, kIn, 0, view.view}, whole(program, "v", kOut)},
                  {call("copy")}) == "");
}

TEST_CASE("a call with unknown names or missing operands is refused") {
  Program program = three_arrays();
  const Access inout = whole(program, "A", kInout);
  CHECK(faults_of(program, {inout}, {call("sqrtt")}) ==
        "unknown kernel \"sqrtt\"; did you mean \"sqrt\"?");
  CHECK(faults_of(program, {inout}, {call("gemm")}) == "kernel \"gemm\" takes 3 operands, not 1");
  CHECK(faults_of(program, {inout}, {call("sqrt", {operand(3)})}) ==
        "kernel \"sqrt\": argument 0 names no operand of the task");
}

TEST_CASE("two written operands that overlap are refused, a read one may overlap a written one") {
  Program program = three_arrays();
  const std::vector<Index> top = {Slice{0, 3, std::nullopt}}, bottom = {Slice{2, 4, std::nullopt}};
  const RegionId upper = program.slice(program.whole(ArrayId(0)), top)->region;
  const RegionId lower = program.slice(program.whole(ArrayId(0)), bottom)->region;
  CHECK(faults_of(program, {{upper, kOut, 0, {}}, {lower, kInout, 0, {}}}, {}) ==
        "written operands A[0:3, :] and A[2:4, :] overlap; what a task writes must be disjoint");
  CHECK(faults_of(program, {{upper, kIn, 0, {}}, {lower, kInout, 0, {}}}, {}) == "");
}
