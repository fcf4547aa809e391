// Kernels of a workload's own on a GPU: the example, and what is said of sources that are wrong.
#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "exec/cuda/cuda_backend.h"
#include "exec/cuda/user_device_kernels.h"
#include "exec/executor.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::exec::cuda {
namespace {

const std::string kFolder = PARLEY_USER_KERNELS;

TEST_CASE("the example of a user's own kernel is compiled and runs on a GPU") {
  auto program = workloads::load_workload(kFolder + "/damped.json");
  REQUIRE(program);
  auto machine = workloads::load_machine("h200x1", {"gpu=64MiB"});  // beside other tests' backends
  REQUIRE(machine);
  auto backend = create_backend({});
  REQUIRE(backend);
  const auto result = execute(*program, *machine, {}, **backend);
  for (const core::Fault& fault : result.faults()) MESSAGE(fault.where << ": " << fault.what);
  REQUIRE(result);
  CHECK(result->is_finished());
  CHECK(result->failed_expectations.empty());
}

core::Faults faults_of(const std::string& source, const std::string& arguments) {
  const std::string path = kFolder + "/wrong.cu";
  std::ofstream(path) << source;
  const auto program = workloads::parse_workload(
      R"({"format": "parley-workload", "version": 1, "tasks": [], "kernels": {"own":
          {"source": "wrong.cu", "arguments": [)" +
          arguments + R"(], "parameters": {"a": 1}}}})",
      kFolder + "/workload.json");
  REQUIRE(program);
  DeviceKernelRegistry registry;
  return add_user_kernels(*program, registry);
}

TEST_CASE("a source that is wrong is told so before anything runs") {
  const std::string good =
      "#include \"exec/user_kernel.h\"\n"
      "extern \"C\" __global__ void own(parley_operand x, double a) {}\n";
  CHECK(faults_of(good, R"("inout")").empty());
  const core::Faults broken =
      faults_of("extern \"C\" __global__ void own() { wrong(); }", "\"in\"");
  REQUIRE(broken.size() == 1);
  CHECK(broken[0].where == "kernels.own");
  CHECK(broken[0].what.find("identifier \"wrong\" is undefined") != std::string::npos);
  const core::Faults other = faults_of("extern \"C\" __global__ void owm(double a) {}", "\"in\"");
  REQUIRE(other.size() == 1);
  CHECK(other[0].what.find("has no kernel \"own\"") != std::string::npos);
  const core::Faults few = faults_of(good, R"("in", "inout")");
  REQUIRE(few.size() == 1);
  CHECK(few[0].what.find("must be a parley_operand") != std::string::npos);
}

}  // namespace
}  // namespace parley::exec::cuda
