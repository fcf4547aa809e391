// What parley exec does when something goes wrong: what was finished is reported, files are whole,
// the message says what happened, and the next run works.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/exec_run.h"
#include "cli/interrupt.h"
#include "exec/host/host_backend.h"
#include "tests/cli/child_process.h"
#include "tests/cli/command_line.h"
#include "tests/cli/schema_check.h"

namespace parley::cli {
namespace {

using Json = nlohmann::json;

/// A run on the host backend with files in a folder.
class FailingRun {
 public:
  FailingRun() {
    arguments_.run.workload = folder_.file("w.json", pairs_workload());
    arguments_.run.machine = "";
    arguments_.backend = "host";
    arguments_.devices = 2;
    arguments_.output.summary = folder_.path("s.json");
    arguments_.output.trace = folder_.path("t.json");
    arguments_.output.journal = folder_.path("j.jsonl");
  }

  Said run(const exec::FaultInjector& injector, const std::vector<core::SpaceId>& lost = {}) {
    return run([&] {
      return core::Result<std::unique_ptr<exec::Backend>>(exec::create_host_backend(
          {.spins_for_cost = true, .injector = injector, .lost_by_failure = lost}));
    });
  }
  Said run(const MakeBackend& make_backend) {
    std::ostringstream out;
    std::ostringstream err;
    Terminal terminal{out, err};
    const int code = run_exec(arguments_, this_computer(), make_backend, terminal);
    return {code, out.str(), err.str()};
  }

  /// The files of a run that failed: whole, and of use.
  Json check_files() const {
    CHECK(folder_.names() == std::vector<std::string>{"j.jsonl", "s.json", "t.json", "w.json"});
    CHECK(Json::accept(contents(folder_.path("t.json"))));
    const std::string summary = contents(folder_.path("s.json"));
    CHECK(schema_fault("summary.schema.json", summary) == "");
    const Said replayed = parley({"replay", folder_.path("j.jsonl")});
    CHECK_MESSAGE(replayed.code == 0, replayed.err);
    CHECK(has(replayed.out, "identical, up to line"));
    return Json::parse(summary);
  }

  /// The same once more with nothing in the way.
  void check_rerun() {
    const Said said = run(exec::FaultInjector());
    CHECK_MESSAGE(said.code == 0, said.err);
    CHECK(!Json::parse(contents(folder_.path("s.json"))).contains("failed"));
    CHECK(has(parley({"replay", folder_.path("j.jsonl")}).out, "commands: identical"));
  }

  ExecArguments& arguments() { return arguments_; }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  TemporaryFolder folder_;
  ExecArguments arguments_;
};

// In the workload tasks alternate: w[i] has number 2 i, r[i], which reads what w[i] writes, 2 i
// + 1.
constexpr core::TaskId kThirdWriter(4);

TEST_CASE("a kernel that fails: the message names it, what does not need it is done") {
  FailingRun run;
  const Said said = run.run([](const exec::CommandSite& site) -> std::optional<std::string> {
    if (site.is_copy || site.task != kThirdWriter) return std::nullopt;
    return "illegal memory access";
  });
  CHECK(said.code == 4);
  CHECK(has(said.err, "failed: task \"w[2]\" (kernel hash_mix) on gpu:"));
  CHECK(has(said.err, ": illegal memory access\n"));
  CHECK(has(said.err, "lost: A2[0:131072]\n"));
  CHECK(has(said.err, "command"));
  CHECK(has(said.out, "the run ended early"));
  const Json json = run.check_files();
  REQUIRE(json["failed"].size() == 1);
  CHECK(json["failed"][0]["task"] == "w[2]");
  CHECK(json["failed"][0]["kind"] == "task");
  CHECK(json["failed"][0]["cause"] == "illegal memory access");
  CHECK(json["lost"] == Json({"A2[0:131072]"}));
  CHECK(json["tasks_finished"] == json["tasks"].size());
  CHECK(!json["final"].contains("A2"));
  CHECK(json["final"].contains("A0"));
  for (const Json& task : json["tasks"]) {
    CHECK(task[0] != "w[2]");
    CHECK(task[0] != "r[2]");
  }
  run.check_rerun();
}

TEST_CASE("a copy that fails: the message says where to and what for") {
  FailingRun run;
  std::atomic<int> copies{0};
  const Said said = run.run([&](const exec::CommandSite& site) -> std::optional<std::string> {
    if (!site.is_copy || copies++ != 0) return std::nullopt;
    return "link is down";
  });
  CHECK(said.code == 4);
  CHECK(has(said.err, "failed: a copy into gpu"));
  CHECK(has(said.err, ": link is down\n"));
  const Json json = run.check_files();
  REQUIRE(json["failed"].size() == 1);
  CHECK(json["failed"][0]["kind"] == "copy");
  run.check_rerun();
}

TEST_CASE("a device that disappears: everything on it fails, the rest is kept") {
  FailingRun run;
  const core::SpaceId gone(2);  // gpu1
  std::atomic<int> uses{0};
  const auto fall_off = [&](const exec::CommandSite& site) -> std::optional<std::string> {
    const bool is_there =
        site.is_copy ? site.from != gone && site.to != gone : site.device != core::DeviceId(2);
    if (is_there || uses++ < 3) return std::nullopt;
    return "device has fallen off the bus";
  };
  const Said said = run.run(fall_off, {gone});
  CHECK(said.code == 4);
  CHECK(has(said.err, "device has fallen off the bus"));
  const Json json = run.check_files();
  for (const Json& failed : json["failed"]) {
    CHECK(failed["cause"] == "device has fallen off the bus");
  }
  // What lay there alone is lost, not only what was under way; nothing is left to be warned of.
  CHECK(!has(said.err, "could not be read"));
  CHECK(!json["lost"].empty());
  for (const Json& lost : json["lost"]) {
    const auto name = lost.get<std::string>();
    CHECK(!json["final"].contains(name.substr(0, name.find('['))));
  }
  run.check_rerun();
}

/// The environment fails before the first command.
class NoMemory : public exec::Backend {
 public:
  void prepare(const core::Program&, const core::Machine&, const core::Engine&) override {
    throw exec::EnvironmentFailure("gpu0: no 1 GiB of memory");
  }
  [[nodiscard]] core::Faults check(const core::Program&, const core::Machine&) const override {
    return {};
  }
  void write(core::SpaceId, std::int64_t, std::span<const std::byte>) override {}
  void read(core::SpaceId, std::int64_t, std::span<std::byte>) override {}
  void begin(bool) override {}
  [[nodiscard]] core::Time now() const override { return {}; }
  void submit(const core::StartCopy&) override {}
  void submit(const core::LaunchTask&) override {}
  void flush() override {}
  void collect(std::vector<exec::Completion>&, bool) override {}
  void end() override {}
};

TEST_CASE("an environment that fails before anything runs is no wrong input, and leaves no files") {
  FailingRun run;
  const Said said = run.run(MakeBackend(
      [] { return core::Result<std::unique_ptr<exec::Backend>>(std::make_unique<NoMemory>()); }));
  CHECK(said.code == 4);
  CHECK(has(said.err, "gpu0: no 1 GiB of memory"));
  CHECK(run.folder().names() == std::vector<std::string>{"w.json"});
}

/// The host backend with something in between.
class AroundHost : public exec::Backend {
 public:
  core::Faults check(const core::Program& program, const core::Machine& machine) const override {
    return host_->check(program, machine);
  }
  void prepare(const core::Program& program, const core::Machine& machine,
               const core::Engine& engine) override {
    host_->prepare(program, machine, engine);
  }
  void write(core::SpaceId space, std::int64_t offset, std::span<const std::byte> bytes) override {
    host_->write(space, offset, bytes);
  }
  void read(core::SpaceId space, std::int64_t offset, std::span<std::byte> bytes) override {
    host_->read(space, offset, bytes);
  }
  void begin(bool is_timed) override { host_->begin(is_timed); }
  core::Time now() const override { return host_->now(); }
  void submit(const core::StartCopy& copy) override { host_->submit(copy); }
  void submit(const core::LaunchTask& launch) override { host_->submit(launch); }
  void flush() override { host_->flush(); }
  void collect(std::vector<exec::Completion>& completions, bool waits) override {
    host_->collect(completions, waits);
  }
  void end() override { host_->end(); }

 protected:
  explicit AroundHost(const exec::HostOptions& options)
      : host_(exec::create_host_backend(options)) {}

 private:
  std::unique_ptr<exec::Backend> host_;
};

/// Until the environment refuses: after so many steps, or to end.
class Refuses final : public AroundHost {
 public:
  explicit Refuses(std::optional<int> steps) : AroundHost({}), steps_(steps) {}
  void flush() override {
    AroundHost::flush();
    if (steps_ && (*steps_)-- == 0) throw exec::EnvironmentFailure("the driver refuses");
  }
  void end() override {
    AroundHost::end();
    if (!steps_) throw exec::EnvironmentFailure("the driver refuses");
  }

 private:
  std::optional<int> steps_;
};

/// Tells of cancelled commands last, when nothing else is in flight, as GPUs that end one after the
/// other may do.
class CancelsLate final : public AroundHost {
 public:
  explicit CancelsLate(const exec::FaultInjector& injector)
      : AroundHost({.spins_for_cost = true, .injector = injector}) {}
  void collect(std::vector<exec::Completion>& completions, bool waits) override {
    std::vector<exec::Completion> ended;
    AroundHost::collect(ended, waits && held_.size() < in_flight_);
    for (exec::Completion& completion : ended) {
      const bool is_cancelled = completion.kind == exec::Completion::Kind::kCancelled;
      (is_cancelled ? held_ : completions).push_back(std::move(completion));
    }
    in_flight_ -= completions.size();
    if (!completions.empty() || held_.size() < in_flight_) return;
    in_flight_ = 0;
    completions.swap(held_);
  }
  void submit(const core::StartCopy& copy) override {
    ++in_flight_;
    AroundHost::submit(copy);
  }
  void submit(const core::LaunchTask& launch) override {
    ++in_flight_;
    AroundHost::submit(launch);
  }

 private:
  std::size_t in_flight_ = 0;
  std::vector<exec::Completion> held_;
};

TEST_CASE("cancelled commands that are told of long after the failure end the run as others do") {
  FailingRun run;
  const Said said = run.run(MakeBackend([] {
    return core::Result<std::unique_ptr<exec::Backend>>(std::make_unique<CancelsLate>(
        [](const exec::CommandSite& site) -> std::optional<std::string> {
          if (site.is_copy || site.task != kThirdWriter) return std::nullopt;
          return "illegal memory access";
        }));
  }));
  CHECK_MESSAGE(said.code == 4, said.err);
  const Json json = run.check_files();
  REQUIRE(json["failed"].size() == 1);
  CHECK(json["cancelled"].get<int>() > 0);
  run.check_rerun();
}

TEST_CASE("an environment that ends a run: what was finished is reported, and files are whole") {
  for (const std::optional<int> steps :
       {std::optional<int>(), std::optional<int>(0), std::optional<int>(2)}) {
    CAPTURE(steps.value_or(-1));
    FailingRun run;
    const Said said = run.run(MakeBackend([&] {
      return core::Result<std::unique_ptr<exec::Backend>>(std::make_unique<Refuses>(steps));
    }));
    CHECK(said.code == 4);
    CHECK(has(said.err, "the run was stopped: the driver refuses"));
    CHECK(has(said.err, "final contents were not read") == steps.has_value());
    CHECK(run.folder().names() ==
          std::vector<std::string>{"j.jsonl", "s.json", "t.json", "w.json"});
    const std::string text = contents(run.folder().path("s.json"));
    CHECK(schema_fault("summary.schema.json", text) == "");
    const Json summary = Json::parse(text);
    CHECK(summary["stopped"] == "the driver refuses");
    CHECK(summary["tasks_finished"] == summary["tasks"].size());
    CHECK((summary["tasks"].size() == 8) == !steps.has_value());
    const Said replayed = parley({"replay", run.folder().path("j.jsonl")});
    CHECK_MESSAGE(replayed.code == 0, replayed.err);
    run.check_rerun();
  }
}

TEST_CASE("a full disk: the message names the file, the others are written") {
  if (!std::filesystem::exists("/dev/full")) return;  // no such device on this system
  for (const auto file :
       {&OutputOptions::summary, &OutputOptions::trace, &OutputOptions::journal}) {
    FailingRun run;
    run.arguments().output.*file = "/dev/full";
    const Said said = run.run(exec::FaultInjector());
    CHECK(said.code == 4);
    CHECK(has(said.err, "/dev/full: cannot be written"));
    CHECK(has(said.out, "Makespan"));
    CHECK(run.folder().names().size() == 3);  // the workload and two others
  }
}

// ---- signals ----

/// Some forty seconds of work, were it not for the signals.
std::vector<std::string> long_run(const TemporaryFolder& folder) {
  return {"exec",      "serial:steps=20000,block=4096,task_ns=2000000",
          "--backend", "host",
          "--devices", "1",
          "--journal", "-",
          "--summary", folder.path("s.json"),
          "--trace",   folder.path("t.json")};
}

TEST_CASE("Ctrl-C and SIGTERM end a run: what was finished is reported, and files are whole") {
  for (const int signal : {SIGINT, SIGTERM}) {
    CAPTURE(signal);
    const TemporaryFolder folder;
    ChildProcess child(long_run(folder), folder.path("err"));
    REQUIRE(child.read_until("\"task_done\""));
    child.signal(signal);
    const std::string journal = child.read_all();
    CHECK(child.wait() == 4);
    CHECK(has(contents(folder.path("err")), "interrupted"));
    CHECK(folder.names() == std::vector<std::string>{"err", "s.json", "t.json"});
    const std::string summary = contents(folder.path("s.json"));
    CHECK(schema_fault("summary.schema.json", summary) == "");
    const Json json = Json::parse(summary);
    CHECK(json["interrupted"] == true);
    CHECK(json["tasks_finished"].get<std::size_t>() > 0);
    CHECK(json["tasks_finished"].get<std::size_t>() < 20000);
    CHECK(json["tasks"].size() == json["tasks_finished"]);
    CHECK(json["final"].size() > 0);
    const Said replayed = parley({"replay", folder.file("j.jsonl", journal)});
    CHECK_MESSAGE(replayed.code == 0, replayed.err);
    CHECK(has(replayed.out, "where the recorded run stopped: interrupted"));
  }
}

TEST_CASE("signals to a process and its group, which come together, are one") {
  constexpr std::int64_t kSecond = 1'000'000'000;
  CHECK(!ends_at_once(5 * kSecond, 5 * kSecond));
  CHECK(!ends_at_once(5 * kSecond, 5 * kSecond + kSecond / 100));
  CHECK(ends_at_once(5 * kSecond, 5 * kSecond + kSecond / 5));
}

TEST_CASE("Ctrl-C while a run is verified leaves out the rest of that, and nothing else") {
  const TemporaryFolder folder;
  ChildProcess child(
      {"exec", "random:levels=30,width=10,blocks=20,block=1MiB,task_ns=0", "--backend", "host",
       "--devices", "1", "--verify", "--journal", "-", "--summary", folder.path("s.json")},
      folder.path("err"));
  REQUIRE(child.read_until("\"finish\""));
  child.signal(SIGINT);
  child.read_all();
  CHECK(child.wait() == 4);
  CHECK(has(contents(folder.path("err")), "verification: interrupted"));
  CHECK(folder.names() == std::vector<std::string>{"err", "s.json"});
  const Json json = Json::parse(contents(folder.path("s.json")));
  CHECK(json["tasks"].size() == 300);
  CHECK(!json.contains("verification"));
}

TEST_CASE("a user's kernel that crashes, leaves, or throws anything, is named") {
  const auto run = [](const TemporaryFolder& folder, const std::string& kernel) {
    const std::string file = folder.file("w.json", R"({"format": "parley-workload", "version": 1,
      "kernels": {")" + kernel + R"(": {"library": ")" PARLEY_USER_KERNELS R"(/faulty.so",
                            "arguments": ["inout"]}},
      "arrays": [{"name": "a", "shape": [2], "init": {"fill": 0}}],
      "tasks": [{"name": "the bad one", "inout": ["a"], "kernel": {"name": ")" +
                                                       kernel + "\"}}]}");
    ChildProcess child({"exec", file, "--backend", "host", "--summary", folder.path("s.json")},
                       folder.path("err"));
    child.read_all();
    return child.wait();
  };
  {
    const TemporaryFolder folder;
    CHECK(run(folder, "crashes") == 128 + SIGSEGV);
    CHECK(has(contents(folder.path("err")), "crashed by SIGSEGV"));
    CHECK(has(contents(folder.path("err")), "in task \"the bad one\""));
    CHECK(!std::filesystem::exists(folder.path("s.json")));
  }
  {
    const TemporaryFolder folder;
    CHECK(run(folder, "recurses") == 128 + SIGSEGV);
    CHECK(has(contents(folder.path("err")), "in task \"the bad one\""));
  }
  {
    const TemporaryFolder folder;
    CHECK(run(folder, "number") == 2);
    CHECK(has(contents(folder.path("err")), "\"number\" is data, not a function"));
  }
  {
    const TemporaryFolder folder;
    CHECK(run(folder, "leaves") == 4);
    CHECK(has(contents(folder.path("err")), "exit was called in task \"the bad one\""));
    CHECK(!std::filesystem::exists(folder.path("s.json")));
  }
  const TemporaryFolder folder;
  CHECK(run(folder, "throws") == 4);
  CHECK(has(contents(folder.path("err")), "task \"the bad one\" (kernel throws) on"));
  CHECK(std::filesystem::exists(folder.path("s.json")));
}

TEST_CASE("a library that is no file is refused, and not waited for") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo(folder.path("pipe.so").c_str(), 0600) == 0);
  for (const std::string& path : {folder.path("pipe.so"), folder.path(".")}) {
    const std::string file = folder.file("w.json", R"({"format": "parley-workload", "version": 1,
      "kernels": {"k": {"library": ")" + path + R"(", "arguments": ["inout"]}},
      "arrays": [{"name": "a", "shape": [2], "init": {"fill": 0}}],
      "tasks": [{"name": "t", "inout": ["a"], "kernel": {"name": "k"}}]})");
    const Said said = parley({"exec", file, "--backend", "host"});
    CHECK(said.code == 2);
    CHECK(has(said.err, "is no file, but a folder or a device"));
  }
}

TEST_CASE("so many virtual GPUs that their routes fill the memory are refused") {
  const Said said =
      parley({"exec", "cholesky:tiles=2,tile=8", "--backend", "host", "--devices", "1000000"});
  CHECK(said.code == 2);
  CHECK(has(said.err, "--devices: found 1000000; allowed: 1 to 1024"));
}

TEST_CASE("what a killed process had finished is in its journal") {
  const TemporaryFolder folder;
  std::vector<std::string> words = long_run(folder);
  const auto journal = std::ranges::find(words, "--journal");
  REQUIRE(journal != words.end());
  *(journal + 1) = folder.path("j.jsonl");
  words[1] = "serial:steps=20,block=8,task_ns=700000000";  // too few to fill a buffer meanwhile
  ChildProcess child(words, folder.path("err"));
  const auto partial = [&]() -> std::string {
    for (const std::string& name : folder.names()) {
      if (name.starts_with("j.jsonl.")) return folder.path(name);
    }
    return "";
  };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(7);
  const auto has_done = [&] {
    return !partial().empty() && has(contents(partial()), "\"task_done\"");
  };
  while (!has_done() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  child.signal(SIGKILL);
  child.read_all();
  CHECK(child.wait() == 128 + SIGKILL);
  REQUIRE(has_done());
  std::string kept = contents(partial());
  kept.resize(kept.rfind('\n') + 1);  // it may have been killed while it wrote
  const Said replayed = parley({"replay", folder.file("kept.jsonl", kept)});
  CHECK(replayed.code == 3);
  CHECK_MESSAGE(has(replayed.err, "identical until then, before the run did"), replayed.err);
}

TEST_CASE("expected values are numbers: NaN is NaN, and -0 is 0") {
  const TemporaryFolder folder;
  const auto run = [&](const std::string& expected) {
    const std::string text = R"({"format": "parley-workload", "version": 1,
      "arrays": [{"name": "a", "shape": [2], "dtype": "float64", "init": {"fill": -1}},
                 {"name": "b", "shape": [2], "dtype": "float64", "init": {"fill": 0}}],
      "tasks": [{"name": "root", "inout": ["a"], "kernel": {"name": "sqrt"},
                 "expect": {"a": "nan"}},
                {"name": "minus", "inout": ["b"], "kernel": {"name": "scale", "value": -1},
                 "expect": {"b": )" +
                             expected + "}}]}";
    return parley({"exec", folder.file("w.json", text), "--backend", "host", "--devices", "1"});
  };
  CHECK_MESSAGE(run("0").code == 0, run("0").err);
  CHECK(run("1").code == 3);
}

TEST_CASE("a second Ctrl-C ends the process at once") {
  const TemporaryFolder folder;
  // Tasks of a minute, which an interrupted run would wait for.
  std::vector<std::string> words = long_run(folder);
  words[1] = "serial:steps=20,chains=200,block=4096,task_ns=60000000000";
  words.insert(words.end(), {"--window", "unlimited"});
  ChildProcess child(words, folder.path("err"));
  REQUIRE(child.read_until("\"launch\""));
  child.signal_until_it_ends(SIGINT);
  CHECK(child.wait() == 128 + SIGINT);
  CHECK(!std::filesystem::exists(folder.path("s.json")));
}

TEST_CASE("a killed process leaves no file under its final name, and the next run works") {
  const TemporaryFolder folder;
  {
    ChildProcess child(long_run(folder), folder.path("err"));
    REQUIRE(child.read_until("\"task_done\""));
    child.signal(SIGKILL);
    child.read_all();
    CHECK(child.wait() == 128 + SIGKILL);
  }
  CHECK(!std::filesystem::exists(folder.path("s.json")));
  CHECK(!std::filesystem::exists(folder.path("t.json")));
  const Said said =
      parley({"exec", "serial:steps=3,block=4096,task_ns=1000", "--backend", "host", "--summary",
              folder.path("s.json"), "--trace", folder.path("t.json"), "--verify"});
  CHECK_MESSAGE(said.code == 0, said.err);
  CHECK(schema_fault("summary.schema.json", contents(folder.path("s.json"))) == "");
}

TEST_CASE("a kernel that fails when it is verified: the run counts, its files are whole") {
  const TemporaryFolder folder;
  const std::string workload = folder.file("w.json", R"({"format": "parley-workload", "version": 1,
      "kernels": {"tires": {"library": ")" PARLEY_USER_KERNELS
                                                     R"(/faulty.so", "arguments": ["inout"]}},
      "arrays": [{"name": "A", "shape": [4], "init": {"fill": 1}}],
      "tasks": [{"name": "t", "placement": "gpu", "inout": ["A"], "kernel": {"name": "tires"}}]})");
  ChildProcess child(
      {"exec", workload, "--backend", "host", "--verify", "--summary", folder.path("s.json")},
      folder.path("err"));
  child.read_all();
  CHECK(child.wait() == 3);
  CHECK(contents(folder.path("err")) ==
        "verification failed: executed once more, one task after another, task \"t\": kernel tires "
        "returned 7\n");
  const Json json = Json::parse(contents(folder.path("s.json")));
  CHECK(json["verification"]["holds"] == false);
}

TEST_CASE("runs that fail are no measurements: not among repetitions, and not in predictions") {
  const TemporaryFolder folder;
  const auto workload = [&](const std::string& kernel) {
    return folder.file(kernel + ".json", R"({"format": "parley-workload", "version": 1,
        "kernels": {")" + kernel + R"(": {"library": ")" PARLEY_USER_KERNELS R"(/faulty.so",
                                          "arguments": ["inout"]}},
        "arrays": [{"name": "A", "shape": [4], "init": {"fill": 1}}],
        "tasks": [{"name": "t", "placement": "gpu", "inout": ["A"], "kernel": {"name": ")" +
                                             kernel + "\"}}]}");
  };
  ChildProcess child({"exec", workload("tires"), "--backend", "host", "--repeat", "3", "--summary",
                      folder.path("s.json")},
                     folder.path("err"));
  child.read_all();
  CHECK(child.wait() == 4);  // the second run
  CHECK(Json::parse(contents(folder.path("s.json")))["runs_ns"].size() == 1);
  const Said said =
      parley({"predict", workload("throws"), "--backend", "host", "--machine", "h200x1"});
  CHECK(said.code != 0);
  CHECK(has(said.out, "\nNo run was completed: nothing is predicted\n"));
  CHECK_FALSE(has(said.out, "Median error"));
}

TEST_CASE("memories too small to be measured are no machine") {
  const TemporaryFolder folder;
  const Said said = parley({"calibrate", "--backend", "host", "--devices", "1", "--limit",
                            "gpu=64KiB", "-o", folder.path("m.json")});
  CHECK(said.code == 4);
  CHECK_MESSAGE(has(said.err, "the memories are too small to be measured: "), said.err);
  CHECK(folder.names().empty());
}

}  // namespace
}  // namespace parley::cli
