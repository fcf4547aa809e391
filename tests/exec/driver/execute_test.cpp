#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "exec/executor.h"
#include "exec/host/host_backend.h"
#include "workloads/machine_file.h"
#include "workloads/workload.h"

namespace parley::exec {
namespace {

using core::Machine;
using core::Program;
using core::TaskId;

Machine machine(const std::string& name, std::vector<std::string> limits = {}) {
  auto loaded = workloads::load_machine(name, limits);
  REQUIRE(loaded);
  return std::move(*loaded);
}

Program workload(const std::string& spec) {
  auto loaded = workloads::load_workload(spec);
  REQUIRE(loaded);
  return std::move(*loaded);
}

ExecOptions options_of(const std::string& mapper) {
  ExecOptions options;
  options.engine.mapper = mapper;
  options.engine.check_invariants = true;
  return options;
}

std::unique_ptr<Backend> quick_backend(FaultInjector injector = {}) {
  return create_host_backend({false, std::move(injector)});
}

void check_contents(const Program& program, const ExecResult& result) {
  const KernelRegistry kernels;
  const SequentialResult expected = execute_sequentially(program, kernels);
  for (std::size_t i = 0; i < program.array_count(); ++i) {
    const core::ArrayId array(i);
    if (program.array(array).spec.at_end == core::AtEnd::kDiscard) continue;
    CAPTURE(program.array(array).spec.name);
    CHECK(result.arrays[array].is_complete);
    const auto difference =
        first_difference(program, array, expected.arrays[array], result.arrays[array].bytes);
    CHECK_MESSAGE(!difference, difference.value_or(""));
  }
}

TEST_CASE("an executed run has the contents of sequential execution, on real threads") {
  const char* const workloads[] = {"cholesky:tiles=5,tile=16",
                                   "jacobi:blocks=4,rows=4,columns=16,iterations=4",
                                   "random:levels=12,width=8,blocks=16,block=512",
                                   "reduce:block=256", "wavefront:rows=6,columns=6,block=128"};
  const Machine four = machine("h200x4");
  for (const char* spec : workloads) {
    const Program program = workload(spec);
    for (const char* mapper : {"round_robin", "earliest_finish", "parla"}) {
      CAPTURE(spec);
      CAPTURE(mapper);
      const auto backend = quick_backend();
      const auto result = execute(program, four, options_of(mapper), *backend);
      REQUIRE(result);
      CHECK(result->is_finished());
      CHECK(result->run.tasks.size() == program.task_count());
      check_contents(program, *result);
    }
  }
}

/// Rests whenever it is given something to do or asked for anything.
class SlowBackend final : public Backend {
 public:
  explicit SlowBackend(std::unique_ptr<Backend> real) : real_(std::move(real)) {}
  void prepare(const Program& program, const Machine& on, const core::Engine& engine) override {
    real_->prepare(program, on, engine);
  }
  [[nodiscard]] core::Faults check(const Program& program, const Machine& on) const override {
    return real_->check(program, on);
  }
  void write(core::SpaceId space, std::int64_t at, std::span<const std::byte> bytes) override {
    real_->write(space, at, bytes);
  }
  void read(core::SpaceId space, std::int64_t at, std::span<std::byte> bytes) override {
    real_->read(space, at, bytes);
  }
  void begin(bool is_timed) override { real_->begin(is_timed); }
  [[nodiscard]] core::Time now() const override { return real_->now(); }
  void submit(const core::StartCopy& copy) override {
    rest();
    real_->submit(copy);
  }
  void submit(const core::LaunchTask& launch) override {
    rest();
    real_->submit(launch);
  }
  void flush() override {
    rest();
    rest();
    real_->flush();
  }
  void collect(std::vector<Completion>& completions, bool waits) override {
    rest();
    rest();
    real_->collect(completions, waits);
  }
  void end() override { real_->end(); }
  static constexpr std::int64_t kRestNs = 2'000'000;

 private:
  static void rest() { std::this_thread::sleep_for(std::chrono::nanoseconds(kRestNs)); }
  std::unique_ptr<Backend> real_;
};

TEST_CASE("time spent on decisions is that of steps and of handing over, not of waiting") {
  const Program program = workload("cholesky:tiles=4,tile=8");
  SlowBackend backend(quick_backend());
  const auto start = std::chrono::steady_clock::now();
  const auto result = execute(program, machine("h200x2"), options_of("round_robin"), backend);
  REQUIRE(result);
  const core::EngineStatistics& statistics = result->engine->statistics();
  const std::uint64_t handed_over = statistics.copies + statistics.tasks_issued;
  CHECK(result->run.commands >= handed_over);  // what is dropped is a command, too
  CHECK(result->run.deciding.count() >=
        static_cast<std::int64_t>(handed_over) * SlowBackend::kRestNs);
  // Each step flushes, and all but the first collect before: two rests each.
  const auto steps = static_cast<std::int64_t>(statistics.steps);
  const std::int64_t waited = (4 * steps - 2) * SlowBackend::kRestNs;
  const std::chrono::nanoseconds wall = std::chrono::steady_clock::now() - start;
  CHECK(result->run.deciding.count() + waited <= wall.count());
}

TEST_CASE("a backend serves one run after the other, on real threads") {
  const Machine two = machine("h200x2");
  const auto backend = quick_backend();
  for (const char* spec : {"serial:block=64", "cholesky:tiles=3,tile=8", "serial:block=640"}) {
    const Program program = workload(spec);
    const auto result = execute(program, two, options_of("round_robin"), *backend);
    REQUIRE(result);
    check_contents(program, *result);
  }
}

TEST_CASE("memory of little more than a working set changes no result, on real threads") {
  const Program program = workload("cholesky:tiles=6,tile=32");
  const Machine small = machine("h200x2", {"gpu=40KiB"});
  const auto backend = quick_backend();
  const auto result = execute(program, small, options_of("earliest_finish"), *backend);
  REQUIRE(result);
  CHECK(result->engine->statistics().evictions > 0);
  check_contents(program, *result);
}

TEST_CASE("a failing command ends the run; what does not wait for it is kept, on real threads") {
  const Program program = workload("cholesky:tiles=5,tile=16");
  const Machine two = machine("h200x2");
  const TaskId victim = *program.find_task("trsm[3,1]");
  const auto backend = quick_backend([&](const CommandSite& site) -> std::optional<std::string> {
    if (site.task == victim && !site.is_copy) return "deliberate fault";
    return std::nullopt;
  });
  const auto result = execute(program, two, options_of("round_robin"), *backend);
  REQUIRE(result);
  CHECK(!result->is_finished());
  REQUIRE(result->failures.size() == 1);
  CHECK(result->failures[0].task == victim);
  CHECK(result->failures[0].cause == "deliberate fault");
  CHECK(result->run.tasks.size() < program.task_count());
  CHECK(result->run.tasks.size() > 0);
  // The tile that was being written is lost, and nothing else of its row's earlier tiles.
  REQUIRE(!result->lost.empty());
  CHECK(program.array(result->lost[0].array).spec.name == "A_3_1");
}

TEST_CASE("a device that disappears fails what runs there and cancels what waits") {
  const Program program = workload("cholesky:tiles=6,tile=16");
  const Machine two = machine("h200x2");
  std::atomic<int> launches = 0;
  const auto backend = quick_backend([&](const CommandSite& site) -> std::optional<std::string> {
    const bool is_second =
        site.is_copy ? two.space(site.from).name == "gpu1" || two.space(site.to).name == "gpu1"
                     : two.device(site.device).name == "gpu:1";
    if (is_second && ++launches > 5) return "the device is gone";
    return std::nullopt;
  });
  const auto result = execute(program, two, options_of("round_robin"), *backend);
  REQUIRE(result);
  CHECK(!result->failures.empty());
  for (const CommandFailure& failure : result->failures)
    CHECK(failure.cause == "the device is gone");
}

TEST_CASE("an interrupted run ends early with what had been started, on real threads") {
  const Program program = workload("serial:steps=200,block=64");
  const Machine one = machine("h200x1");
  std::atomic<bool> interrupt = false;
  const auto backend = quick_backend([&](const CommandSite& site) -> std::optional<std::string> {
    if (!site.is_copy && site.task.index() == 20) interrupt = true;
    return std::nullopt;
  });
  ExecOptions options = options_of("earliest_finish");
  options.interrupt = &interrupt;
  const auto result = execute(program, one, options, *backend);
  REQUIRE(result);
  CHECK(result->is_interrupted);
  CHECK(result->run.tasks.size() > 20);
  CHECK(result->run.tasks.size() < 200);
}

TEST_CASE("what was issued and had not started when a run is interrupted is cancelled") {
  const Program program = workload("serial:steps=200,block=64");
  const Machine one = machine("h200x1");
  std::atomic<bool> interrupt = false;
  // Every task takes a while, and all are issued at once.
  const auto backend = quick_backend([&](const CommandSite& site) -> std::optional<std::string> {
    if (!site.is_copy && site.task.index() == 5) interrupt = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return std::nullopt;
  });
  ExecOptions options = options_of("earliest_finish");
  options.engine.window = 0;
  options.interrupt = &interrupt;
  const auto result = execute(program, one, options, *backend);
  REQUIRE(result);
  CHECK(result->is_interrupted);
  CHECK(result->run.tasks.size() > 5);
  CHECK(result->run.tasks.size() < 150);
  CHECK(result->cancelled_commands >= 200 - result->run.tasks.size());
}

double first_of(const ShownValues& shown) {
  double value = 0;
  std::memcpy(&value, shown.bytes.data(), sizeof value);
  return value;
}

TEST_CASE("values are shown as they were before and after a task, on real threads") {
  Program program("p");
  const auto array = *program.add_array(
      {.name = "A",
       .shape = {3},
       .initial = core::Initial{core::Initial::Kind::kFill, std::vector<std::byte>(8), 0}});
  for (int i = 0; i < 8; ++i) {
    core::TaskSpec task;
    task.accesses = {{program.whole(array).region, core::AccessMode::kInout, 0, {}}};
    task.kernel = {{"add_scalar", {{"value", 1.0}}, {{false, 0, {}}}}};
    task.placement = core::Placement{{.members = {i % 2 == 0 ? "gpu:0" : "gpu:1"}}};
    task.show = {{array, core::Show::Values::kStart, false},
                 {array, core::Show::Values::kEnd, false}};
    REQUIRE(program.spawn(std::move(task)));
  }
  REQUIRE(program.close());
  const auto backend = quick_backend();
  const auto result = execute(program, machine("h200x2"), options_of(""), *backend);
  REQUIRE(result);
  REQUIRE(result->shown.size() == 16);
  for (std::size_t i = 0; i < 8; ++i) {
    CHECK(first_of(result->shown[2 * i]) == static_cast<double>(i));
    CHECK(first_of(result->shown[2 * i + 1]) == static_cast<double>(i + 1));
  }
}

TEST_CASE("an expectation that does not hold is reported with what was found, on real threads") {
  Program program("p");
  const auto array = *program.add_array(
      {.name = "A",
       .shape = {2},
       .initial = core::Initial{core::Initial::Kind::kFill, std::vector<std::byte>(8), 0}});
  const core::RegionId whole = program.whole(array).region;
  for (const double expected : {1.0, 3.0}) {
    core::TaskSpec task;
    task.accesses = {{whole, core::AccessMode::kInout, 0, {}}};
    task.kernel = {{"add_scalar", {{"value", 1.0}}, {{false, 0, {}}}}};
    core::Expectation expectation{whole, std::vector<std::byte>(16)};
    std::memcpy(expectation.bytes.data(), &expected, 8);
    std::memcpy(expectation.bytes.data() + 8, &expected, 8);
    task.expect = {expectation};
    REQUIRE(program.spawn(std::move(task)));
  }
  REQUIRE(program.close());
  const auto backend = quick_backend();
  const auto result = execute(program, machine("h200x1"), options_of(""), *backend);
  REQUIRE(result);
  REQUIRE(result->failed_expectations.size() == 1);
  CHECK(result->failed_expectations[0].task == TaskId(1));
  double found = 0;
  std::memcpy(&found, result->failed_expectations[0].found.data(), 8);
  CHECK(found == 2.0);
}

Program parsed(const std::string& json) {
  auto program = workloads::parse_workload(json, "test");
  for (const core::Fault& fault : program.faults()) MESSAGE(fault.where, ": ", fault.what);
  REQUIRE(program);
  return std::move(*program);
}

TEST_CASE("values before a task are those before its copies make room, on real threads") {
  // B is fetched to where A was: A is written back, then overwritten.
  const Program program = parsed(R"({"format": "parley-workload", "version": 1, "name": "start",
      "dependencies": "explicit",
      "arrays": [{"name": "A", "shape": [131072], "init": {"fill": 1}},
                 {"name": "B", "shape": [131072], "init": {"fill": 2}}],
      "tasks": [{"name": "a", "placement": "gpu:0", "inout": ["A"],
                 "kernel": {"name": "scale", "value": 3}},
                {"name": "b", "after": ["a"], "placement": "gpu:0", "inout": ["B"],
                 "kernel": {"name": "scale", "value": 5},
                 "show": {"array": "A", "values": "start"}}]})");
  for (int round = 0; round < 20; ++round) {
    const auto backend = quick_backend();
    const auto result =
        execute(program, machine("h200x1", {"gpu=1100KiB"}), options_of(""), *backend);
    REQUIRE(result);
    REQUIRE(result->shown.size() == 1);
    CHECK(first_of(result->shown[0]) == 3.0);
  }
}

TEST_CASE("evictions in a row that show something are no stall, on real threads") {
  const Program program = parsed(R"({"format": "parley-workload", "version": 1, "name": "evict",
      "dependencies": "explicit", "arrays": [{"name": "A", "shape": [6], "init": {"fill": 1}}],
      "tasks": [{"name": "a", "placement": "gpu:1", "in": ["A"], "show": ["A"]},
                {"name": "E", "after": ["a"], "evict": "A", "space": "gpu1", "show": ["A"]},
                {"name": "F", "after": ["E"], "evict": "A", "space": "gpu0", "show": ["A"]},
                {"name": "b", "after": ["F"], "placement": "gpu:0", "in": ["A"], "show": ["A"]}]})");
  const auto backend = quick_backend();
  const auto result = execute(program, machine("h200x2"), options_of(""), *backend);
  REQUIRE(result);
  CHECK(result->is_finished());
  CHECK(result->shown.size() == 4);
}

}  // namespace
}  // namespace parley::exec
