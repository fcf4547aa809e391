#include "cli/run_cli.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/cli/command_line.h"

namespace parley::cli {
namespace {

struct Wrong {
  std::vector<std::string> words;
  std::string message;
};

TEST_CASE("wrong words are refused with the nearest right ones") {
  const Wrong cases[] = {
      {{"simm", "x"}, "unknown command \"simm\"; did you mean \"sim\"?"},
      {{"--verison"}, "unknown option \"--verison\""},
      {{"sim", "cholesky", "--maper", "parla"},
       "unknown option \"--maper\"; did you mean \"--mapper\"?"},
      {{"sim", "cholesky", "--sumary=x"},
       "unknown option \"--sumary\"; did you mean \"--summary\"?"},
      {{"sim"}, "WORKLOAD is required"},
      {{"sim", "cholesky", "--window", "0"},
       "--window: found \"0\"; allowed: 1 to 4294967295, or unlimited"},
      {{"sim", "cholesky", "--window", "many"}, "--window: found \"many\""},
      {{"sim", "cholesky", "--seed", "x"}, "--seed"},
      {{"sim", "cholesky", "--mapper", "earliest_finsh"}, "did you mean \"earliest_finish\"?"},
      {{"sim", "cholesky", "--evict", "lur"}, "--evict: unknown policy \"lur\""},
      {{"sim", "choleski"}, "did you mean \"cholesky\"?"},
      {{"sim", "cholesky:tils=2"}, "did you mean \"tiles\"?"},
      {{"sim", "cholesky", "--machine", "h200x5"}, "did you mean \"h200x"},
      {{"sim", "cholesky", "--limit", "gpu=8XB"}, "8XB"},
      {{"sim", "no/such/file.json"}, "no/such/file.json"},
      {{"compare", "cholesky", "--jobs", "0"}, "--jobs"},
      {{"compare", "cholesky", "--policy", "maper=parla"}, "did you mean \"mapper\"?"},
      {{"compare", "cholesky", "--policy", "mapper=parla,mapper=parla"}, "mapper is given twice"},
      {{"compare", "cholesky", "--policy", "window=x"}, "window"},
      {{"list", "policy"}, "allowed: policies, kernels, generators, machines, formats"},
      {{"plot", "gant", "x.json"}, "did you mean \"gantt\"?"},
      {{"plot"}, "which picture?"},
      {{"explain", "cholesky:tiles=2", "--task", "potrf[0"}, "--task: unknown task"},
      {{"replay", "no/such/journal"}, "no/such/journal: cannot be read"},
      {{"generate", "choleski"}, "did you mean \"cholesky\"?"},
      {{"exec", "cholesky"}, "--backend is required"},
      {{"calibrate", "--backend", "host"}, "--output is required"},
      {{"calibrate", "--backend", "host", "-o", "m.json", "--limit", "gpu=8XB"}, "8XB"},
      {{"calibrate", "--backend", "host", "-o", "no/such/folder/m.json"}, "no/such/folder"}};
  for (const Wrong& wrong : cases) {
    std::string line = "parley";
    for (const std::string& word : wrong.words) line += " " + word;
    CAPTURE(line);
    const Said said = parley(wrong.words);
    CHECK(said.code == 2);
    CHECK(said.out.empty());
    CAPTURE(said.err);
    CHECK(has(said.err, wrong.message));
  }
}

TEST_CASE("several faults are told at once") {
  const Said said =
      parley({"sim", "choleski", "--machine", "h200x5", "--mapper", "x", "--window", "0"});
  CHECK(said.code == 2);
  for (const char* part : {"choleski", "h200x5", "--mapper", "--window"})
    CHECK(has(said.err, part));
}

TEST_CASE("without a command, the help goes to standard error") {
  const Said said = parley({});
  CHECK(said.code == 2);
  CHECK(said.out.empty());
  CHECK(has(said.err, "Start here"));
}

TEST_CASE("every command helps with examples, on standard output") {
  for (const std::string& command :
       {std::string("sim"), std::string("compare"), std::string("check"), std::string("explain"),
        std::string("generate"), std::string("convert"), std::string("list"),
        std::string("replay")}) {
    const Said said = parley({command, "--help"});
    CAPTURE(command);
    CHECK(said.code == 0);
    CHECK(said.err.empty());
    CHECK(has(said.out, "Example"));
    CHECK(has(said.out, "parley " + command));
  }
  CHECK(has(parley({"plot", "--help"}).out, "parley plot gantt"));
  CHECK(parley({"--help"}).code == 0);
  CHECK(has(parley({"--version"}).out, "parley 0.1.0"));
}

TEST_CASE("the defaults that the help states are those that a run names") {
  const std::string help = parley({"sim", "--help"}).out;
  const std::string report = parley({"sim", "cholesky:tiles=2,tile=64"}).out;
  for (const char* policy : {"earliest_finish", "bottom_level", "on_map", "lru", "nearest"}) {
    CHECK(has(help, std::string("[") + policy + "]"));
    CHECK(has(report, policy));
  }
  CHECK(has(help, "[h200x4]"));
  CHECK(has(report, "h200x4"));
}

}  // namespace
}  // namespace parley::cli
