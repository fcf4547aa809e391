#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/cli/command_line.h"

namespace parley::cli {
namespace {

using Json = nlohmann::json;

const std::string kWorkload = "cholesky:tiles=4,tile=256";

/// Duration by task, from a summary.
std::map<std::string, std::int64_t> durations(const std::string& summary) {
  std::map<std::string, std::int64_t> by_task;
  const Json json = Json::parse(summary);
  for (const Json& row : json["tasks"]) {
    by_task[row[0]] = row[3].get<std::int64_t>() - row[2].get<std::int64_t>();
  }
  return by_task;
}

Said simulate(const std::string& workload, std::vector<std::string> options) {
  options.insert(options.begin(), {"sim", workload, "--machine", "h200x2"});
  return parley(options);
}

TEST_CASE("tasks take what they took in a run, whatever the policies: a journal or a summary") {
  const TemporaryFolder folder;
  REQUIRE(simulate(kWorkload, {"--noise", "lognormal:sigma=0.5", "--journal", folder.path("j"),
                               "--summary", folder.path("s")})
              .code == 0);
  const auto recorded = durations(contents(folder.path("s")));
  REQUIRE(recorded.size() == 20);
  for (const char* file : {"j", "s"}) {
    const Said said = simulate(
        kWorkload, {"--durations", folder.path(file), "--mapper", "round_robin", "--summary", "-"});
    REQUIRE(said.code == 0);
    CHECK(said.err.empty());
    CHECK(durations(said.out) == recorded);
  }
  CHECK(durations(simulate(kWorkload, {"--summary", "-"}).out) != recorded);
}

TEST_CASE("how long the host decided is said where the machine states what it takes") {
  const TemporaryFolder folder;
  const auto machine = [&](const char* name, const char* decide) {
    return folder.file(name, R"({"format": "parley-machine", "version": 1, "name": "m",
      "spaces": [{"name": "host", "bytes": 1000000}, {"name": "gpu0", "bytes": 1000000}],
      "devices": [{"name": "gpu:0", "class": "gpu", "space": "gpu0"}],
      "routes": [{"from": "host", "to": "gpu0", "latency_ns": 10}, {"from": "gpu0", "to": "host", "latency_ns": 10}],
      "host": {)" + std::string(decide) +
                                 "}}");
  };
  const std::string workload = "serial:steps=10,overlap=shared,block=8,task_ns=2000";
  const auto simulated = [&](const std::string& file, std::vector<std::string> options) {
    options.insert(options.begin(), {"sim", workload, "--machine", file});
    const Said said = parley(options);
    CHECK_MESSAGE(said.code == 0, said.err);
    return said.out;
  };
  const std::string free = machine("free.json", "");
  CHECK_FALSE(has(simulated(free, {}), "decides"));
  CHECK_FALSE(Json::parse(simulated(free, {"--summary", "-"})).contains("deciding_ns"));
  const std::string busy = machine("busy.json", R"("decide_command_ns": 500)");
  const Json json = Json::parse(simulated(busy, {"--summary", "-"}));
  const auto commands = json["commands"].get<std::int64_t>();
  CHECK(commands >= 10);
  CHECK(json["deciding_ns"] == 500 * commands);
  CHECK(has(simulated(busy, {}), " of the makespan), 500 ns a command\n"));
}

TEST_CASE("a slower host makes runs longer, and the summary says so") {
  const auto makespan = [](const Json& summary) {
    return summary["makespan_ns"].get<std::int64_t>();
  };
  const std::string workload = "serial:chains=2,steps=20,block=64,task_ns=1000";
  const Json plain = Json::parse(simulate(workload, {"--summary", "-"}).out);
  const Json same = Json::parse(simulate(workload, {"--host-slowdown", "1", "--summary", "-"}).out);
  const Json slow =
      Json::parse(simulate(workload, {"--host-slowdown", "2.5", "--summary", "-"}).out);
  CHECK(plain == same);
  CHECK(makespan(slow) > makespan(plain));
  CHECK(slow["model"]["host_slowdown"] == "2.5");
  for (const char* wrong : {"0", "-1", "1000", "nan"}) {
    const Said said = simulate(workload, {"--host-slowdown", wrong});
    CHECK(said.code == 2);
    CHECK(has(said.err, "--host-slowdown: found"));
    CHECK(has(said.err, "allowed: 0.01 to 100"));
  }
}

TEST_CASE("a run for real feeds the simulator with what it measured") {
  const TemporaryFolder folder;
  REQUIRE(parley({"exec", kWorkload, "--backend", "host", "--journal", folder.path("j"),
                  "--summary", folder.path("s")})
              .code == 0);
  const Said said = simulate(kWorkload, {"--durations", folder.path("j"), "--summary", "-"});
  REQUIRE(said.code == 0);
  CHECK(durations(said.out) == durations(contents(folder.path("s"))));
}

TEST_CASE("tasks that the file does not tell of are counted, and take what the model says") {
  const TemporaryFolder folder;
  REQUIRE(simulate(kWorkload, {"--summary", folder.path("s")}).code == 0);
  const Said said = simulate("cholesky:tiles=5,tile=256",
                             {"--durations", folder.path("s"), "--summary", folder.path("t")});
  CHECK(said.code == 0);
  CHECK(has(said.err, "warning: 15 of 35 tasks are not in " + folder.path("s") +
                          " (the first is trsm[4,0]): they take what the cost model says"));
}

TEST_CASE("a duration of another kind of device is not taken") {
  const TemporaryFolder folder;
  const auto workload = [](const char* placement) {
    return std::string(R"({"format": "parley-workload", "version": 1, "name": "w", "tasks": [
        {"name": "t", "placement": ")") +
           placement + R"(", "cost": {"gpu": {"ns": 1000}, "cpu": {"ns": 9000}}}]})";
  };
  const std::string on_cpu = folder.file("c.json", workload("cpu"));
  const std::string on_gpu = folder.file("g.json", workload("gpu"));
  REQUIRE(simulate(on_cpu, {"--summary", folder.path("s")}).code == 0);
  const Said said = simulate(on_gpu, {"--durations", folder.path("s"), "--summary", "-"});
  REQUIRE(said.code == 0);
  CHECK(durations(said.out)["t"] == 1000);
}

TEST_CASE("what is no record of durations is refused, with what is wrong") {
  const TemporaryFolder folder;
  REQUIRE(simulate(kWorkload, {"--summary", folder.path("brief"), "--summary-brief"}).code == 0);
  REQUIRE(simulate(kWorkload, {"--journal", folder.path("journal")}).code == 0);
  const std::string journal = contents(folder.path("journal"));
  const std::string idle = folder.file("idle.json", R"({
      "format": "parley-workload", "version": 1, "name": "w", "arrays": [],
      "tasks": [{"name": "t", "placement": "gpu", "cost": {"ns": 0}}]})");
  REQUIRE(simulate(idle, {"--journal", folder.path("untimed")}).code == 0);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {folder.path("absent"), "cannot be read: No such file or directory"},
      {folder.file("empty", ""), "is empty"},
      {folder.file("text", "hello"), "expected a journal or a run summary"},
      {folder.file("other", R"({"format": "parley-workload", "version": 1})"),
       "expected a journal or a run summary"},
      {folder.file("cut", journal.substr(0, journal.size() - 9)), "the journal is cut off here"},
      {folder.file("start", journal.substr(0, journal.find('\n') + 1)),
       "tells of no task that has ended"},
      {folder.path("brief"), "lists no tasks: it was written with --summary-brief"},
      {folder.path("untimed"), "the run was not timed"}};
  for (const auto& [path, what] : cases) {
    const std::string expected = what;
    CAPTURE(expected);
    const Said said = simulate(kWorkload, {"--durations", path});
    CHECK(said.code == 2);
    CHECK(has(said.err, "--durations " + path));
    CHECK(has(said.err, expected));
  }
}

TEST_CASE("a task that took less than no time, or longer than any may, is refused with its place") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", R"({
      "format": "parley-workload", "version": 1, "name": "w", "arrays": [],
      "tasks": [{"name": "t", "placement": "gpu", "cost": {"ns": 1000}}]})");
  REQUIRE(simulate(workload, {"--journal", folder.path("j"), "--summary", folder.path("s")}).code ==
          0);
  const std::string journal = contents(folder.path("j"));
  const Json summary = Json::parse(contents(folder.path("s")));
  const Json start = summary["tasks"][0][2];
  const Json end = summary["tasks"][0][3];
  const std::string times = "\"start\":" + start.dump() + ",\"end\":" + end.dump();
  const std::size_t at = journal.find(times);
  REQUIRE(at != std::string::npos);
  const std::string line = std::to_string(
      1 + std::count(journal.begin(), journal.begin() + static_cast<long>(at), '\n'));
  const std::vector<std::pair<Json, Json>> cases = {
      {5, 4},
      {0, 1'000'000'000'000'001},
      {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()},
      {0, std::numeric_limits<std::uint64_t>::max()},
      {0, 0.5},
      {0, "soon"}};
  for (const auto& [from, to] : cases) {
    Json changed = summary;
    changed["tasks"][0][2] = from;
    changed["tasks"][0][3] = to;
    std::string text = journal;
    text.replace(at, times.size(), "\"start\":" + from.dump() + ",\"end\":" + to.dump());
    const std::string found = "task \"t\": found start " + from.dump() + ", end " + to.dump() +
                              "; allowed: integers, the end 0 to 1000000000000000 ns after";
    const Said by_summary = simulate(workload, {"--durations", folder.file("a", changed.dump())});
    CHECK(by_summary.code == 2);
    CHECK_MESSAGE(has(by_summary.err, "/a: tasks[0]: " + found), by_summary.err);
    const Said by_journal = simulate(workload, {"--durations", folder.file("b", text)});
    CHECK(by_journal.code == 2);
    CHECK_MESSAGE(has(by_journal.err, "/b: line " + line + ": " + found), by_journal.err);
  }
  Json longest = summary;
  longest["tasks"][0][2] = 0;
  longest["tasks"][0][3] = 1'000'000'000'000'000;
  CHECK(simulate(workload, {"--durations", folder.file("c", longest.dump())}).code == 0);
}

TEST_CASE("noise that is no distribution is refused by every command that takes it") {
  for (const char* command : {"sim", "compare", "explain"}) {
    std::vector<std::string> words = {command,    kWorkload,      "--noise",
                                      "gaussian", "--copy-noise", "pareto:alpha=0"};
    if (words[0] == "explain") words.insert(words.end(), {"--task", "potrf[0]"});
    const Said said = parley(words);
    CHECK(said.code == 2);
    CHECK(has(said.err, R"(--noise: unknown distribution "gaussian"; allowed: normal)"));
    CHECK(has(said.err, "--copy-noise: alpha=0; allowed: a number from 1.1 to 1000"));
  }
}

TEST_CASE("every repetition is the run of its seed, and the spread is that of the rows") {
  const TemporaryFolder folder;
  REQUIRE(parley({"compare", kWorkload, "--machine", "h200x2", "--noise", "lognormal:sigma=0.3",
                  "--copy-noise", "normal", "--repeat", "5", "--seed", "3", "--policy",
                  "mapper=round_robin", "--json", folder.path("rows")})
              .code == 0);
  const Json json = Json::parse(contents(folder.path("rows")));
  REQUIRE(json["rows"].size() == 5);
  std::vector<std::int64_t> makespans;
  for (std::size_t i = 0; i < 5; ++i) {
    const Json& row = json["rows"][i];
    CHECK(row["seed"] == 3 + i);
    const Said alone =
        simulate(kWorkload, {"--noise", "lognormal:sigma=0.3", "--copy-noise", "normal", "--mapper",
                             "round_robin", "--seed", std::to_string(3 + i), "--summary", "-"});
    CHECK(Json::parse(alone.out)["makespan_ns"] == row["makespan_ns"]);
    makespans.push_back(row["makespan_ns"].get<std::int64_t>());
  }
  std::ranges::sort(makespans);
  CHECK(makespans.front() < makespans.back());
  REQUIRE(json["settings"].size() == 1);
  const Json& spread = json["settings"][0]["makespan_ns"];
  CHECK(json["settings"][0]["runs"] == 5);
  CHECK(spread["least"] == makespans[0]);
  CHECK(spread["first_quartile"] == makespans[1]);
  CHECK(spread["median"] == makespans[2]);
  CHECK(spread["third_quartile"] == makespans[3]);
  CHECK(spread["most"] == makespans[4]);
}

TEST_CASE("files and report say where durations come from, and nothing where nothing is special") {
  const TemporaryFolder folder;
  const Said said =
      parley({"sim", kWorkload, "--machine", "h200x2", "--noise", "normal", "--copy-noise",
              "pareto:alpha=4", "--power", "--summary", folder.path("s")});
  REQUIRE(said.code == 0);
  CHECK(has(said.out, "Model     noise normal:sigma=0.1, copy_noise pareto:alpha=4, power on"));
  const Json expected = {
      {"noise", "normal:sigma=0.1"}, {"copy_noise", "pareto:alpha=4"}, {"power", "on"}};
  CHECK(Json::parse(contents(folder.path("s")))["model"] == expected);
  const Said plain = simulate(kWorkload, {"--summary", folder.path("s")});
  CHECK_FALSE(has(plain.out, "Model"));
  CHECK_FALSE(Json::parse(contents(folder.path("s"))).contains("model"));
}

TEST_CASE("power counts when it is asked for, and a machine without it says so") {
  const Said said = parley({"sim", kWorkload, "--machine", "pcie4", "--power"});
  CHECK(said.code == 0);
  CHECK(has(said.err, R"(warning: --power: machine "pcie4" states no "power")"));
}

}  // namespace
}  // namespace parley::cli
