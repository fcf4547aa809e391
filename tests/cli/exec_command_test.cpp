// parley exec on the host backend: what it prints, writes and answers.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/cli/command_line.h"
#include "tests/cli/schema_check.h"

namespace parley::cli {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

const std::string kWorkloads = std::string(PARLEY_SOURCE_DIR) + "/workloads/";

/// `parley exec WORDS... --backend host`.
Said exec_on_host(std::vector<std::string> words) {
  words.insert(words.begin(), "exec");
  words.insert(words.end(), {"--backend", "host"});
  return parley(words);
}

/// Fails for each of `parts` that `text` does not have after the one before.
void check_in_order(const std::string& text, const std::vector<std::string>& parts) {
  std::size_t at = 0;
  for (const std::string& part : parts) {
    const std::size_t found = text.find(part, at);
    CHECK_MESSAGE(found != std::string::npos, "not found (any more): " << part << "\nin\n" << text);
    if (found != std::string::npos) at = found + part.size();
  }
}

std::vector<fs::path> workload_files(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(kWorkloads + folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// ---- the lessons ----

struct LessonValues {
  const char* file;
  std::vector<std::string> printed;  // in this order
};

const std::vector<LessonValues>& lesson_values() {
  static const std::vector<LessonValues> all = {
      {"tutorial_04/15_prefetched_data_movement",
       {"Task(global_1)  running on  GPUEnvironment(GPU:0)\n", "At GPU 0: state: SHARED\n",
        "At CPU: state: SHARED\n"}},
      {"tutorial_04/16_write_invalidation",
       {"Task(T_0)  running on  GPUEnvironment(GPU:0)\n", "At GPU 0: state: SHARED\n",
        "---End of Overview\n[1. 1. 1. 1. 1.]\n", "Task(T_1)  running on  GPUEnvironment(GPU:0)\n",
        "At GPU 0: state: MODIFIED\n", "At CPU: state: INVALID\n",
        "Task(T_2)  running on  GPUEnvironment(GPU:0)\n", "At GPU 0: state: MODIFIED\n",
        "---End of Overview\n[2. 2. 2. 2. 2.]\n"}},
      {"lesson_06/01_create",
       {"{0: None, 1: None, 2: None, 3: None, -1: array([[1, 2], [3, 4]])}\n"}},
      {"lesson_06/02_member_methods", {"---End of Overview\n[1 1]\n"}},
      {"lesson_06/03_update", {"---End of Overview\n[[1. 2.]\n [3. 4.]]\n"}},
      {"lesson_06/04_assign_element", {"---End of Overview\n[[ 1. 20.]\n [ 3.  4.]]\n"}},
      {"lesson_06/05_read_only",
       {"{0: array([[1, 2], [3, 4]]), 1: None, 2: None, 3: None, -1: array([[1, 2], [3, 4]])}\n"}},
      {"lesson_06/07_read_and_write", {"[[1 2]\n [3 4]]\n", "[[ 0.5 12. ]\n [ 0.5  0.5]]\n"}},
      {"lesson_06/08_fine_grained", {"---End of Overview\n[[1 1]\n [3 4]]\n"}},
      {"lesson_06/09_script",
       {"{0: array([[1, 2], [3, 4]]), 1: None, 2: None, 3: None, -1: array([[1, 2], [3, 4]])}\n",
        "[[1 2]\n [3 4]]\n", "[[1 1]\n [3 4]]\n"}},
      {"lesson_06/writeback_without", {"[1. 0. 0. 0.]\n", "[1. 0. 0. 0.]\n"}},
      {"lesson_06/writeback_with", {"[1. 0. 0. 0.]\n", "[1. 0. 0. 0.]\n", "[1. 0. 0. 0.]\n"}}};
  return all;
}

TEST_CASE("lessons, executed: the values that the lessons show") {
  for (const LessonValues& lesson : lesson_values()) {
    CAPTURE(lesson.file);
    const Said said = exec_on_host(
        {kWorkloads + "lessons/" + lesson.file + ".json", "--devices", "4", "--overview"});
    CHECK_MESSAGE(said.code == 0, said.err);
    check_in_order(said.out, lesson.printed);
  }
}

TEST_CASE("lessons, executed: every one of them is verified, whatever the policies") {
  const std::vector<std::vector<std::string>> policies = {
      {}, {"--window", "1", "--prefetch", "none"}, {"--window", "unlimited", "--mapper", "parla"}};
  const std::vector<fs::path> files = workload_files("lessons");
  CHECK(files.size() == 16);
  for (const fs::path& file : files) {
    for (const std::vector<std::string>& policy : policies) {
      CAPTURE(file.string());
      std::vector<std::string> words = {file.string(), "--devices", "4", "--verify", "--check"};
      words.insert(words.end(), policy.begin(), policy.end());
      const Said said = exec_on_host(words);
      CHECK_MESSAGE(said.code == 0, said.err);
      CHECK(has(said.out, "Verified  compared with sequential execution: "));
    }
  }
}

TEST_CASE("cases, executed: every one of them is verified, on the machine that it names") {
  for (const fs::path& file : workload_files("cases")) {
    CAPTURE(file.string());
    const Json meta = Json::parse(contents(file.string())).at("meta");
    for (const std::string& mapper : meta.value("mappers", std::vector<std::string>{""})) {
      std::vector<std::string> words = {file.string(), "--machine", meta.at("machine"), "--verify",
                                        "--check"};
      if (!mapper.empty()) words.insert(words.end(), {"--mapper", mapper});
      for (const std::string& limit : meta.value("limits", std::vector<std::string>())) {
        words.insert(words.end(), {"--limit", limit});
      }
      const Said said = exec_on_host(words);
      CHECK_MESSAGE(said.code == 0, said.err);
      CHECK(has(said.out, "Verified  compared with sequential execution: "));
    }
  }
}

// ---- files ----

TEST_CASE("the summary of a run for real has values, digests, no bounds, and follows the schema") {
  const TemporaryFolder folder;
  const std::string summary = folder.path("s.json");
  const Said said = exec_on_host({folder.file("w.json", lesson_workload()), "--summary", summary,
                                  "--states", "--verify", "--timing", "--repeat", "3"});
  REQUIRE_MESSAGE(said.code == 0, said.err);
  check_in_order(said.out, {"backend host\n", "Runs      3: first ", ", least ", ", median ",
                            "Verified  ", "Wall time  load ", ", setup ", ", run ", ", verify "});
  CHECK(schema_fault("summary.schema.json", contents(summary)) == "");
  const Json json = Json::parse(contents(summary));
  CHECK(json["mode"] == "exec");
  CHECK(json["backend"] == "host");
  CHECK(!json.contains("bounds_ns"));
  CHECK(json["runs_ns"].size() == 3);
  CHECK(json["runs_ns"][2] == json["makespan_ns"]);
  CHECK(json["tasks"].size() == 3);
  REQUIRE(json["overviews"].size() == 3);
  CHECK(json["overviews"][0]["values"] == Json({1, 1, 1, 1, 1}));
  CHECK(json["overviews"][2]["values"] == Json({2, 2, 2, 2, 2}));
  CHECK(has(json["overviews"][2]["text"], "[2. 2. 2. 2. 2.]"));
  CHECK(json["verification"]["holds"] == true);
  CHECK(json["verification"]["arrays"]["A"]["method"] == "bytes");
  // FNV-1a of five doubles 2.0.
  CHECK(json["final"]["A"]["digest"] == "2ffe905a3f3cc905");
  CHECK(json["wall_s"].contains("setup"));
  CHECK(!json.contains("failed"));
  CHECK(json["states"].size() > 0);
}

TEST_CASE("bounds are given on a machine that was named") {
  const TemporaryFolder folder;
  const std::string summary = folder.path("s.json");
  const Said said = exec_on_host({folder.file("w.json", lesson_workload()), "--machine", "h200x4",
                                  "--devices", "1", "--summary", summary});
  CHECK_MESSAGE(said.code == 0, said.err);
  CHECK(has(said.out, "Machine   h200x4 (1 of 4 GPUs): 2 devices, backend host"));
  const Json json = Json::parse(contents(summary));
  CHECK(json["bounds_ns"]["critical_path"].get<std::int64_t>() > 0);
  CHECK(json["layout"]["spaces"].size() == 2);
}

TEST_CASE("a machine on which this cannot be so fast is told to be another") {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& cost) {
    const Said said = exec_on_host(
        {folder.file("w.json", R"({"format": "parley-workload", "version": 1, "arrays": [
           {"name": "A", "shape": [6], "init": {"fill": 1}}], "tasks": [
           {"placement": "gpu", "inout": ["A"], "kernel": {"name": "none"}, "cost": {"ns": )" +
                                   cost + "}}]}"),
         "--machine", "h200x4"});
    CHECK(said.code == 0);
    return said.err;
  };
  CHECK(error("30000000000") ==
        "warning: faster than the lower bound: the rates of the machine or the costs that tasks "
        "state "
        "are not those of this computer (parley calibrate)\n");
  CHECK(error("1") == "");
}

TEST_CASE("a prediction says which tasks it takes to need no time") {
  const TemporaryFolder folder;
  const std::string program = folder.file("w.json", R"({
    "format": "parley-workload", "version": 1,
    "arrays": [{"name": "A", "shape": [6], "init": {"fill": 1}}],
    "tasks": [{"name": "a", "inout": ["A"], "kernel": {"name": "sqrt"}}]})");
  const Said said = exec_on_host({program, "--predict"});
  CHECK(said.code == 0);
  CHECK_MESSAGE(has(said.err, "warning: predicted: the cost of task \"a\" is not known: "),
                said.err);
  CHECK(has(said.err, "taken as 0 ns\n"));
}

TEST_CASE("journals of runs for real replay identically") {
  const TemporaryFolder folder;
  const std::vector<std::vector<std::string>> runs = {
      {folder.file("p.json", pairs_workload()), "--limit", "gpu=2200kB"},
      {folder.file("l.json", lesson_workload()), "--repeat", "2"},
      {"cholesky:tiles=6,tile=16", "--devices", "3", "--window", "unlimited"},
      {kWorkloads + "lessons/lesson_06/09_script.json", "--window", "1", "--states"}};
  for (const std::vector<std::string>& run : runs) {
    std::vector<std::string> words = run;
    words.insert(words.end(), {"--journal", folder.path("run.jsonl")});
    const Said ran = exec_on_host(words);
    CHECK_MESSAGE(ran.code == 0, ran.err);
    const Said said = parley({"replay", folder.path("run.jsonl")});
    CHECK_MESSAGE(said.code == 0, said.err);
    CHECK(has(said.out, "identical"));
    const std::string header = contents(folder.path("run.jsonl"));
    CHECK(schema_fault("journal.schema.json", header.substr(0, header.find('\n'))) == "");
    CHECK(has(header.substr(0, header.find('\n')), R"("mode":"exec","backend":"host")"));
  }
}

TEST_CASE("a trace of a run for real has its tasks") {
  const TemporaryFolder folder;
  REQUIRE(exec_on_host({folder.file("l.json", lesson_workload()), "--trace", folder.path("t.json")})
              .code == 0);
  const Json trace = Json::parse(contents(folder.path("t.json")));
  std::size_t tasks = 0;
  for (const Json& event : trace["traceEvents"])
    tasks += event.value("cat", "") == "task" ? 1U : 0U;
  CHECK(tasks == 3);
}

// ---- predictions ----

TEST_CASE("a prediction compares makespans, classes of tasks and bytes with a simulation") {
  const TemporaryFolder folder;
  const std::string summary = folder.path("s.json");
  const Said said =
      exec_on_host({folder.file("p.json", pairs_workload()), "--predict", "--summary", summary});
  CHECK_MESSAGE(said.code == 0, said.err);
  check_in_order(said.out, {"Predicted ", "with measured durations", "of 8 tasks on the same"});
  CHECK(schema_fault("summary.schema.json", contents(summary)) == "");
  const Json json = Json::parse(contents(summary));
  const Json& prediction = json["prediction"];
  CHECK(prediction["noise"] == "normal:sigma=0.005");
  CHECK(prediction["noise_seed"].get<int>() >= 1);  // of the five from --seed on
  CHECK(prediction["noise_seed"].get<int>() <= 5);
  const Json& writers = prediction["classes"]["w"];
  CHECK(writers["tasks"] == 4);
  const double stated = 4 * 20000.0;  // by the workload; predictions vary it by 0.5 %
  CHECK(writers["predicted_ns"].get<double>() == doctest::Approx(stated).epsilon(0.03));
  CHECK(writers["predicted_ns"] != 4 * 20000);
  CHECK(writers["measured_ns"].get<std::int64_t>() >= 4 * 20000);
  CHECK(prediction["classes"]["r"]["tasks"] == 4);
  std::int64_t measured = 0;
  for (const auto& [route, bytes] : prediction["bytes"].items()) {
    measured += bytes["measured"].get<std::int64_t>();
    CHECK(json["bytes_copied"].value(route, std::int64_t{0}) == bytes["measured"]);
  }
  CHECK(measured > 0);
  const auto error = [&](const char* key) {
    const auto run = json["makespan_ns"].get<double>();
    return (prediction[key].get<double>() - run) / run;
  };
  CHECK(prediction["error"].get<double>() == doctest::Approx(error("makespan_ns")));
  CHECK(prediction["retimed_error"].get<double>() == doctest::Approx(error("retimed_makespan_ns")));
  // Spinning takes at least as long as stated.
  CHECK(prediction["retimed_makespan_ns"].get<double>() >=
        0.97 * prediction["makespan_ns"].get<double>());
}

TEST_CASE("measured durations replace those that the workload states") {
  const TemporaryFolder folder;
  // A kernel that does nothing takes no second, whatever is stated.
  const std::string workload = folder.file("w.json", R"({
    "format": "parley-workload", "version": 1, "name": "idle",
    "arrays": [{"name": "A", "shape": [6], "init": {"fill": 1}}],
    "tasks": [{"name": "a", "placement": "gpu", "inout": ["A"], "kernel": {"name": "none"},
               "cost": {"ns": 30000000000}}]})");
  const Said said = exec_on_host({workload, "--predict", "--summary", folder.path("s.json")});
  CHECK_MESSAGE(said.code == 0, said.err);
  const Json prediction = Json::parse(contents(folder.path("s.json")))["prediction"];
  CHECK(prediction["makespan_ns"] >= 29000000000);
  CHECK(prediction["retimed_makespan_ns"] < 29000000000);
  CHECK(prediction["simulated"]["tasks"].size() == 1);
}

TEST_CASE("what shows and evicts is predicted, too") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", R"({
    "format": "parley-workload", "version": 1, "name": "evict", "dependencies": "explicit",
    "arrays": [{"name": "A", "shape": [6], "init": {"fill": 1}}],
    "tasks": [{"name": "a", "placement": "gpu:1", "inout": ["A"], "show": ["A"]},
              {"name": "E", "after": ["a"], "evict": "A", "space": "gpu1", "show": ["A"]},
              {"name": "b", "after": ["E"], "placement": "gpu:0", "in": ["A"], "show": ["A"]}]})");
  const Said said = exec_on_host({workload, "--predict", "--verify", "--overview"});
  CHECK_MESSAGE(said.code == 0, said.err);
  CHECK(has(said.out, "Predicted "));
}

// ---- what goes wrong ----

TEST_CASE("an expected value that is not found ends with code 3 and says what was found") {
  const TemporaryFolder folder;
  std::string program = lesson_workload();
  const std::string show = R"("inout": ["A"], "show": ["A"],
       "kernel": {"name": "add_scalar", "value": 1})";
  const std::size_t at = program.find(show);
  REQUIRE(at != std::string::npos);
  program.replace(at, show.size(), show + R"(, "expect": {"A[1:3]": [2, 3]})");
  const Said said = exec_on_host({folder.file("w.json", program)});
  CHECK(said.code == 3);
  CHECK(has(said.err, "after \"T[1]\": expected A[1:3] = array([2., 3.]), found array([2., 2.])"));
}

TEST_CASE("wrong input is told before anything runs") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", lesson_workload());
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{workload, "--graph"}, "--graph: the host backend has no CUDA graphs"},
      {{workload, "--streams", "2"}, "--streams: the host backend has no streams"},
      {{workload, "--no-bind"}, "--no-bind: the host backend binds no threads"},
      {{workload, "--devices-per-gpu", "2"}, "--devices-per-gpu: the host backend has as many"},
      {{workload, "--repeat", "0"}, "--repeat: found 0"},
      {{workload, "--machine", "h200x2", "--devices", "3"}, "\"h200x2\" has 2"},
      {{workload, "--machine", "h2OOx2"}, "neither a shipped machine"},
      {{workload, "--limit", "gpu=1GiBi"}, "is no size"},
      {{workload, "--limit", "gpu=16"}, "at most 16 bytes"},
      {{workload, "--untimed", "--predict"}, "needs the list"},
      {{workload, "--repeat", "2", "--journal", "-"}, "can hold one run only"},
      {{workload, "--mapper", "nobody"}, "--mapper"},
      {{workload, "--summary", folder.path("no/s.json")}, "cannot be written"},
      {{folder.path("none.json")}, "none.json"}};
  for (const auto& [words, message] : cases) {
    const Said said = exec_on_host(words);
    CAPTURE(said.err);
    CHECK(said.code == 2);
    CHECK(has(said.err, message));
    CHECK(said.out.empty());
  }
  CHECK(parley({"exec", workload}).code == 2);
  CHECK(parley({"exec", workload, "--backend", "cpu"}).code == 2);
  CHECK(folder.names() == std::vector<std::string>{"w.json"});
}

TEST_CASE("without times a run still says how long it took and what moved") {
  const TemporaryFolder folder;
  const Said said = exec_on_host(
      {folder.file("w.json", lesson_workload()), "--untimed", "--summary", folder.path("s.json")});
  CHECK_MESSAGE(said.code == 0, said.err);
  const Json json = Json::parse(contents(folder.path("s.json")));
  CHECK(json["makespan_ns"].get<std::int64_t>() > 0);
  CHECK(json["copies"] == 1);
  CHECK(!json.contains("bytes_copied"));  // what was not listed is not said to be nothing
  CHECK(json["deciding_ns"].get<std::int64_t>() > 0);
  CHECK(json["commands"].get<std::int64_t>() >= 3);
  CHECK(has(said.out, "\nHost      decides for "));
  CHECK(schema_fault("summary.schema.json", contents(folder.path("s.json"))) == "");
}

}  // namespace
}  // namespace parley::cli
