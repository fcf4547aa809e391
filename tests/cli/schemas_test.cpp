#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/command_line.h"
#include "tests/cli/schema_check.h"

namespace parley::cli {
namespace {

TEST_CASE("summaries, journals and comparisons are as their schemas say") {
  const TemporaryFolder folder;
  const std::vector<std::string> workloads = {folder.file("l.json", lesson_workload()),
                                              folder.file("p.json", pairs_workload()),
                                              "cholesky:tiles=4,tile=128"};
  for (const std::string& workload : workloads) {
    REQUIRE(parley({"sim", workload, "--limit", "gpu=2100kB", "--states", "--timing", "--summary",
                    folder.path("s.json"), "--journal", folder.path("j.jsonl")})
                .code == 0);
    CHECK(schema_fault("summary.schema.json", contents(folder.path("s.json"))) == "");
    std::istringstream journal(contents(folder.path("j.jsonl")));
    for (std::string line; std::getline(journal, line);) {
      CHECK(schema_fault("journal.schema.json", line) == "");
    }
    parley({"compare", workload, "--machine", "h200x1", "h200x2", "--window", "unlimited", "--json",
            folder.path("c.json")});
    CHECK(schema_fault("comparison.schema.json", contents(folder.path("c.json"))) == "");
  }
}

TEST_CASE("what a schema does not allow is found") {
  CHECK(schema_fault("journal.schema.json", R"({"now":-1,"events":[],"commands":[]})") != "");
  CHECK(schema_fault("journal.schema.json", R"({"now":0,"events":[{"x":1}],"commands":[]})") != "");
  CHECK(schema_fault("journal.schema.json", R"({"now":0,"events":[],"commands":[]})") == "");
  CHECK(schema_fault("summary.schema.json", "{}") != "");
}

}  // namespace
}  // namespace parley::cli
