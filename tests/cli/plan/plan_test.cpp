// Decisions of one run imposed on another.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/cli/command_line.h"

namespace parley::cli {
namespace {

using Json = nlohmann::json;

Json summary_of(const std::vector<std::string>& words, const TemporaryFolder& folder) {
  std::vector<std::string> all = words;
  all.insert(all.end(), {"--check", "--summary", folder.path("summary.json")});
  const Said said = parley(all);
  REQUIRE_MESSAGE(said.code == 0, said.err);
  return Json::parse(contents(folder.path("summary.json")));
}

/// Device by task, in order of starts.
std::vector<std::pair<std::string, std::string>> places(const Json& summary) {
  std::vector<std::pair<std::string, std::string>> places;
  for (const Json& row : summary["tasks"]) places.emplace_back(row[0], row[1]);
  return places;
}

TEST_CASE("under another run's journal, a machine of other speeds moves the same bytes by route") {
  // Overlapping regions, little memory, victims and sources that depend on times.
  const std::vector<std::vector<std::string>> runs = {
      {"cholesky:tiles=8,tile=256", "--limit", "gpu=4MiB"},
      {"jacobi:rows=256,columns=256,iterations=4", "--evict", "next_use", "--evict-idle-only"},
      {"stencil:points=64,iterations=4", "--limit", "gpu=1MiB"},
      {"random:seed=3", "--limit", "gpu=600MiB", "--evict", "next_use"},
      {"map_reduce", "--limit", "gpu=600MiB", "--mapper", "parla"}};
  for (const std::vector<std::string>& run : runs) {
    CAPTURE(run[0]);
    const TemporaryFolder folder;
    std::vector<std::string> words = {"sim", "--machine", "h200x4", "--journal",
                                      folder.path("run.jsonl")};
    words.insert(words.end(), run.begin(), run.end());
    const Json first = summary_of(words, folder);
    words = {"sim",       run[0],
             "--machine", "a100x4",
             "--window",  "3",
             "--plan",    folder.path("run.jsonl"),
             "--journal", folder.path("again.jsonl")};
    if (run[1] == "--limit") words.insert(words.end(), {run[1], run[2]});
    const Json second = summary_of(words, folder);
    for (const char* key : {"bytes_copied", "evictions", "written_back_bytes"}) {
      CAPTURE(key);
      CHECK(first[key] == second[key]);
    }
    CHECK(first["makespan_ns"] != second["makespan_ns"]);
    // A journal of a run under a plan has all that its replay needs.
    CHECK(parley({"replay", folder.path("again.jsonl")}).code == 0);
  }
}

TEST_CASE("a summary tells where tasks go and in which order") {
  const TemporaryFolder folder;
  const Json first = summary_of({"sim", "qr:tiles=5,tile=256", "--machine", "h200x4", "--mapper",
                                 "round_robin", "--window", "1"},
                                folder);
  const std::string plan = folder.file("run.json", first.dump());
  const Json second = summary_of({"sim", "qr:tiles=5,tile=256", "--machine", "h200x4", "--window",
                                  "1", "--order", "strict:global=0", "--plan", plan},
                                 folder);
  CHECK(second["policies"]["mapper"] == "fixed");
  const auto by_device = [](const Json& summary) {
    std::map<std::string, std::vector<std::string>> tasks;
    for (const auto& [task, device] : places(summary)) tasks[device].push_back(task);
    return tasks;
  };
  CHECK(by_device(first) == by_device(second));
}

TEST_CASE("a summary's order holds what depends on another through an eviction") {
  const TemporaryFolder folder;
  // b starts before a, which waits for a large copy; what c reads is evicted after a has read it.
  const std::string workload = folder.file("w.json", R"({"format": "parley-workload", "version": 1,
    "name": "evicting",
    "arrays": [{"name": "A", "shape": [4096], "dtype": "uint8", "init": {"fill": 1}},
               {"name": "B", "shape": [400000000], "dtype": "uint8", "init": {"fill": 1}}],
    "tasks": [{"name": "a", "placement": "gpu:0", "in": ["A", "B"], "cost": {"ns": 1000}},
              {"name": "b", "placement": "cpu", "out": ["A"], "cost": {"ns": 1000}},
              {"evict": "A", "space": "gpu0"},
              {"name": "c", "placement": "cpu", "in": ["A"], "cost": {"ns": 1000}}]})");
  const Json first = summary_of({"sim", workload, "--machine", "h200x1"}, folder);
  const std::string plan = folder.file("run.json", first.dump());
  const Json second = summary_of({"sim", workload, "--machine", "h200x1", "--plan", plan}, folder);
  CHECK(places(second) == places(first));
  CHECK(second["makespan_ns"] == first["makespan_ns"]);
}

/// Two independent chains, a then b.
std::string two_chains() {
  return R"({"format": "parley-workload", "version": 1, "name": "chains",
    "arrays": [{"name": "x", "shape": [8], "dtype": "float64", "init": {"fill": 1}},
               {"name": "y", "shape": [8], "dtype": "float64", "init": {"fill": 1}}],
    "tasks": [{"name": "x1", "placement": "gpu", "inout": ["x"], "cost": {"ns": 100}},
              {"name": "x2", "placement": "gpu", "inout": ["x"], "cost": {"ns": 100}},
              {"name": "y1", "placement": "gpu", "inout": ["y"], "cost": {"ns": 100}},
              {"name": "y2", "placement": "gpu", "inout": ["y"], "cost": {"ns": 100}}]})";
}

std::string plan_of(const std::string& tasks) {
  return R"({"format": "parley-plan", "version": 1, "tasks": )" + tasks + "}";
}

TEST_CASE("a plan's order is kept, over all devices or on each") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", two_chains());
  const std::string plan = folder.file(
      "p.json", plan_of(R"([["y1", "gpu:0"], ["y2", "gpu:0"], ["x1", "gpu:1"], ["x2", "gpu:0"]])"));
  using Places = std::vector<std::pair<std::string, std::string>>;
  // With a window of 1, x1 is issued when y2 is, after y1 has ended; or at once.
  const auto run = [&](const std::string& order) {
    return places(summary_of({"sim", workload, "--machine", "h200x2", "--window", "1", "--prefetch",
                              "none", "--plan", plan, "--order", order},
                             folder));
  };
  CHECK(run("strict") ==
        Places{{"y1", "gpu:0"}, {"y2", "gpu:0"}, {"x1", "gpu:1"}, {"x2", "gpu:0"}});
  CHECK(run("strict:global=0") ==
        Places{{"y1", "gpu:0"}, {"x1", "gpu:1"}, {"y2", "gpu:0"}, {"x2", "gpu:0"}});
}

TEST_CASE("on_produce sends a datum to where its consumer will run before that is mapped") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", R"({"format": "parley-workload", "version": 1,
    "name": "early",
    "arrays": [{"name": "x", "shape": [1048576], "dtype": "float64"},
               {"name": "y", "shape": [8], "dtype": "float64"}],
    "tasks": [{"name": "make", "placement": "gpu", "out": ["x"], "cost": {"ns": 100}},
              {"name": "wait", "placement": "gpu", "out": ["y"], "cost": {"ns": 1000000000}},
              {"name": "use", "placement": "gpu", "in": ["x", "y"], "cost": {"ns": 100}}]})");
  const std::string plan =
      folder.file("p.json", plan_of(R"([["make", "gpu:0"], ["wait", "gpu:1"], ["use", "gpu:1"]])"));
  const auto copy_start = [&](const std::string& prefetch) {
    const Json summary = summary_of({"sim", workload, "--machine", "h200x2", "--window", "1",
                                     "--plan", plan, "--prefetch", prefetch},
                                    folder);
    REQUIRE(summary["copy_list"].size() == 1);
    return summary["copy_list"][0][4].get<std::int64_t>();
  };
  CHECK(copy_start("on_produce") < 1'000'000);
  CHECK(copy_start("none") >= 1'000'000'000);
}

TEST_CASE("a plan that cannot be followed says why") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", two_chains());
  const std::vector<std::pair<std::string, std::string>> cases = {
      {plan_of(R"([["x1", "gpu:0"], ["x2", "gpu:0"], ["y1", "gpu:0"], ["y3", "gpu:0"]])"),
       "tasks[3]: unknown task \"y3\"; did you mean"},
      {plan_of(R"([["x1", "gpu:0"], ["x2", "gpu:7"], ["y1", "gpu:0"], ["y2", "gpu:0"]])"),
       "tasks[1]: unknown device \"gpu:7\""},
      {plan_of(R"([["x1", "gpu:0"], ["x2", "cpu"], ["y1", "gpu:0"], ["y2", "gpu:0"]])"),
       "task \"x2\": the plan has it on cpu, where it may not run; allowed: gpu:0, gpu:1"},
      {plan_of(R"([["x1", "gpu:0"], ["y1", "gpu:0"]])"), "plan: lacks 2 tasks: \"x2\", \"y2\""},
      {plan_of(R"([["x1", "gpu:0"], ["x1", "gpu:0"], ["x2", "gpu:0"], ["y1", "gpu:0"],
                   ["y2", "gpu:0"]])"),
       "task \"x1\": is in the plan twice"},
      {plan_of(R"([["x2", "gpu:0"], ["x1", "gpu:0"], ["y1", "gpu:0"], ["y2", "gpu:0"]])"),
       "task \"x2\": comes in the plan before \"x1\", which it depends on"},
      {plan_of(R"([["x1"]])"), "tasks[0]: found [\"x1\"]; expected [task, device]"},
      {plan_of(R"([], "task": [])"), "task: unknown key; did you mean \"tasks\"?"},
      {R"({"format": "parley-plan", "version": 2, "tasks": []})", "version: found 2"},
      {R"({"format": "parley-workload"})", "found format \"parley-workload\"; allowed:"},
      {"not JSON", "is not JSON"}};
  for (const auto& [text, message] : cases) {
    const std::string& shown = text;  // clang 14 captures no structured bindings
    CAPTURE(shown);
    const Said said =
        parley({"sim", workload, "--machine", "h200x2", "--plan", folder.file("p.json", text)});
    CHECK(said.code == 2);
    CHECK_MESSAGE(has(said.err, message), said.err);
  }
}

TEST_CASE("numbers and boxes of a plan that mean nothing are refused, with what is allowed") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", two_chains());
  const std::string tasks =
      R"([["x1", "gpu:0"], ["x2", "gpu:0"], ["y1", "gpu:0"], ["y2", "gpu:0"]])";
  const auto error = [&](const std::string& plan) {
    const Said said =
        parley({"sim", workload, "--machine", "h200x2", "--plan", folder.file("p.json", plan)});
    CHECK(said.code == 2);
    return said.err;
  };
  const auto with_copy = [&](const std::string& position, const std::string& boxes) {
    return plan_of(tasks + R"(, "prefetches": [], "evictions": [], "copies": [[)" + position +
                   R"(, "x", )" + boxes + R"(, "host", "gpu0"]])");
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {plan_of(R"([["x1", "gpu:0", 65536]])"),
       "tasks[0][2]: found 65536; allowed: an integer from 0 to 65535"},
      {plan_of(R"([["x1", "gpu:0", -1]])"), "tasks[0][2]: found -1; allowed: an integer"},
      {plan_of(R"([["x1", "gpu:0", 0.5]])"), "tasks[0][2]: found 0.5; allowed: an integer"},
      {with_copy("4294967296", "[[[0, 1, 8]]]"),
       "copies[0][0]: found 4294967296; allowed: an integer from 0 to 4294967295"},
      {with_copy("18446744073709551615", "[[[0, 1, 8]]]"), "copies[0][0]: found 18446744073709"},
      {with_copy("0", "[]"), "copies[0][2]: found []; allowed: a list of at least one box"},
      {with_copy("0", "7"), "copies[0][2]: found 7; allowed: a list of at least one box"},
      {with_copy("0", "[[[0, 1, 8], [0, 1, 8]]]"),
       "copies[0][2][0]: found [[0,1,8],[0,1,8]]; allowed: a list of 1 [start, step, count]"},
      {with_copy("0", "[[[0, 1]]]"),
       "copies[0][2][0][0]: found [0,1]; allowed: [start, step, count]"},
      {with_copy("0", "[[[-1, 1, 8]]]"),
       "copies[0][2][0][0][0]: found -1; allowed: an integer from 0 to 7"},
      {with_copy("0", "[[[0, 0, 8]]]"),
       "copies[0][2][0][0][1]: found 0; allowed: an integer from 1"},
      {with_copy("0", "[[[0, 1, -1]]]"),
       "copies[0][2][0][0][2]: found -1; allowed: an integer from 0 to 8"},
      {with_copy("0", "[[[1, 1, 8]]]"),
       "copies[0][2][0][0]: found [1,1,8], which goes beyond the array; allowed: indices from 0 to "
       "7"},
      {with_copy("0", "[[[0, 4611686018427387904, 8]]]"), "which goes beyond the array"}};
  for (const auto& [plan, message] : cases) {
    const std::string found = error(plan);
    const std::string& expected = message;  // clang 14 captures no structured bindings
    CAPTURE(expected);
    CHECK_MESSAGE(has(found, expected), found);
  }
  const Said said = parley({"sim", workload, "--machine", "h200x2", "--plan",
                            folder.file("p.json", with_copy("0", "[[[1, 3, 3]]]"))});
  CHECK_MESSAGE(said.code == 0, said.err);
}

TEST_CASE("numbers of a journal that mean nothing are refused; one that is cut off says so") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", two_chains());
  REQUIRE(parley({"sim", workload, "--machine", "h200x2", "--journal", folder.path("j")}).code ==
          0);
  const std::string journal = contents(folder.path("j"));
  const auto error = [&](const std::string& text) {
    const Said said =
        parley({"sim", workload, "--machine", "h200x2", "--plan", folder.file("p.jsonl", text)});
    CHECK(said.code == 2);
    return said.err;
  };
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = journal;
    REQUIRE(text.find(from) != std::string::npos);
    return text.replace(text.find(from), from.size(), to);
  };
  CHECK(has(error(changed("\"alternative\":0", "\"alternative\":65536")),
            "alternative: found 65536; allowed: an integer from 0 to 65535"));
  CHECK(has(error(changed("\"box\":[[0,1,8]]", "\"box\":[[0,1,8],[0,1,8]]")),
            "box: found [[0,1,8],[0,1,8]]; allowed: a list of 1 [start, step, count]"));
  CHECK(has(error(changed("\"box\":[[0,1,8]]", "\"box\":[[0,1,9]]")),
            "box[0][2]: found 9; allowed: an integer from 0 to 8"));
  CHECK(has(error(changed("\n{\"now\":", "\n{\"now\";")), ": line 4: is not JSON"));
  CHECK(has(error(changed("\n{\"now\":", "\n{\"then\":")),
            ": line 4: is no step of a journal: key 'now' not found"));
  CHECK(has(error(changed("{\"launch\":", "{\"launch\":9")), "found command 9"));
  // The first step has all commands; with a window of 1 later ones have some.
  REQUIRE(parley({"sim", workload, "--machine", "h200x2", "--window", "1", "--prefetch", "none",
                  "--journal", folder.path("j1")})
              .code == 0);
  std::string narrow = contents(folder.path("j1"));
  const std::size_t launch = narrow.find("{\"launch\":4,");
  REQUIRE(launch != std::string::npos);
  const std::size_t begin = narrow.rfind('\n', launch);
  narrow.erase(begin, narrow.find('\n', launch) - begin);
  CHECK_MESSAGE(has(error(narrow), "found command 5, expected 4: is all of the journal here?"),
                error(narrow));
  CHECK(has(error(journal + journal.substr(journal.find("\n{\"now\":0,") + 1)),
            "time goes back, from "));
  // After whole lines, and within the line that follows.
  std::size_t line = 1;
  for (std::size_t end = journal.find('\n'); end + 1 < journal.size();
       end = journal.find('\n', end + 1), ++line) {
    const auto place = [](std::size_t number) {
      return ": line " + std::to_string(number) + ": the journal is cut off here";
    };
    const std::string at_end = error(journal.substr(0, end + 1));
    CHECK_MESSAGE(has(at_end, place(line)), at_end);
    const std::string within = error(journal.substr(0, end + 3));
    CHECK_MESSAGE(has(within, place(line + 1)), within);
  }
  CHECK(line > 4);
}

TEST_CASE("each name that is not known is told once") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", two_chains());
  std::string evictions;
  for (int i = 0; i < 20; ++i) evictions += R"([0, "X", "gpu9"], )";
  const std::string plan = plan_of(R"([], "prefetches": [], "copies": [], "evictions": [)" +
                                   evictions + R"([0, "Y", "gpu9"]])");
  const Said said =
      parley({"sim", workload, "--machine", "h200x2", "--plan", folder.file("p.json", plan)});
  CHECK(said.code == 2);
  CHECK(has(said.err, "evictions[0]: no task accesses a region \"X\"\n"));
  CHECK_FALSE(has(said.err, "evictions[1]:"));
  CHECK(has(said.err, "evictions[20]: no task accesses a region \"Y\"\n"));
  CHECK(has(said.err, "evictions[0]: unknown memory space \"gpu9\""));
}

TEST_CASE("a plan of another workload says so, and then the first names that are not known") {
  const TemporaryFolder folder;
  const std::string journal = folder.path("j.jsonl"), summary = folder.path("s.json");
  REQUIRE(parley({"sim", "serial:steps=50", "--journal", journal, "--summary", summary}).code == 0);
  for (const std::string& file : {journal, summary}) {
    const Said said = parley({"sim", "cholesky:tiles=4", "--plan", file});
    CHECK(said.code == 2);
    CHECK_MESSAGE(has(said.err, ": is of a run of workload \"serial\"; this one is \"cholesky\"\n"),
                  said.err);
    CHECK(has(said.err, "unknown task \"T[0,0]\""));
    CHECK(has(said.err, " faults more\n"));
    CHECK(std::count(said.err.begin(), said.err.end(), '\n') <= 14);
    CHECK(said.err.find("unknown task \"T[0,0]\"") == said.err.rfind("unknown task \"T[0,0]\""));
  }
  // All names are there, and not all tasks.
  REQUIRE(parley({"sim", "lu:tiles=2", "--journal", journal}).code == 0);
  std::string renamed_run = contents(journal);
  renamed_run.replace(renamed_run.find("\"lu\""), 4, "\"other\"");
  const Said partly = parley({"sim", "lu:tiles=3", "--plan", folder.file("o.jsonl", renamed_run)});
  CHECK(partly.code == 2);
  CHECK_MESSAGE(has(partly.err, "plan: is of a run of workload \"other\"; this one is \"lu\"\n"),
                partly.err);
  // Of a workload of another name, with the same tasks and arrays: welcome.
  std::string text = two_chains();
  REQUIRE(text.find("\"chains\"") != std::string::npos);
  text.replace(text.find("\"chains\""), 8, "\"renamed\"");
  const std::string renamed = folder.file("r.json", text);
  const std::string chains = folder.file("w.json", two_chains());
  REQUIRE(parley({"sim", chains, "--machine", "h200x2", "--journal", journal}).code == 0);
  CHECK(parley({"sim", renamed, "--machine", "h200x2", "--plan", journal}).code == 0);
}

TEST_CASE("the plan of a run that wrote back early does so too, and moves the same bytes") {
  const TemporaryFolder folder;
  const std::vector<std::string> run = {
      "sim", "cholesky:tiles=8,tile=256", "--machine", "h200x2", "--limit", "gpu=3MiB"};
  std::vector<std::string> words = run;
  words.insert(words.end(), {"--evict", "next_use", "--write-back", "early", "--journal",
                             folder.path("j.jsonl")});
  const Json first = summary_of(words, folder);
  words = run;
  words.insert(words.end(), {"--plan", folder.path("j.jsonl")});
  const Json second = summary_of(words, folder);
  for (const char* key : {"bytes_copied", "evictions", "written_back_bytes"}) {
    CAPTURE(key);
    CHECK(first[key] == second[key]);
  }
}

TEST_CASE("policies that follow a plan ask for one") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", two_chains());
  const auto error = [&](const std::vector<std::string>& words) {
    std::vector<std::string> all = {"sim", workload};
    all.insert(all.end(), words.begin(), words.end());
    const Said said = parley(all);
    CHECK(said.code == 2);
    return said.err;
  };
  CHECK(has(error({"--mapper", "fixed"}), "mapper fixed: follows a plan, and none was given"));
  CHECK(has(error({"--order", "strict:global=0"}), "order strict:global=0: follows a plan"));
  const std::string plan = folder.file(
      "p.json", plan_of(R"([["x1", "gpu:0"], ["x2", "gpu:0"], ["y1", "gpu:0"], ["y2", "gpu:0"]])"));
  CHECK(has(error({"--plan", plan, "--evict", "planned"}),
            "evict planned: follows a plan's copies, and this plan tells of none"));
  CHECK(has(error({"--plan", plan, "--mapper", "round_robin", "--order", "strict"}),
            "order strict: follows a plan's order, which needs a mapper that follows its places"));
  CHECK(has(error({"--plan", folder.path("nothing.json")}), "cannot be read"));
}

}  // namespace
}  // namespace parley::cli
