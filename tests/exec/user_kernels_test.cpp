// Kernels of a workload's own on the host: the example, built as a user would, and what is said
// when something of one is missing.
#include "exec/user_kernels.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "core/graph/element.h"
#include "exec/executor.h"
#include "exec/host/host_backend.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::exec {
namespace {

const std::string kFolder = PARLEY_USER_KERNELS;

core::Program program_of(const std::string& text) {
  auto program = workloads::parse_workload(text, kFolder + "/workload.json");
  for (const core::Fault& fault : program.faults()) MESSAGE(fault.where << ": " << fault.what);
  REQUIRE(program);
  return std::move(*program);
}

std::string with_kernel(const std::string& definition, const std::string& parameters = "") {
  return R"({"format": "parley-workload", "version": 1, "kernels": {"own": )" + definition +
         R"(}, "arrays": [{"name": "x", "shape": [3], "init": {"fill": 1}},
                          {"name": "y", "shape": [3], "init": {"fill": 3}}],
             "tasks": [{"name": "t", "in": ["x"], "inout": ["y"], "kernel": {"name": "own")" +
         parameters + "}}]}";
}

core::Faults check_on_host(const core::Program& program) {
  auto machine = workloads::load_machine("h200x2", {});
  REQUIRE(machine);
  return create_host_backend({false, {}})->check(program, *machine);
}

TEST_CASE("the example of a user's own kernel runs, with the values that it expects") {
  auto program = workloads::load_workload(kFolder + "/damped.json");
  REQUIRE(program);
  auto machine = workloads::load_machine("h200x2", {});
  REQUIRE(machine);
  const SequentialResult expected = execute_sequentially(*program, kernels_of(*program));
  CHECK(expected.failed.empty());
  const auto backend = create_host_backend({false, {}});
  for (int run = 0; run < 2; ++run) {  // the second with the backend's memory of the first
    const auto result = execute(*program, *machine, {}, *backend);
    REQUIRE(result);
    CHECK(result->is_finished());
    CHECK(result->failed_expectations.empty());
    for (std::size_t i = 0; i < program->array_count(); ++i) {
      CHECK(result->arrays[core::ArrayId(i)].bytes == expected.arrays[core::ArrayId(i)]);
    }
  }
}

TEST_CASE("parameters come in the order of the definition, defaults where a call leaves them out") {
  const core::Program program =
      program_of(with_kernel(R"({"library": "damped.so", "arguments": ["in", "inout"],
                      "parameters": {"b": null, "a": 4}})",
                             R"(, "b": 7)"));
  const core::KernelCall& call = program.kernel(program.task(core::TaskId(0)).kernel).front();
  CHECK(parameter_values(call) == std::vector<double>{7, 4});
}

TEST_CASE("what returns another status than 0 fails its task") {
  // damped takes one parameter, not two.
  const core::Program program =
      program_of(with_kernel(R"({"library": "damped.so", "function": "damped",
                                 "arguments": ["in", "inout"], "parameters": {"a": 1, "b": 2}})"));
  auto machine = workloads::load_machine("h200x2", {});
  REQUIRE(machine);
  const auto backend = create_host_backend({false, {}});
  const auto result = execute(program, *machine, {}, *backend);
  REQUIRE(result);
  REQUIRE(result->failures.size() == 1);
  CHECK(result->failures[0].cause.find("kernel own returned 1") != std::string::npos);
}

TEST_CASE("faults of a kernel's files name the kernel, the file and the function") {
  const auto fault_of = [](const std::string& definition) {
    const core::Faults faults = check_on_host(program_of(with_kernel(definition)));
    REQUIRE(faults.size() == 1);
    return faults[0].where + ": " + faults[0].what;
  };
  const std::string arguments = R"("arguments": ["in", "inout"]})";
  CHECK(fault_of(R"({"library": "none.so", )" + arguments) ==
        "kernels.own: library " + kFolder + "/none.so: there is no such file; build it first");
  CHECK(fault_of(R"({"library": "damped.so", "function": "dumped", )" + arguments) ==
        "kernels.own: library " + kFolder +
            "/damped.so has no function \"dumped\"; declare it extern \"C\"");
  CHECK(fault_of(R"({"library": "damped.cu", )" + arguments).find("kernels.own: library: ") == 0);
  CHECK(fault_of(R"({"source": "damped.cu", )" + arguments) ==
        "kernel own: has no body for the host");
}

}  // namespace
}  // namespace parley::exec
