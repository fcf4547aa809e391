#include "workloads/check/check.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "workloads/check/parla_workload.h"
#include "workloads/workload.h"

using namespace parley;
using namespace parley::workloads;
using core::AccessMode;
using core::TaskId;

namespace {

struct Use {
  AccessMode mode;
  std::string what;  // "A": the whole; "s": A[2:5]; "t": A[4:6]; "0": A[0]
};

struct Step {
  std::string device;
  std::vector<Use> uses;
  bool touches_nothing = false;
  std::vector<std::size_t> after = {};  // explicit programs
};

constexpr AccessMode kIn = AccessMode::kIn, kOut = AccessMode::kOut, kInout = AccessMode::kInout;

core::RegionView region(core::Program& program, const std::string& what) {
  const core::RegionView whole = program.whole(core::ArrayId(0));
  if (what == "A") return whole;
  core::Index index = core::Slice{2, 5, std::nullopt};
  if (what == "t") index = core::Slice{4, 6, std::nullopt};
  if (what == "0") index = std::int64_t{0};
  return *program.slice(whole, std::span(&index, 1));
}

/// T[0], T[1], ... on one array A of eight doubles at the host.
core::Program program_of(const std::vector<Step>& steps,
                         core::DependencyMode mode = core::DependencyMode::kInferred) {
  core::Program program("p", mode);
  core::ArraySpec spec;
  spec.name = "A";
  spec.shape = {8};
  spec.initial.kind = core::Initial::Kind::kArange;
  REQUIRE(program.add_array(spec));
  const core::TaskSpace space("T");
  for (std::size_t i = 0; i < steps.size(); ++i) {
    core::TaskSpec task;
    task.name = space(i);
    for (const Use& use : steps[i].uses) {
      const core::RegionView view = region(program, use.what);
      task.accesses.push_back({view.region, use.mode, 0, view.view});
    }
    core::Alternative alternative;
    alternative.members = {steps[i].device};
    task.placement = {alternative};
    if (steps[i].touches_nothing) task.kernel.push_back({"none", {}, {}});
    for (const std::size_t on : steps[i].after) task.after.push_back(TaskId(on));
    REQUIRE(program.spawn(task));
  }
  REQUIRE(program.close());
  return program;
}

std::optional<ParlaFinding> first_of(const ParlaReport& report, ParlaProblem problem) {
  const auto found =
      std::find_if(report.findings.begin(), report.findings.end(),
                   [&](const ParlaFinding& finding) { return finding.problem == problem; });
  if (found == report.findings.end()) return std::nullopt;
  return *found;
}

std::size_t stale_reads(const ParlaReport& report, ParlaGeneration generation) {
  std::size_t total = 0;
  for (const ParlaProblem problem :
       {ParlaProblem::kMissingWriteBack, ParlaProblem::kStaleSlice, ParlaProblem::kStaleMerge,
        ParlaProblem::kStaleWhole, ParlaProblem::kOldVersion}) {
    total += report.count(generation, problem);
  }
  return total;
}

}  // namespace

TEST_CASE("the eight sequences are stale reads of the last task, in the generations known") {
  struct Case {
    const char* name;
    std::vector<Step> steps;
    ParlaProblem problem;
    bool is_in_cpp;
    const char* text;
  };
  const std::vector<Case> cases = {
      {"S1",
       {{"gpu:0", {{kInout, "s"}}}, {"gpu:1", {{kIn, "s"}}}},
       ParlaProblem::kMissingWriteBack,
       true,
       "T[1] reads A[2:5] on gpu:1: Parla returns the contents from before T[0] (the initial "
       "ones)"},
      {"S2",
       {{"gpu:0", {{kIn, "s"}}}, {"cpu", {{kInout, "A"}}}, {"gpu:0", {{kIn, "s"}}}},
       ParlaProblem::kStaleSlice,
       true,
       "T[2] reads A[2:5] on gpu:0: Parla returns the contents from before T[1] (the initial "
       "ones)"},
      {"S3",
       {{"gpu:0", {{kIn, "s"}}}, {"cpu", {{kInout, "A"}}}, {"gpu:1", {{kIn, "A"}}}},
       ParlaProblem::kStaleMerge,
       true,
       "T[2] reads A on gpu:1: Parla returns in A[2:5] the contents from before T[1] (the initial "
       "ones)"},
      {"S4",
       {{"gpu:0", {{kIn, "s"}}}, {"cpu", {{kInout, "s"}}}, {"gpu:1", {{kIn, "A"}}}},
       ParlaProblem::kStaleMerge,
       true,
       "T[2] reads A on gpu:1: Parla returns in A[2:5] the contents from before T[1] (the initial "
       "ones)"},
      {"S5",
       {{"gpu:1", {{kIn, "s"}}}, {"gpu:0", {{kInout, "s"}}}, {"cpu", {{kIn, "A"}}}},
       ParlaProblem::kStaleMerge,
       true,
       "T[2] reads A on cpu: Parla returns in A[2:5] the contents from before T[1] (the initial "
       "ones)"},
      {"S6",
       {{"gpu:0", {{kInout, "A"}}},
        {"gpu:1", {{kIn, "s"}}},
        {"gpu:0", {{kInout, "A"}}},
        {"gpu:1", {{kIn, "s"}}}},
       ParlaProblem::kStaleSlice,
       true,
       "T[3] reads A[2:5] on gpu:1: Parla returns the contents from before T[2] (those of T[0])"},
      {"S7",
       {{"gpu:0", {{kIn, "A"}}}, {"gpu:1", {{kInout, "s"}}}, {"cpu", {{kIn, "A"}}}},
       ParlaProblem::kStaleWhole,
       false,
       "T[2] reads A on cpu: Parla returns in A[2:5] the contents from before T[1] (the initial "
       "ones) [Parla 0.2 only]"},
      {"S8",
       {{"gpu:0", {{kInout, "s"}}}, {"gpu:0", {{kInout, "A"}}}, {"gpu:1", {{kIn, "A"}}}},
       ParlaProblem::kOldVersion,
       false,
       "T[2] reads A on gpu:1: Parla returns in A[0:2] the contents from before T[1] (the initial "
       "ones) [Parla 0.2 only]"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const core::Program program = program_of(c.steps);
    const ParlaReport report = check_program(program).parla;
    CHECK(stale_reads(report, ParlaGeneration::kPython) == 1);
    CHECK(stale_reads(report, ParlaGeneration::kCpp) == (c.is_in_cpp ? 1 : 0));
    const auto finding = first_of(report, c.problem);
    REQUIRE(finding);
    CHECK(finding->task == TaskId(c.steps.size() - 1));
    CHECK(!report.is_right(ParlaGeneration::kPython));
    CHECK(finding_text(program, *finding) == std::string(c.text));
  }
}

namespace {

core::Program lesson_6(bool has_write_back) {
  std::vector<Step> steps = {{"gpu:0", {{kOut, "0"}}, false, {}}};
  if (has_write_back) steps.push_back({"cpu", {{kInout, "A"}}, true, {0}});
  steps.push_back({"gpu:1", {{kIn, "0"}}, true, {0}});
  if (has_write_back) steps.back().after.push_back(1);
  return program_of(steps, core::DependencyMode::kExplicit);
}

}  // namespace

TEST_CASE("lesson 6: without the write-back task Parla returns the old slice, and it is said why") {
  const core::Program program = lesson_6(false);
  const CheckReport report = check_program(program);
  CHECK(report.is_sound());  // not the workload's fault
  CHECK(!report.parla.is_right(ParlaGeneration::kPython));
  CHECK(!report.parla.is_right(ParlaGeneration::kCpp));
  const std::string text = check_text(program, report);
  CAPTURE(text);
  CHECK(text.find("T[1] reads A[0] on gpu:1: Parla returns the contents from before T[0] (the "
                  "initial ones)\n") != std::string::npos);
  CHECK(text.find("missing write-back, 1 time") != std::string::npos);
  CHECK(text.find("put a task with inout=[the whole array] in between") != std::string::npos);
}

TEST_CASE("lesson 6: with the write-back task both generations are right") {
  const CheckReport report = check_program(lesson_6(true));
  CHECK(report.parla.is_right(ParlaGeneration::kPython));
  CHECK(report.parla.is_right(ParlaGeneration::kCpp));
  // As it stands the C++ generation does not write outputs, the write-back finds nothing to do.
  CHECK(report.parla.count(ParlaGeneration::kCppAsItStands, ParlaProblem::kSilentOutput) == 2);
}

TEST_CASE("the same slice on the same device, and whole arrays anywhere, need nothing") {
  CHECK(check_program(program_of({{"gpu:0", {{kInout, "s"}}}, {"gpu:0", {{kIn, "s"}}}}))
            .parla.is_right(ParlaGeneration::kPython));
  std::vector<Step> steps;
  for (int i = 0; i < 20; ++i) {
    const char* const device = i % 3 == 0 ? "cpu" : i % 3 == 1 ? "gpu:0" : "gpu:1";
    steps.push_back({device, {{i % 4 == 0 ? kIn : kInout, "A"}}});
  }
  const ParlaReport report = check_program(program_of(steps)).parla;
  for (const ParlaGeneration generation : kParlaGenerations) CHECK(report.is_right(generation));
}

TEST_CASE("an output is fetched needlessly, and silent as it stands") {
  const core::Program program = program_of({{"gpu:0", {{kOut, "A"}}}, {"cpu", {{kIn, "A"}}}});
  const ParlaReport report = check_program(program).parla;
  CHECK(report.needless_bytes == core::Bytes(64));
  const auto copy = first_of(report, ParlaProblem::kNeedlessCopy);
  REQUIRE(copy);
  CHECK(finding_text(program, *copy) ==
        "T[0] only writes A on gpu:0: Parla copies the old 64 bytes there first");
  CHECK(report.is_right(ParlaGeneration::kPython));
  CHECK(report.is_right(ParlaGeneration::kCpp));
  CHECK(report.count(ParlaGeneration::kCppAsItStands, ParlaProblem::kSilentOutput) == 1);
}

TEST_CASE("slices that overlap are undefined in Parla when one is written") {
  const core::Program program =
      program_of({{"gpu:0", {{kInout, "s"}}}, {"gpu:0", {{kInout, "t"}}}});
  const ParlaReport report = check_program(program).parla;
  const auto finding = first_of(report, ParlaProblem::kOverlap);
  REQUIRE(finding);
  CHECK(finding_text(program, *finding) ==
        "T[1] uses A[4:6], which overlaps a slice that T[0] uses");
  CHECK(report.total(ParlaProblem::kOverlap) == 1);
  const core::Program readers = program_of({{"gpu:0", {{kIn, "s"}}}, {"gpu:0", {{kIn, "t"}}}});
  CHECK(check_program(readers).parla.total(ParlaProblem::kOverlap) == 0);
}

TEST_CASE("a writer behind a task that does not name the array is overlooked by the prefetch") {
  const auto steps = [](bool names_writer) {
    std::vector<Step> out = {{"gpu:0", {{kInout, "A"}}, false, {}},
                             {"cpu", {}, true, {0}},
                             {"gpu:1", {{kIn, "A"}}, true, {1}}};
    if (names_writer) out[2].after.push_back(0);
    return out;
  };
  const core::Program hole = program_of(steps(false), core::DependencyMode::kExplicit);
  const ParlaReport report = check_program(hole).parla;
  CHECK(report.count(ParlaGeneration::kCpp, ParlaProblem::kPrefetchHole) == 1);
  CHECK(report.count(ParlaGeneration::kPython, ParlaProblem::kPrefetchHole) == 1);
  CHECK(finding_text(hole, *first_of(report, ParlaProblem::kPrefetchHole)) ==
        "T[2] reads A on gpu:1: Parla's prefetch of it does not wait for T[0]");
  const core::Program none = program_of(steps(true), core::DependencyMode::kExplicit);
  CHECK(check_program(none).parla.total(ParlaProblem::kPrefetchHole) == 0);
}

TEST_CASE("Parla 0.2's prefetch of a slice does not see tasks on the whole, even direct ones") {
  const core::Program program =
      program_of({{"gpu:0", {{kInout, "A"}}, false, {}}, {"gpu:1", {{kIn, "s"}}, true, {0}}},
                 core::DependencyMode::kExplicit);
  const ParlaReport report = check_program(program).parla;
  CHECK(report.count(ParlaGeneration::kPython, ParlaProblem::kPrefetchHole) == 1);
  CHECK(report.count(ParlaGeneration::kCpp, ParlaProblem::kPrefetchHole) == 0);
}

TEST_CASE(
    "a mapping decides where tasks run; without one, what can go wrong on two GPUs is shown") {
  const core::Program program = program_of({{"gpu", {{kInout, "s"}}}, {"gpu", {{kIn, "s"}}}});
  const CheckReport together = check_program(program, nullptr, {"gpu:1", "gpu:1"});
  CHECK(together.parla_placement == ParlaPlacement::kGiven);
  CHECK(together.parla.is_right(ParlaGeneration::kCpp));
  const CheckReport mapped = check_program(program, nullptr, {"gpu:0", "gpu:2"});
  CHECK(mapped.parla.total(ParlaProblem::kMissingWriteBack) == 1);
  CHECK(mapped.parla.findings.front().device == "gpu:2");
  const CheckReport open = check_program(program);
  CHECK(open.parla_placement == ParlaPlacement::kInTurn);
  CHECK(open.parla.total(ParlaProblem::kMissingWriteBack) == 1);
  CHECK(check_text(program, open).find("on the GPUs in turn):\n") != std::string::npos);
  const CheckReport harmless = check_program(program_of({{"gpu", {{kInout, "A"}}}}));
  CHECK(harmless.parla_placement == ParlaPlacement::kFirst);
  CHECK(harmless.parla.is_right(ParlaGeneration::kPython));
}

TEST_CASE("no more findings of a problem are kept than the limit; all are counted") {
  std::vector<Step> steps;
  for (int i = 0; i < 300; ++i) {
    steps.push_back({"gpu:0", {{kInout, "s"}}});
    steps.push_back({"gpu:1", {{kIn, "s"}}});
  }
  const core::Program program = program_of(steps);
  const ParlaReport report = check_program(program).parla;
  CHECK(report.total(ParlaProblem::kMissingWriteBack) == 1);
  CHECK(report.total(ParlaProblem::kStaleSlice) == 299);
  CHECK(std::count_if(report.findings.begin(), report.findings.end(), [](const ParlaFinding& f) {
          return f.problem == ParlaProblem::kStaleSlice;
        }) == 100);
  CHECK(check_text(program, check_program(program)).find("and 294 more\n") != std::string::npos);
}

TEST_CASE("an evicted last copy is found at the host afterwards") {
  core::Program program("p");
  core::ArraySpec spec;
  spec.name = "A";
  spec.shape = {8};
  spec.initial.kind = core::Initial::Kind::kArange;
  const core::RegionId all = program.whole(*program.add_array(spec)).region;
  const auto spawn = [&](const char* device, AccessMode mode) {
    core::TaskSpec task;
    task.accesses = {{all, mode, 0, {}}};
    core::Alternative alternative;
    alternative.members = {device};
    task.placement = {alternative};
    REQUIRE(program.spawn(task));
  };
  spawn("gpu:1", kInout);
  core::TaskSpec evict;
  evict.kind = core::TaskKind::kEvict;
  evict.accesses = {{all, kInout, 0, {}}};
  evict.evict_space = "gpu1";
  REQUIRE(program.spawn(evict));
  spawn("cpu", kIn);
  REQUIRE(program.close());
  const CheckReport report = check_program(program);
  for (const ParlaGeneration generation : kParlaGenerations) {
    CHECK(report.parla.is_right(generation));
  }
  CHECK(report.statistics.evictions == 1);
}

TEST_CASE("statistics count what is there") {
  const core::Program program =
      program_of({{"gpu:0", {{kInout, "s"}}}, {"gpu:0", {{kInout, "t"}}}, {"cpu", {{kIn, "A"}}}});
  const ProgramStatistics statistics = check_program(program).statistics;
  CHECK(statistics.tasks == 3);
  CHECK(statistics.accesses == 3);
  CHECK(statistics.dependencies == 3);
  CHECK(statistics.arrays == 1);
  CHECK(statistics.array_bytes == core::Bytes(64));
  CHECK(statistics.regions == 3);
  CHECK(statistics.pieces == 4);  // A[2:4], A[4:5], A[5:6] and the rest
  CHECK(statistics.most_pieces == 4);
  CHECK(statistics.finest == program.array(core::ArrayId(0)).whole);
  CHECK(statistics.shape.depth == 3);
  CHECK(statistics.smallest_working_set == core::Bytes(256));
  CHECK(statistics.largest_working_set == core::Bytes(256));
}

TEST_CASE("a racy workload is not sound, its races are listed, and Parla is not asked") {
  const core::Program program = program_of({{"gpu:0", {{kInout, "A"}}}, {"gpu:1", {{kIn, "s"}}}},
                                           core::DependencyMode::kExplicit);
  const CheckReport report = check_program(program);
  CHECK(!report.is_sound());
  const std::string text = check_text(program, report);
  CHECK(text.find("1 data race, 0 undefined reads:\n  T[1]: data race: reads A[2:5], while T[0] "
                  "reads and writes A (common: A[2:5])") != std::string::npos);
  CHECK(text.find("What Parla would do") == std::string::npos);
}

namespace {

core::Machine machine_of(std::int64_t gpu_bytes) {
  core::MachineSpec spec;
  spec.name = "small";
  const core::SpaceId host = spec.spaces.push_back({"host", core::Bytes(1 << 20), "", true});
  const core::SpaceId gpu = spec.spaces.push_back({"gpu0", core::Bytes(gpu_bytes), "", false});
  spec.devices.push_back({"cpu", "cpu", host, 1, {}, 1e9, {}});
  spec.devices.push_back({"gpu:0", "gpu", gpu, 1, {}, 1e9, {}});
  for (const auto& [from, to] : {std::pair(host, gpu), std::pair(gpu, host)}) {
    core::Route route;
    route.from = from;
    route.to = to;
    route.rate_cap = core::Bandwidth(1e9);
    spec.routes.push_back(route);
  }
  core::Result<core::Machine> machine = core::Machine::create(std::move(spec));
  REQUIRE(machine);
  return std::move(*machine);
}

}  // namespace

TEST_CASE("a working set that fits no device is reported with both figures") {
  core::Program program = program_of({{"gpu:0", {{kInout, "s"}, {kIn, "A"}}}});
  const core::Machine small = machine_of(256), large = machine_of(512);
  CHECK(check_program(program, &large).is_sound());
  const CheckReport report = check_program(program, &small);
  REQUIRE(report.machine_faults.size() == 1);
  CHECK(!report.is_sound());
  const std::string& what = report.machine_faults[0].what;
  CHECK(what.find("512") != std::string::npos);
  CHECK(what.find("256") != std::string::npos);
}

TEST_CASE("the shipped sequences and lessons: where Parla is right, by generation") {
  struct Case {
    const char* file;
    bool is_right_in_python, is_right_in_cpp;
  };
  const std::vector<Case> cases = {
      {"cases/S1.json", false, false},
      {"cases/S2.json", false, false},
      {"cases/S3.json", false, false},
      {"cases/S4.json", false, false},
      {"cases/S5.json", false, false},
      {"cases/S6.json", false, false},
      {"cases/S7.json", false, true},
      {"cases/S8.json", false, true},
      {"lessons/lesson_06/writeback_without.json", false, false},
      {"lessons/lesson_06/writeback_with.json", true, true},
      {"lessons/lesson_06/09_script.json", true, true},
      {"lessons/tutorial_04/15_prefetched_data_movement.json", true, true},
      {"lessons/tutorial_04/16_write_invalidation.json", true, true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.file);
    const auto program = load_workload(std::string(PARLEY_SOURCE_DIR "/workloads/") + c.file);
    REQUIRE(program);
    const CheckReport report = check_program(*program);
    CHECK(report.is_sound());
    CHECK(report.parla.is_right(ParlaGeneration::kPython) == c.is_right_in_python);
    CHECK(report.parla.is_right(ParlaGeneration::kCpp) == c.is_right_in_cpp);
  }
}
