// The same bytes whatever built parley: digests of summaries and journals are compared with those
// in digests.txt, which g++ and clang, with and without optimisation, must all give. Whoever
// changes results or their format on purpose copies the lines that this test prints there.
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli/journal/digest.h"
#include "tests/cli/command_line.h"

namespace parley::cli {
namespace {

/// Rates and times that no power of two divides, limits that several copies share, and a curve:
/// what rounding could tell apart.
const char* const kMachine = R"({
 "format": "parley-machine", "version": 1, "name": "uneven",
 "spaces": [{"name": "host", "bytes": "8GiB", "host": true}],
 "devices": [{"name": "cpu", "class": "cpu", "space": "host", "slots": 3,
              "flops_per_s": {"float64": 3.3e10}, "bytes_per_s": 1.7e10}],
 "gpus": {"count": 4, "bytes": "1GiB", "flops_per_s": {"float64": 7.1e12},
          "bytes_per_s": 9.1e11, "launch_ns": 1900},
 "links": [{"type": "nvswitch", "spaces": "gpus", "latency_ns": 2710, "bytes_per_s": 1.37e11},
           {"type": "pcie", "spaces": "gpus",
            "to_device": {"latency_ns": 2410, "bytes_per_s": 2.39e10},
            "from_device": {"latency_ns": 2130, "bytes_per_s": 2.21e10}}],
 "host": {"issue_copy_ns": 1370, "issue_launch_ns": 2110, "round_trip_ns": 7013, "decide_ns": 17}
})";

struct Run {
  std::string name;
  std::vector<std::string> words;
};

const std::vector<Run> kRuns = {
    {"roomy", {"cholesky:tiles=14,tile=512"}},
    {"evicting", {"cholesky:tiles=12,tile=512", "--limit", "gpu=24MiB", "--evict", "next_use"}},
    {"host", {"cholesky:tiles=10,tile=64", "--window", "1"}},
    {"random", {"random:levels=20,width=20,seed=7", "--mapper", "parla", "--order", "fifo"}},
    {"stencil", {"stencil", "--source", "owner", "--window", "unlimited"}},
};

/// "SUMMARY JOURNAL" by name, as hexadecimal digests.
std::map<std::string, std::string> expected_digests() {
  std::ifstream file(std::string(PARLEY_SOURCE_DIR) + "/tests/cli/digests.txt");
  std::map<std::string, std::string> digests;
  std::string name, summary, journal;
  while (file >> name >> summary >> journal) digests[name] = summary + " " + journal;
  return digests;
}

/// What was simulated, in the summary's own numbers; members that are added later change nothing.
std::string digest_of_summary(const std::string& text) {
  const nlohmann::json summary = nlohmann::json::parse(text);
  Digest digest;
  for (const char* key : {"makespan_ns", "bounds_ns", "bytes_copied", "peak_bytes", "busy", "tasks",
                          "copy_list", "states", "residency"}) {
    digest.add(summary.at(key).dump());
  }
  return digest.text();
}

/// Of all events and commands: the lines that say when.
std::string digest_of_journal(const std::string& text) {
  std::istringstream lines(text);
  Digest digest;
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("{\"now\":")) continue;
    digest.add(line);
    ++count;
  }
  CHECK(count > 10);
  return digest.text();
}

TEST_CASE("every build writes the same summaries and journals") {
  const TemporaryFolder folder;
  const std::string machine = folder.file("machine.json", kMachine);
  const std::map<std::string, std::string> expected = expected_digests();
  CHECK(expected.size() == kRuns.size());
  for (const Run& run : kRuns) {
    std::vector<std::string> words = {"sim",       "--machine",      machine,     "--states",
                                      "--summary", folder.path("s"), "--journal", folder.path("j")};
    words.insert(words.end(), run.words.begin(), run.words.end());
    const Said said = parley(words);
    REQUIRE_MESSAGE(said.code == 0, said.err);
    const std::string found = digest_of_summary(contents(folder.path("s"))) + " " +
                              digest_of_journal(contents(folder.path("j")));
    const auto known = expected.find(run.name);
    CHECK_MESSAGE((known != expected.end() && known->second == found),
                  "digests.txt would say: ", run.name, " ", found);
  }
}

}  // namespace
}  // namespace parley::cli
