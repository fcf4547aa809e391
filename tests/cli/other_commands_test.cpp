#include <doctest/doctest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/graph/kernel.h"
#include "core/policy/registry.h"
#include "tests/cli/command_line.h"
#include "workloads/generator.h"
#include "workloads/machine_file.h"

namespace parley::cli {
namespace {

using Json = nlohmann::json;

TEST_CASE("list names everything there is, with defaults") {
  const std::string policies = parley({"list", "policies"}).out;
  const core::PolicyRegistry registry;
  for (const core::PolicyEntry& entry : registry.entries()) {
    CHECK(has(policies, entry.name));
    CHECK(has(policies, entry.info.sentence));
    for (const core::PolicyParameter& parameter : entry.info.parameters) {
      CHECK(has(policies, parameter.name + "="));
    }
  }
  const std::string generators = parley({"list", "generators"}).out;
  const workloads::GeneratorRegistry all;
  for (const workloads::Generator& generator : all.generators()) {
    CHECK(has(generators, generator.name + ": " + generator.sentence));
  }
  const std::string kernels = parley({"list", "kernels"}).out;
  for (const core::KernelSignature& kernel : core::kernel_signatures()) {
    CHECK(has(kernels, kernel.name + "("));
  }
  const std::string machines = parley({"list", "machines"}).out;
  for (const std::string& name : workloads::shipped_machines()) CHECK(has(machines, name));
  CHECK(has(parley({"list", "formats"}).out, "parley-journal"));
}

TEST_CASE("a generated file runs as the generator does") {
  const TemporaryFolder folder;
  const std::string spec = "cholesky:tiles=3,tile=128";
  REQUIRE(parley({"generate", spec, "-o", folder.path("w.json")}).code == 0);
  CHECK(parley({"generate", spec}).out == contents(folder.path("w.json")));
  REQUIRE(parley({"sim", spec, "--summary", folder.path("a")}).code == 0);
  REQUIRE(parley({"sim", folder.path("w.json"), "--summary", folder.path("b")}).code == 0);
  const Json from_spec = Json::parse(contents(folder.path("a")));
  const Json from_file = Json::parse(contents(folder.path("b")));
  CHECK(from_spec["tasks"] == from_file["tasks"]);
  CHECK(from_spec["copy_list"] == from_file["copy_list"]);
}

TEST_CASE("convert writes a normal form, of which itself is the normal form") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", pairs_workload());
  REQUIRE(parley({"convert", workload, folder.path("1.json")}).code == 0);
  REQUIRE(parley({"convert", folder.path("1.json"), folder.path("2.json")}).code == 0);
  CHECK(contents(folder.path("1.json")) == contents(folder.path("2.json")));
  CHECK(Json::parse(contents(folder.path("1.json")))["format"] == "parley-workload");

  REQUIRE(parley({"convert", "h200x2", folder.path("m.json")}).code == 0);
  REQUIRE(parley({"convert", folder.path("m.json"), folder.path("n.json")}).code == 0);
  CHECK(contents(folder.path("m.json")) == contents(folder.path("n.json")));
  CHECK(Json::parse(contents(folder.path("m.json")))["format"] == "parley-machine");
  REQUIRE(parley({"sim", workload, "--machine", "h200x2", "--summary", folder.path("a")}).code ==
          0);
  REQUIRE(
      parley({"sim", workload, "--machine", folder.path("m.json"), "--summary", folder.path("b")})
          .code == 0);
  CHECK(contents(folder.path("a")) == contents(folder.path("b")));
}

TEST_CASE("convert writes a template as a machine file") {
  const TemporaryFolder folder;
  const std::string file = folder.path("m.json");
  CHECK(parley({"convert", "dgx-h200:gpus=2,nodes=2", file}).code == 0);
  const Said said = parley({"sim", "cholesky:tiles=4", "--machine", file, "--devices", "4"});
  CHECK_MESSAGE(said.code == 0, said.err);
  CHECK(parley({"convert", "dgx-h200:gpus=two", file}).code == 2);
}

TEST_CASE("an empty machine file is called empty, and seeds do not wrap around") {
  const TemporaryFolder folder;
  const Said empty = parley({"sim", "cholesky:tiles=4", "--machine", folder.file("m.json", "")});
  CHECK(empty.code == 2);
  CHECK(has(empty.err, "the file is empty"));
  for (const std::string seed : {"-1", "18446744073709551616", "1.5"}) {
    const Said said = parley({"sim", "cholesky:tiles=4", "--seed", seed});
    CHECK(said.code == 2);
    CHECK(has(said.err, "--seed: found \"" + seed + "\"; allowed: 0 to 18446744073709551615"));
  }
  CHECK(parley({"sim", "cholesky:tiles=4", "--seed", "18446744073709551615"}).code == 0);
}

TEST_CASE("convert refuses the formats of other systems by name") {
  const TemporaryFolder folder;
  const std::string gph = folder.file("a.gph", "1\n");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"convert", gph, folder.path("b.json")},
        std::vector<std::string>{"convert", "cholesky", folder.path("b.dot")}}) {
    const Said said = parley(words);
    CHECK(said.code == 2);
    CHECK(has(said.err, "parley's own JSON formats only"));
  }
}

TEST_CASE("check tells sizes, and what Parla would have done") {
  const std::string lessons = std::string(PARLEY_SOURCE_DIR) + "/workloads/lessons/";
  const Said wrong_there = parley({"check", lessons + "lesson_06/writeback_without.json"});
  CHECK(wrong_there.code == 0);
  CHECK(has(wrong_there.out, "Parla"));
  const Said right_there = parley({"check", lessons + "lesson_06/writeback_with.json"});
  CHECK(right_there.code == 0);
  CHECK(wrong_there.out != right_there.out);
}

TEST_CASE("check refuses what does not fit on the named machine") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", pairs_workload());
  CHECK(parley({"check", workload, "--machine", "h200x4"}).code == 0);
  CHECK(parley({"check", workload, "--machine", "h200x1"}).code == 2);
  CHECK(parley({"check", workload, "--machine", "h200x4", "--limit", "gpu=1MB"}).code == 2);
  CHECK(has(parley({"check", workload, "--limit", "gpu=1MB"}).err, "--machine"));
}

TEST_CASE("explain tells where a task ran, where its operands came from and what it waited for") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", pairs_workload());
  const Said reader = parley({"explain", workload, "--machine", "h200x2", "--task", "r[1]"});
  REQUIRE(reader.code == 0);
  for (const char* part :
       {"r[1] ran on gpu:1", "Why there", "earliest_finish", "could run on: gpu:1", "A1", "A0",
        "Waiting", "What set its start", "depends on: w[0], w[1]", "needed by:"}) {
    CAPTURE(reader.out);
    CHECK(has(reader.out, part));
  }
  const Said chain = parley({"explain", folder.file("l.json", lesson_workload()), "--machine",
                             "h200x1", "--task", "T[2]"});
  REQUIRE(chain.code == 0);
  CHECK(has(chain.out, "left here by T[1]"));
  CHECK(has(chain.out, "copy of A[0:5] host->gpu0"));
}

TEST_CASE("plot says what is missing") {
  ::setenv("PARLEY_PYTHON", "/no/such/python", 1);
  const Said said = parley({"plot", "gantt", "run.json", "-o", "a.png"});
  ::unsetenv("PARLEY_PYTHON");
  CHECK(said.code == 4);
  CHECK(has(said.err, "/no/such/python cannot be run"));
  CHECK(has(said.err, "apt-get install python3-matplotlib"));
}

TEST_CASE("plot draws a summary, and passes on what is wrong with one") {
  const TemporaryFolder folder;
  const Said broken =
      parley({"plot", "gantt", folder.path("none.json"), "-o", folder.path("a.svg")});
  CHECK(broken.code != 0);
  CHECK(has(broken.err, broken.code == 4 ? "matplotlib" : "none.json"));
  if (broken.code == 4) return;  // no matplotlib on this system
  REQUIRE(parley({"sim", "cholesky:tiles=3,tile=128", "--summary", folder.path("s.json")}).code ==
          0);
  const Said said = parley({"plot", "gantt", folder.path("s.json"), "-o", folder.path("a.svg")});
  CAPTURE(said.err);
  CHECK(said.code == 0);
  CHECK(has(contents(folder.path("a.svg")), "<svg"));
}

}  // namespace
}  // namespace parley::cli
