// parley predict on the host backend, its journals, and what the simulator makes of them.
#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

#include "cli/journal/journal_writer.h"
#include "cli/journal/kept_steps.h"
#include "sim/simulator.h"
#include "tests/cli/command_line.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::cli {
namespace {

std::vector<std::string> predict(const std::string& workload, std::vector<std::string> more) {
  std::vector<std::string> words = {"predict",   workload,    "--backend", "host",
                                    "--machine", "h200x4",    "--devices", "2",
                                    "--limit",   "gpu=64MiB", "--repeat",  "1"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST_CASE("steps kept and told later make the same journal") {
  auto program = workloads::load_workload("stencil:blocks=3,points=32,iterations=3");
  auto machine = workloads::load_machine("h200x2", {"gpu=64KiB"});
  REQUIRE(program.has_value());
  REQUIRE(machine.has_value());
  sim::SimOptions options;
  const std::string embedded = R"({"generator":"x"})";
  std::ostringstream direct, later;
  JournalWriter writer(*program, *machine, options.engine, {"sim", ""}, embedded, direct);
  options.observer = &writer;
  REQUIRE(sim::simulate(*program, *machine, options).has_value());
  KeptSteps steps;
  options.observer = &steps;
  REQUIRE(sim::simulate(*program, *machine, options).has_value());
  JournalWriter again(*program, *machine, options.engine, {"sim", ""}, embedded, later);
  steps.tell(again);
  CHECK(direct.str().size() > 10'000);
  CHECK(direct.str() == later.str());
}

TEST_CASE("predict keeps a journal for each row, which replays and is a plan") {
  const TemporaryFolder folder;
  const std::string journals = folder.path("new/journals");
  const Said said = parley(predict(
      "cholesky:tiles=4,tile=16",
      {"--journals", journals, "--policy", "mapper=parla", "--policy", "mapper=round_robin"}));
  REQUIRE_MESSAGE(said.code == 0, said.err);
  for (const char* name : {"001.jsonl", "002.jsonl"}) {
    const std::string journal = (journals + "/").append(name);
    CHECK(has(parley({"replay", journal}).out, "identical"));
    const Said planned = parley({"sim", "cholesky:tiles=4,tile=16", "--devices", "2", "--limit",
                                 "gpu=64MiB", "--plan", journal, "--durations", journal});
    CHECK_MESSAGE(planned.code == 0, planned.err);
  }
  CHECK(contents(journals + "/001.jsonl") != contents(journals + "/002.jsonl"));
}

TEST_CASE("a folder that cannot be made is refused before anything runs") {
  const TemporaryFolder folder;
  const std::string taken = folder.file("taken", "a file");
  const Said said = parley(predict("cholesky:tiles=4,tile=16", {"--journals", taken + "/in"}));
  CHECK(said.code == 2);
  CHECK(has(said.err, "--journals: the folder " + taken + "/in cannot be made"));
  CHECK(said.out.empty());
}

TEST_CASE("sim takes a machine's first GPUs, and says what it has") {
  const Said two = parley({"sim", "cholesky:tiles=4,tile=64", "--devices", "2"});
  CHECK(two.code == 0);
  CHECK(has(two.out, "h200x4 (2 of 4 GPUs)"));
  CHECK_FALSE(has(two.out, "gpu:2"));
  const Said five = parley({"sim", "cholesky:tiles=4,tile=64", "--devices", "5"});
  CHECK(five.code == 2);
  CHECK(has(five.err, "--devices: 5 GPUs asked for, \"h200x4\" has 4"));
  const Said none = parley({"sim", "cholesky:tiles=4,tile=64", "--devices", "0"});
  CHECK(none.code == 2);
  CHECK(has(none.err, "--devices: found 0; allowed: 1 or more"));
}

}  // namespace
}  // namespace parley::cli
