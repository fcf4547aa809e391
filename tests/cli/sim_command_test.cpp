#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/cli/command_line.h"

namespace parley::cli {
namespace {

using Json = nlohmann::json;

const std::string kLessons = std::string(PARLEY_SOURCE_DIR) + "/workloads/lessons/";

TEST_CASE("tutorial 15 prints the lesson's overview") {
  const Said said = parley({"sim", kLessons + "tutorial_04/15_prefetched_data_movement.json",
                            "--machine", "h200x1", "--overview"});
  REQUIRE(said.code == 0);
  CHECK(has(said.out,
            "Task(global_1)  running on  GPUEnvironment(GPU:0)\n"
            "---Overview of PArray\n"
            "ID: 0, Name: A, Parent_ID: None, Slice: None, Bytes: 40, Owner: GPU 0\n"
            "At GPU 0: state: SHARED\n"
            "At CPU: state: SHARED\n"
            "---End of Overview\n"));
}

TEST_CASE("tutorial 16 prints the lesson's overviews") {
  const Said said = parley({"sim", kLessons + "tutorial_04/16_write_invalidation.json", "--machine",
                            "h200x1", "--overview"});
  REQUIRE(said.code == 0);
  const std::string head =
      "---Overview of PArray\n"
      "ID: 0, Name: A, Parent_ID: None, Slice: None, Bytes: 40, Owner: GPU 0\n";
  CHECK(has(said.out,
            "Task(T_0)  running on  GPUEnvironment(GPU:0)\n" + head +
                "At GPU 0: state: SHARED\nAt CPU: state: SHARED\n---End of Overview\n"
                "Task(T_1)  running on  GPUEnvironment(GPU:0)\n" +
                head +
                "At GPU 0: state: MODIFIED\nAt CPU: state: INVALID\n---End of Overview\n"
                "Task(T_2)  running on  GPUEnvironment(GPU:0)\n" +
                head + "At GPU 0: state: MODIFIED\nAt CPU: state: INVALID\n---End of Overview\n"));
}

TEST_CASE("lesson 6 prints where copies of A are") {
  const Said said = parley(
      {"sim", kLessons + "lesson_06/05_read_only.json", "--machine", "h200x4", "--overview"});
  REQUIRE(said.code == 0);
  CHECK(has(said.out, "{0: valid, 1: None, 2: None, 3: None, -1: valid}\n"));
}

TEST_CASE("what an eviction on request shows is printed where it happens") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", R"({
    "format": "parley-workload", "version": 1, "name": "evict", "dependencies": "explicit",
    "arrays": [{"name": "A", "shape": [6], "init": {"fill": 1}}],
    "tasks": [{"name": "a", "placement": "gpu:1", "inout": ["A"]},
              {"name": "E", "after": ["a"], "evict": "A", "space": "gpu1", "show": ["A"]},
              {"name": "b", "after": ["E"], "placement": "gpu:0", "in": ["A"],
               "show": [{"array": "A", "values": false}]}]})");
  const Said said = parley({"sim", workload, "--machine", "h200x2", "--overview"});
  CAPTURE(said.err);
  REQUIRE(said.code == 0);
  const std::string head =
      "---Overview of PArray\n"
      "ID: 0, Name: A, Parent_ID: None, Slice: None, Bytes: 48, Owner: ";
  CHECK(
      has(said.out,
          "Task(a)  running on  GPUEnvironment(GPU:1)\n"
          "Task(E)  evicts A from gpu1\n" +
              head +
              "CPU\nAt GPU 0: state: INVALID\nAt GPU 1: state: INVALID\nAt CPU: state: MODIFIED\n"
              "---End of Overview\n"
              "Task(b)  running on  GPUEnvironment(GPU:0)\n" +
              head +
              "GPU 0\nAt GPU 0: state: SHARED\nAt GPU 1: state: INVALID\nAt CPU: state: SHARED\n"));
  const Said explained = parley({"explain", workload, "--machine", "h200x2", "--task", "E"});
  CHECK(has(explained.out, "evicts A from gpu1"));
}

TEST_CASE("a summary has every key of the format") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", lesson_workload());
  const std::string summary = folder.path("s.json");
  REQUIRE(parley({"sim", workload, "--machine", "h200x1", "--summary", summary}).code == 0);
  const Json json = Json::parse(contents(summary));
  CHECK(json["format"] == "parley-summary");
  CHECK(json["version"] == 1);
  CHECK(json["workload"] == "increment");
  CHECK(json["machine"] == "h200x1");
  CHECK(json["mode"] == "sim");
  CHECK(json["seed"] == 1);
  CHECK(json["policies"]["mapper"] == "earliest_finish");
  CHECK(json["policies"].size() == 5);
  CHECK(json["bounds_ns"].size() == 3);
  CHECK(json["copies"] == 1);
  CHECK(json["evictions"] == 0);
  CHECK(json["written_back_bytes"] == 0);
  CHECK(json["bytes_copied"] == Json{{"host->gpu0", 40}});
  CHECK(json["peak_bytes"]["gpu0"].get<std::int64_t>() >= 40);
  CHECK(json["busy"]["gpu:0"].get<double>() > 0.0);
  CHECK(json["busy"]["gpu:0"].get<double>() <= 1.0);
  CHECK(!json.contains("wall_s"));
}

TEST_CASE("the rows of a summary say what ran and what moved, in order") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", lesson_workload());
  const std::string summary = folder.path("s.json");
  REQUIRE(parley({"sim", workload, "--machine", "h200x1", "--summary", summary}).code == 0);
  const Json json = Json::parse(contents(summary));
  REQUIRE(json["tasks"].size() == 3);
  const std::int64_t makespan = json["makespan_ns"].get<std::int64_t>();
  for (std::size_t i = 0; i < 3; ++i) {
    const Json& row = json["tasks"][i];
    REQUIRE(row.size() == 4);
    CHECK(row[0] == "T[" + std::to_string(i) + "]");
    CHECK(row[1] == "gpu:0");
    CHECK(row[3].get<std::int64_t>() - row[2].get<std::int64_t>() >= 1000);
    CHECK(row[3].get<std::int64_t>() <= makespan);
  }
  REQUIRE(json["copy_list"].size() == 1);
  const Json& copy = json["copy_list"][0];
  CHECK(copy.size() == 6);
  CHECK(copy[0] == "A[0:5]");
  CHECK(copy[1] == "host");
  CHECK(copy[2] == "gpu0");
  CHECK(copy[3] == 40);
  CHECK(copy[5].get<std::int64_t>() <= json["tasks"][0][2].get<std::int64_t>());
  CHECK(json["copy_reasons"].size() == 1);
  REQUIRE(json["overviews"].size() == 3);
  CHECK(json["overviews"][1]["after"] == "T[1]");
  CHECK(json["overviews"][1]["array"] == "A");
  CHECK(has(json["overviews"][1]["text"], "At GPU 0: state: MODIFIED\nAt CPU: state: INVALID\n"));
}

TEST_CASE("a brief summary leaves out the lists; timing adds the only part that varies") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", lesson_workload());
  REQUIRE(
      parley({"sim", workload, "--summary", folder.path("s.json"), "--summary-brief", "--timing"})
          .code == 0);
  const Json json = Json::parse(contents(folder.path("s.json")));
  CHECK(!json.contains("tasks"));
  CHECK(!json.contains("copy_list"));
  CHECK(json["overviews"].size() == 3);
  CHECK(json["wall_s"]["load"].get<double>() >= 0.0);
  CHECK(json["wall_s"]["run"].get<double>() >= 0.0);
}

TEST_CASE("--states adds states that begin at the start and never go back in time") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", lesson_workload());
  REQUIRE(parley({"sim", workload, "--machine", "h200x1", "--states", "--summary",
                  folder.path("s.json")})
              .code == 0);
  const Json json = Json::parse(contents(folder.path("s.json")));
  REQUIRE(json["states"].size() >= 3);
  std::int64_t last = 0;
  std::map<std::string, std::string> at_end;
  for (const Json& row : json["states"]) {
    REQUIRE(row.size() == 5);
    CHECK(row[0] == "A");
    CHECK(row[4].get<std::int64_t>() >= last);
    last = row[4].get<std::int64_t>();
    at_end[row[1]] = row[2];
  }
  CHECK(at_end == std::map<std::string, std::string>{{"host", "INVALID"}, {"gpu0", "MODIFIED"}});
  REQUIRE(!json["residency"].empty());
  CHECK(json["residency"][0].size() == 3);
}

TEST_CASE("the same run gives the same bytes") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", pairs_workload());
  std::set<std::string> summaries, traces, journals, reports;
  for (const std::string n : {"1", "2"}) {
    const Said said = parley({"sim", workload, "--summary", folder.path("s" + n), "--trace",
                              folder.path("t" + n), "--journal", folder.path("j" + n), "--states"});
    REQUIRE(said.code == 0);
    reports.insert(said.out);
    summaries.insert(contents(folder.path("s" + n)));
    traces.insert(contents(folder.path("t" + n)));
    journals.insert(contents(folder.path("j" + n)));
  }
  CHECK(reports.size() == 1);
  CHECK(summaries.size() == 1);
  CHECK(traces.size() == 1);
  CHECK(journals.size() == 1);
}

/// Slices of one track of a trace, to check that they nest.
using Slices = std::map<std::pair<int, int>, std::vector<std::pair<double, double>>>;

TEST_CASE("a trace has a named track for devices, engines and links, and arrows between slices") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", pairs_workload());
  REQUIRE(parley({"sim", workload, "--trace", folder.path("t.json"), "--summary",
                  folder.path("s.json")})
              .code == 0);
  const Json trace = Json::parse(contents(folder.path("t.json")));
  const Json summary = Json::parse(contents(folder.path("s.json")));
  std::set<std::string> names;
  std::map<std::string, std::size_t> phases;
  Slices slices;
  for (const Json& event : trace["traceEvents"]) {
    ++phases[event["ph"]];
    if (event["ph"] == "M" && event["name"] == "thread_name") names.insert(event["args"]["name"]);
    if (event["ph"] != "X") continue;
    slices[{event["pid"], event["tid"]}].emplace_back(event["ts"], event["dur"]);
  }
  CHECK(names.contains("gpu:1"));
  CHECK(std::any_of(names.begin(), names.end(),
                    [](const std::string& name) { return name.find("host->gpu") == 0; }));
  const std::size_t rows = summary["tasks"].size() + summary["copy_list"].size();
  CHECK(phases["X"] >= rows);
  CHECK(phases["s"] == phases["f"]);
  CHECK(phases["s"] >= 1);
  CHECK(phases["C"] >= 1);
  for (auto& [track, list] : slices) {
    std::sort(list.begin(), list.end());
    for (std::size_t i = 1; i < list.size(); ++i) {
      CHECK(list[i - 1].first + list[i - 1].second <= list[i].first + 1e-9);
    }
  }
}

TEST_CASE("files that cannot be written are told before the run, and nothing is left") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", lesson_workload());
  const Said said = parley(
      {"sim", workload, "--summary", folder.path("none/s.json"), "--trace", folder.path("t.json")});
  CHECK(said.code == 2);
  CHECK(said.out.empty());
  CHECK(has(said.err, "none/s.json: cannot be written: No such file or directory"));
  CHECK(folder.names() == std::vector<std::string>{"w.json"});
}

TEST_CASE("a full disk ends in exit code 4") {
  if (!std::filesystem::exists("/dev/full")) return;  // no such device on this system
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", lesson_workload());
  for (const char* option : {"--summary", "--trace", "--journal"}) {
    const Said said = parley({"sim", workload, option, "/dev/full"});
    CHECK(said.code == 4);
    CHECK(has(said.err, "/dev/full: cannot be written"));
  }
}

TEST_CASE("outputs do not overwrite inputs or each other") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", lesson_workload());
  CHECK(has(parley({"sim", workload, "--summary", workload}).err, "is an input of this run"));
  const Said said =
      parley({"sim", workload, "--summary", folder.path("x"), "--trace", folder.path("x")});
  CHECK(said.code == 2);
  CHECK(has(said.err, "is also the file of --summary"));
  CHECK(contents(workload) == lesson_workload());
}

TEST_CASE("- writes a file to standard output, without the report") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", lesson_workload());
  const Said said = parley({"sim", workload, "--summary", "-"});
  REQUIRE(said.code == 0);
  CHECK(Json::parse(said.out)["format"] == "parley-summary");
}

TEST_CASE("a data race is a fault that names both tasks, the region and the way out") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("race.json", R"({
    "format": "parley-workload", "version": 1, "name": "race", "dependencies": "explicit",
    "arrays": [{"name": "A", "shape": [4], "init": {"fill": 0}}],
    "tasks": [{"name": "T[0]", "out": ["A[0:3]"]}, {"name": "T[1]", "in": ["A[2:4]"]}]})");
  for (const char* command : {"sim", "compare", "check"}) {
    const Said said = parley({command, workload});
    CAPTURE(command);
    CHECK(said.code == 2);
    const std::string text = said.out + said.err;
    for (const char* part : {"T[0]", "T[1]", "A[2:4]", "A[0:3]", "A[2:3]", "\"both\""}) {
      CHECK(has(text, part));
    }
  }
}

TEST_CASE("a working set that fits nowhere is a fault with both figures") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", R"({
    "format": "parley-workload", "version": 1, "name": "big",
    "arrays": [{"name": "A", "shape": [1048576], "init": {"fill": 0}}],
    "tasks": [{"name": "T[0]", "placement": "gpu", "inout": ["A"]}]})");
  const Said said = parley({"sim", workload, "--limit", "gpu=1MiB"});
  CHECK(said.code == 2);
  CHECK(has(said.err, "8388608"));
  CHECK(has(said.err, "1048576"));
}

TEST_CASE("evictions and thrashing show in a small memory, and every rule holds") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", pairs_workload());
  const Said said = parley(
      {"sim", workload, "--limit", "gpu=2100kB", "--check", "--summary", folder.path("s.json")});
  REQUIRE(said.code == 0);
  const Json json = Json::parse(contents(folder.path("s.json")));
  CHECK(json["evictions"].get<int>() > 0);
  CHECK(json["peak_bytes"]["gpu1"].get<std::int64_t>() <= 2100000);
}

TEST_CASE("the report says what a person asks first") {
  const Said said = parley({"sim", "cholesky:tiles=4,tile=512", "--machine", "h200x2", "--timing"});
  REQUIRE(said.code == 0);
  for (const char* part : {"Workload", "Machine   h200x2", "Makespan", "above the lower bound of",
                           "Copies", "written back", "gpu:1", "busy", "Wall time"}) {
    CHECK(has(said.out, part));
  }
}

TEST_CASE("the host may have any name: what lives on \"host\" lives there") {
  const TemporaryFolder folder;
  std::string text = contents(std::string(PARLEY_SOURCE_DIR) + "/workloads/machines/h200x4.json");
  for (const auto& [from, to] :
       {std::pair(R"({"name": "host",)", R"({"name": "ram", "host": true,)"),
        std::pair(R"("space": "host")", R"("space": "ram")")}) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, std::string(from).size(), to);
  }
  const std::string machine = folder.file("ram.json", text);
  const Said plain = parley({"sim", "cholesky:tiles=4", "-m", "h200x4"});
  const Said renamed = parley({"sim", "cholesky:tiles=4", "-m", machine});
  REQUIRE_MESSAGE(renamed.code == 0, renamed.err);
  const auto makespan = [](const std::string& out) {
    return out.substr(out.find("Makespan"), out.find('\n', out.find("Makespan")));
  };
  CHECK(makespan(renamed.out).substr(0, 40) == makespan(plain.out).substr(0, 40));
  CHECK(has(renamed.out, "ram->gpu0"));
  CHECK(parley({"sim", "cholesky:tiles=4", "-m", machine, "--limit", "host=1MiB"}).err ==
        "space \"ram\": the home slots of all arrays take 335544320 bytes; it has 1048576 bytes\n");
  // Both names of one memory in a list of homes: it holds one replica.
  const std::string twice = folder.file("w.json", R"({"format": "parley-workload", "version": 1,
      "name": "w", "arrays": [{"name": "A", "bytes": 1024, "init": {"fill": 1},
                               "home": ["gpu0", "host", "ram"]}],
      "tasks": [{"name": "t", "placement": "gpu:0", "in": ["A"], "cost": {"ns": 5}}]})");
  const Said once = parley({"sim", twice, "-m", machine, "--summary", folder.path("s.json")});
  CHECK(once.code == 0);
  CHECK(Json::parse(contents(folder.path("s.json")))["peak_bytes"]["ram"] == 1024);
  const Said wrong = parley({"sim", "cholesky:tiles=4,home=block_cyclic,gpus=8", "-m", machine});
  CHECK(wrong.code == 2);
  CHECK(has(wrong.err,
            "array \"A_1_0\" and 1 more array: home \"gpu4\": machine \"h200x4\" has no "
            "such space; it has ram, gpu0, gpu1, gpu2, gpu3\n"));
}

TEST_CASE("what takes too long to simulate is refused, with what it is; the journal is kept") {
  const TemporaryFolder folder;
  const auto workload = [&](const std::string& arrays, const std::string& tasks) {
    return folder.file("long.json", R"({"format": "parley-workload", "version": 1, "name": "long",
        "arrays": [)" + arrays + R"(], "tasks": [)" +
                                        tasks + "]}");
  };
  const std::string one = R"({"name": "A", "bytes": 8, "init": {"fill": 1}})";
  const auto chain = [&](int count, const char* cost) {
    std::string tasks;
    for (int i = 0; i < count; ++i) {
      tasks += (i > 0 ? "," : "") + std::string(R"({"name": "t)") + std::to_string(i) +
               R"(", "placement": "gpu:0", "inout": ["A"], "cost": {)" + cost + "}}";
    }
    return workload(one, tasks);
  };
  const Said longest = parley({"sim", chain(3, R"("ns": 1000000000000000)"), "-m", "h200x1"});
  CHECK(longest.code == 0);
  CHECK(longest.err == "");
  const Said beyond = parley({"sim", chain(10000, R"("ns": 1000000000000000)"), "-m", "h200x1",
                              "--journal", folder.path("j.jsonl")});
  CHECK(beyond.code == 2);
  const std::string why =
      "workload \"long\": takes more than 1e9 s of simulated time on machine "
      "\"h200x1\": tasks too long, or links too slow";
  CHECK(beyond.err == why + "\n");
  CHECK(has(contents(folder.path("j.jsonl")), "takes more than 1e9 s of simulated time"));
  const Said work =
      parley({"sim", chain(1, R"("flops": 1e300)"), "-m", "h200x1", "--noise", "normal:sigma=0.1"});
  CHECK(work.code == 2);
  CHECK(work.err ==
        "task \"t0\" on machine \"h200x1\": takes more than 1e6 s, the most that is simulated\n");

  const std::string machine = folder.file("slow.json", R"({"format": "parley-machine", "version": 1,
      "name": "slow", "spaces": [{"name": "host", "bytes": "1GiB"}, {"name": "m", "bytes": "1GiB"}],
      "devices": [{"name": "gpu:0", "class": "gpu", "space": "m"}],
      "resources": [{"name": "bus", "bytes_per_s": 1}],
      "routes": [{"from": "host", "to": "m", "via": ["bus"]},
                 {"from": "m", "to": "host", "via": ["bus"]}]})");
  const auto reading = [&](int bytes) {
    const std::string rest = R"(, "bytes": )" + std::to_string(bytes) + R"(, "init": {"fill": 1}})";
    return workload(R"({"name": "A")" + rest + R"(, {"name": "B")" + rest,
                    R"({"name": "t", "placement": "gpu", "in": ["A", "B"], "cost": {"ns": 0}})");
  };
  // Each alone takes less than what is too long; of both together nothing is cut.
  const Said both = parley({"sim", reading(900000), "-m", machine});
  CHECK(both.code == 0);
  CHECK(has(both.out, "Makespan  1800000 s, 0.0% above the lower bound"));
  const Said copy =
      parley({"sim", reading(1100000), "-m", machine, "--journal", folder.path("k.jsonl")});
  CHECK(copy.code == 2);
  CHECK(copy.err ==
        "copy of 1100000 bytes from \"host\" to \"m\" of machine \"slow\": takes more than "
        "1e6 s, the most that is simulated\n");
  CHECK(has(contents(folder.path("k.jsonl")), "takes more than 1e6 s"));
  // A run that could not begin has no journal.
  CHECK(parley({"sim", chain(1, R"("ns": 1)"), "-m", machine, "--limit", "m=4", "--journal",
                folder.path("none.jsonl")})
            .code == 2);
  CHECK_FALSE(std::filesystem::exists(folder.path("none.jsonl")));
}

}  // namespace
}  // namespace parley::cli
