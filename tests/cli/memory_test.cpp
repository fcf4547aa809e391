// Runs with too little memory: what is told of them, and comparisons over memory sizes.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/policy/registry.h"
#include "tests/cli/command_line.h"

namespace parley::cli::memory {
namespace {

using Json = nlohmann::json;

/// `rounds` times each of `arrays` arrays of 1 MiB in turn, read only.
std::string sweeping_workload(int arrays, int rounds) {
  std::string text = R"({"format": "parley-workload", "version": 1, "name": "sweeps", "arrays": [)";
  for (int a = 0; a < arrays; ++a) {
    text += (a == 0 ? "" : ",") + std::string(R"({"name": "A_)") + std::to_string(a) +
            R"(", "shape": [131072], "dtype": "float64", "init": {"fill": 1}})";
  }
  text += R"(], "tasks": [)";
  for (int t = 0; t < arrays * rounds; ++t) {
    text += (t == 0 ? "" : ",") + std::string(R"({"name": "t)") + std::to_string(t) +
            R"(", "placement": "gpu:0", "in": ["A_)" + std::to_string(t % arrays) +
            R"("], "cost": {"ns": 1000}})";
  }
  return text + "]}";
}

TEST_CASE("replicas that come back again and again are named, with how often and how much") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", sweeping_workload(3, 5));
  // Under lru each of three arrays has gone when its turn comes, with room for two.
  const Said said = parley({"sim", workload, "--machine", "h200x1", "--order", "fifo", "--limit",
                            "gpu=2MiB", "--summary", folder.path("s.json")});
  REQUIRE(said.code == 0);
  CHECK(has(said.err, "thrashing: A_0 was evicted from gpu0 and brought back 4 times, 4.00 MiB"));
  const Json summary = Json::parse(contents(folder.path("s.json")));
  CHECK(summary["refetches"] == 12);
  CHECK(summary["refetched_bytes"] == 12 << 20);
  REQUIRE(summary["thrashing"].size() == 3);
  CHECK(summary["thrashing"][0] == Json::parse(R"(["A_0", "gpu0", 4, 4194304])"));
  // A second time is not thrashing yet.
  const std::string twice = folder.file("twice.json", sweeping_workload(3, 3));
  CHECK(
      parley({"sim", twice, "--machine", "h200x1", "--order", "fifo", "--limit", "gpu=2MiB"}).err ==
      "");
}

TEST_CASE("host tasks with scratch run side by side where the host has room") {
  const TemporaryFolder folder;
  std::string arrays, tasks;
  for (int i = 0; i < 16; ++i) {
    const std::string number = std::to_string(i);
    arrays += (i == 0 ? "" : ",") + std::string(R"({"name": "A_)") + number +
              R"(", "shape": [1024], "dtype": "float64"})";
    tasks += (i == 0 ? "" : ",") + std::string(R"({"name": "t)") + number +
             R"(", "placement": "cpu", "out": ["A_)" + number +
             R"("], "scratch_bytes": 1048576, "cost": {"ns": 1000000}})";
  }
  const std::string workload =
      folder.file("w.json", R"({"format": "parley-workload", "version": 1, "name": "scratch",
        "arrays": [)" + arrays + R"(], "tasks": [)" + tasks + "]}");
  const auto run = [&](const std::string& host) {
    REQUIRE(parley({"sim", workload, "--machine", "h200x4", "--limit", "host=" + host, "--check",
                    "--summary", folder.path("s.json")})
                .code == 0);
    return Json::parse(contents(folder.path("s.json")));
  };
  const int home = 16 * 8192;
  // Eight slots: two rounds of eight. What is held is home slots and the scratch of those that run.
  const Json roomy = run("1GiB");
  CHECK(roomy["makespan_ns"] > 2'000'000);
  CHECK(roomy["makespan_ns"] < 2'100'000);
  CHECK(roomy["peak_bytes"]["host"] == home + (8 << 20));
  const Json tight = run(std::to_string(home + (2 << 20)));
  CHECK(tight["makespan_ns"] > 8'000'000);
  CHECK(tight["makespan_ns"] < 8'100'000);
  CHECK(tight["peak_bytes"]["host"] == home + (2 << 20));
  const Said said = parley({"sim", workload, "--machine", "h200x4", "--limit",
                            "host=" + std::to_string(home + (1 << 20) - 256)});
  CHECK(said.code == 2);
  CHECK(has(said.err, "and the largest working set of a host task (1048576 bytes"));
}

TEST_CASE("a host keeps arrays of another node as long as it has room for them") {
  const TemporaryFolder folder;
  std::string tasks;
  for (int t = 0; t < 10; ++t) {
    tasks += (t == 0 ? "" : ",") + std::string(R"({"name": "t)") + std::to_string(t) +
             R"(", "placement": "cpu:1", "in": ["A_)" + std::to_string(t % 2) +
             R"("], "cost": {"ns": 1000}})";
  }
  const std::string workload =
      folder.file("w.json", R"({"format": "parley-workload", "version": 1, "name": "foreign",
        "arrays": [{"name": "A_0", "shape": [1048576], "dtype": "uint8", "init": {"fill": 1}},
                   {"name": "A_1", "shape": [1048576], "dtype": "uint8", "init": {"fill": 1}}],
        "tasks": [)" + tasks + "]}");
  const auto copies = [&](const std::string& host) {
    // One at a time: tasks in flight hold what they read.
    REQUIRE(parley({"sim", workload, "--machine", "cluster", "--limit", "host1=" + host, "--check",
                    "--order", "fifo", "--window", "1", "--prefetch", "none", "--summary",
                    folder.path("s.json")})
                .code == 0);
    return Json::parse(contents(folder.path("s.json")))["copies"];
  };
  CHECK(copies("1GiB") == 2);
  CHECK(copies("1MiB") == 10);
}

TEST_CASE("written back early, a replica is clean when it must go") {
  const TemporaryFolder folder;
  // x is written, then there is time for its way home, then two arrays need its room.
  const std::string workload = folder.file("w.json", R"({"format": "parley-workload", "version": 1,
    "name": "early",
    "arrays": [{"name": "x", "shape": [131072], "dtype": "float64"},
               {"name": "y", "shape": [131072], "dtype": "float64", "init": {"fill": 1}},
               {"name": "z", "shape": [131072], "dtype": "float64", "init": {"fill": 1}},
               {"name": "s", "shape": [], "dtype": "float64"},
               {"name": "q", "shape": [], "dtype": "float64"}],
    "tasks": [{"name": "make", "placement": "gpu", "out": ["x"], "cost": {"ns": 1000}},
              {"name": "read", "placement": "gpu", "in": ["y"], "cost": {"ns": 1000}},
              {"name": "pause", "placement": "gpu", "out": ["s"], "cost": {"ns": 10000000}},
              {"name": "more", "placement": "gpu", "in": ["s", "z"], "out": ["q"], "cost": {"ns": 1000}},
              {"name": "last", "placement": "cpu", "in": ["x", "q"], "cost": {"ns": 1000}}]})");
  const auto run = [&](const std::string& when) {
    REQUIRE(parley({"sim", workload, "--machine", "h200x1", "--order", "fifo", "--window", "1",
                    "--prefetch", "none", "--limit", "gpu=2304KiB", "--write-back", when, "--check",
                    "--summary", folder.path("s.json"), "--journal", folder.path("j.jsonl")})
                .code == 0);
    CHECK(parley({"replay", folder.path("j.jsonl")}).code == 0);
    return Json::parse(contents(folder.path("s.json")));
  };
  const Json early = run("early");
  const Json late = run("evict");
  CHECK(early["early_write_backs"] == 2);  // x and s
  CHECK(late["early_write_backs"] == 0);
  CHECK(early["written_back_bytes"] == (1 << 20) + 8);
  CHECK(late["written_back_bytes"] == 1 << 20);
  // The time of a copy home is off the path.
  CHECK(early["makespan_ns"].get<std::int64_t>() + 15000 < late["makespan_ns"].get<std::int64_t>());
}

TEST_CASE("every evictor keeps all rules, and ends, from one working set of memory to everything") {
  const TemporaryFolder folder;
  REQUIRE(parley({"sim", "cholesky:tiles=6,tile=128", "--machine", "h200x2", "--journal",
                  folder.path("plan.jsonl")})
              .code == 0);
  std::vector<std::string> words = {"compare",
                                    "cholesky:tiles=6,tile=128",
                                    "--machine",
                                    "h200x2",
                                    "--plan",
                                    folder.path("plan.jsonl"),
                                    "--memory",
                                    "1,0.5,0.2,least",
                                    "--check",
                                    "--json",
                                    folder.path("rows.json")};
  const std::vector<std::string> evictors =
      core::PolicyRegistry().names(core::PolicyKind::kEvictor);
  for (const std::string& evictor : evictors) {
    words.insert(words.end(), {"--policy", "evict=" + evictor});
  }
  const Said said = parley(words);
  REQUIRE_MESSAGE(said.code == 0, said.err);
  const Json rows = Json::parse(contents(folder.path("rows.json")))["rows"];
  CHECK(rows.size() == 4 * evictors.size());
  std::int64_t before = 0;
  for (const Json& row : rows) {
    const std::int64_t bytes = row["gpu_bytes"].get<std::int64_t>();
    CHECK((before == 0 || bytes <= before));
    before = bytes;
    CHECK((row["evictions"] == 0) == (bytes == rows[0]["gpu_bytes"]));
  }
  CHECK(before == 3 * 128 * 128 * 8);  // three tiles of a product
  CHECK(has(said.out, "with 384 KiB a GPU"));
}

TEST_CASE("a size that is there twice is refused, as its rows would be taken for repetitions") {
  const Said said = parley({"compare", "cholesky:tiles=4", "--memory", "least,1,least"});
  CHECK(said.code == 2);
  CHECK(has(said.err, "--memory: \"least\" is there twice"));
}

TEST_CASE(
    "the least is no less than what starts on a GPU; sizes that come to the same are run once") {
  const TemporaryFolder folder;
  const Said said = parley({"compare", "cholesky:tiles=6,tile=128,gpus=2,home=block_cyclic", "-m",
                            "h200x2", "--memory", "1,0.1,least", "--policy", "evict=lru", "--json",
                            folder.path("rows.json")});
  REQUIRE_MESSAGE(said.code == 0, said.err);
  const Json rows = Json::parse(contents(folder.path("rows.json")))["rows"];
  REQUIRE(rows.size() == 2);
  // 21 tiles of the lower triangle, dealt out to a row of two GPUs: 12 in even columns.
  CHECK(rows[1]["gpu_bytes"] == 12 * 128 * 128 * 8);
  CHECK_FALSE(has(said.out, "middle half"));
}

TEST_CASE("memory is written back early only where evictions make room") {
  const TemporaryFolder folder;
  const auto early = [&](const char* limit) {
    const Said said =
        parley({"sim", "cholesky:tiles=12,tile=256", "-m", "h200x1", "--limit", limit, "--evict",
                "next_use", "--write-back", "early", "--summary", folder.path("s.json")});
    REQUIRE_MESSAGE(said.code == 0, said.err);
    const Json summary = Json::parse(contents(folder.path("s.json")));
    return std::pair(summary["evictions"].get<int>(), summary["early_write_backs"].get<int>());
  };
  const auto [none, needless] = early("gpu=39MiB");  // 78 tiles of 512 KiB: exactly all of them
  CHECK(none == 0);
  CHECK(needless == 0);
  const auto [some, useful] = early("gpu=16MiB");
  CHECK(some > 0);
  CHECK(useful > 0);
}

TEST_CASE("sizes that make no sense, and a host that is too small, are told with what is allowed") {
  for (const char* sizes : {"0", "1.5", "-1", "1,,2", "much", "0.5GiBB"}) {
    CAPTURE(sizes);
    const Said said = parley({"compare", "cholesky:tiles=2,tile=64", "--memory", sizes});
    CHECK(said.code == 2);
    CHECK(has(said.err, "--memory: found"));
    CHECK(has(said.err, "\"least\" (the largest working set of a task, or what starts on a GPU)"));
  }
  // What no task of a kind can do is told once for all of them, and once for all policies.
  const Said small = parley({"sim", "cholesky:tiles=4", "-m", "h200x2", "--limit", "gpu=1MiB"});
  CHECK(small.code == 2);
  CHECK(std::ranges::count(small.err, '\n') == 3);
  CHECK(has(small.err,
            "task \"trsm[1,0]\" and 11 more tasks: its operands and scratch take 67108864 bytes at "
            "once, more than any device that it may run on has (at most 1048576 bytes)\n"));
  const Said all = parley({"compare", "cholesky:tiles=4", "-m", "h200x2", "--limit", "gpu=1MiB"});
  CHECK(all.code == 2);
  CHECK(has(all.out, "  mapper=block_cyclic; mapper=dmda; "));
  CHECK(std::ranges::count(all.out, '\n') == 2);
  const Said said = parley({"sim", "cholesky:tiles=4,tile=1024", "--limit", "host=32MiB"});
  CHECK(said.code == 2);
  CHECK(has(said.err,
            "space \"host\": the home slots of all arrays take 83886080 bytes; it has 33554432"));
}

}  // namespace
}  // namespace parley::cli::memory
