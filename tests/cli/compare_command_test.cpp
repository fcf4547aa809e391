#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/policy/registry.h"
#include "tests/cli/command_line.h"

namespace parley::cli {
namespace {

using Json = nlohmann::json;

TEST_CASE("every shipped mapper is compared when no policies are named") {
  const TemporaryFolder folder;
  const Said said = parley({"compare", "cholesky:tiles=4,tile=512", "--machine", "h200x2", "--json",
                            folder.path("rows.json")});
  REQUIRE(said.code == 0);
  const Json json = Json::parse(contents(folder.path("rows.json")));
  std::vector<std::string> mappers;
  for (const Json& row : json["rows"]) mappers.push_back(row["policies"]["mapper"]);
  std::vector<std::string> expected = core::PolicyRegistry().names(core::PolicyKind::kMapper);
  std::erase(expected, "fixed");  // needs a plan
  CHECK(mappers == expected);
  for (const std::string& mapper : mappers) CHECK(has(said.out, "mapper=" + mapper));
  for (const Json& row : json["rows"]) {
    CHECK(row["makespan_ns"].get<std::int64_t>() >= row["bound_ns"].get<std::int64_t>());
    CHECK(row["workload"] == "cholesky:tiles=4,tile=512");
    CHECK(row["machine"] == "h200x2");
    CHECK(row["busy"].contains("gpu:1"));
  }
}

TEST_CASE("a warning that several runs share is told once for a workload on a machine") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", R"({"format": "parley-workload", "version": 1,
      "name": "w", "arrays": [{"name": "A", "bytes": 8, "init": {"fill": 1}}],
      "tasks": [{"name": "t", "placement": "gpu", "inout": ["A"]}]})");
  const Said said = parley({"compare", workload, "-m", "h200x2", "h200x1", "--policy",
                            "mapper=parla", "--policy", "mapper=dmda"});
  CHECK(said.code == 0);
  const auto warning = [&](const char* machine) {
    return "warning: " + workload + " on " + machine +
           ": the cost of task \"t\" is not known: the task states none for gpu:0, and has no "
           "kernel: taken as 0 ns (mapper=parla; mapper=dmda)\n";
  };
  CHECK(said.err == warning("h200x2") + warning("h200x1"));
}

TEST_CASE("a row has the figures of the run alone") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", pairs_workload());
  REQUIRE(parley({"compare", workload, "--policy", "evict=next_use,window=2", "--limit",
                  "gpu=2100kB", "--json", folder.path("rows.json")})
              .code == 0);
  REQUIRE(parley({"sim", workload, "--evict", "next_use", "--window", "2", "--limit", "gpu=2100kB",
                  "--summary", folder.path("s.json")})
              .code == 0);
  const Json row = Json::parse(contents(folder.path("rows.json")))["rows"][0];
  const Json summary = Json::parse(contents(folder.path("s.json")));
  for (const char* key : {"makespan_ns", "bounds_ns", "copies", "evictions", "busy", "policies",
                          "window", "seed", "bytes_by_link"}) {
    CAPTURE(key);
    CHECK(row[key] == summary[key]);
  }
  std::int64_t by_kind = 0;
  std::int64_t by_route = 0;
  for (const auto& [kind, bytes] : row["bytes_by_kind"].items())
    by_kind += bytes.get<std::int64_t>();
  for (const auto& [route, bytes] : summary["bytes_copied"].items()) {
    by_route += bytes.get<std::int64_t>();
  }
  CHECK(by_kind == by_route);
}

TEST_CASE("any number of jobs gives the same bytes") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", pairs_workload());
  std::set<std::string> tables, csvs, jsons;
  for (const std::string jobs : {"1", "2", "7"}) {
    const Said said = parley({"compare", workload, "cholesky:tiles=3,tile=128", "--machine",
                              "h200x2", "h200x4", "--repeat", "2", "--jobs", jobs, "--csv",
                              folder.path("c"), "--json", folder.path("j")});
    REQUIRE(said.code == 0);
    tables.insert(said.out);
    csvs.insert(contents(folder.path("c")));
    jsons.insert(contents(folder.path("j")));
  }
  CHECK(tables.size() == 1);
  CHECK(csvs.size() == 1);
  CHECK(jsons.size() == 1);
}

TEST_CASE("the table is sorted by makespan, and repetitions show their range") {
  const Said said =
      parley({"compare", "cholesky:tiles=4,tile=512", "--machine", "h200x2", "--repeat", "2",
              "--policy", "mapper=round_robin,window=1", "--policy", "mapper=earliest_finish"});
  REQUIRE(said.code == 0);
  CHECK(has(said.out, "range"));
  CHECK(has(said.out, "same"));  // neither of the two draws random numbers
  CHECK(said.out.find("mapper=earliest_finish") < said.out.find("mapper=round_robin"));
}

TEST_CASE("a line of the CSV has a cell for every column, also where a run failed") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", pairs_workload());
  const Said said = parley({"compare", workload, "--machine", "h200x1", "h200x2", "--policy",
                            "mapper=parla:generation=2,evict=lru", "--csv", folder.path("c.csv")});
  CHECK(said.code == 2);  // there is no gpu:1 in h200x1
  CHECK(has(said.out, "failed"));
  std::istringstream lines(contents(folder.path("c.csv")));
  std::set<std::size_t> counts;
  std::size_t line_count = 0;
  for (std::string line; std::getline(lines, line); ++line_count) {
    std::size_t cells = 1;
    bool is_quoted = false;
    for (const char c : line) {
      if (c == '"') is_quoted = !is_quoted;
      if (c == ',' && !is_quoted) ++cells;
    }
    counts.insert(cells);
  }
  CHECK(line_count == 3);
  CHECK(counts.size() == 1);
}

}  // namespace
}  // namespace parley::cli
