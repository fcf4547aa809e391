// Every workload of workloads/cases behaves as its "meta" says: in virtual time, and with real
// threads and bytes, under several windows and prefetchers.
#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

#include "exec/verify/sequential.h"
#include "sim/simulator.h"
#include "tests/golden/case_file.h"
#include "tests/support/threaded_driver.h"

namespace parley::test {
namespace {

struct Setting {
  std::uint32_t window;
  const char* prefetch;
};
constexpr Setting kSettings[] = {{1, "none"}, {8, "on_map"}, {0, "on_map"}};

core::EngineOptions options_of(const std::string& mapper, const Setting& setting) {
  core::EngineOptions options;
  options.mapper = mapper;
  options.prefetch = setting.prefetch;
  options.source = "owner";  // which of several equally good sources counts here
  options.window = setting.window;
  options.check_invariants = true;
  return options;
}

template <class Check>
void for_each_run(const Check& check) {
  for (const auto& file : workload_files("cases")) {
    CAPTURE(file.filename().string());
    CaseFile one(file);
    for (const std::string& mapper : one.mappers()) {
      for (const Setting& setting : kSettings) {
        CAPTURE(mapper);
        CAPTURE(setting.window);
        check(one, options_of(mapper, setting));
      }
    }
  }
}

TEST_CASE("cases: states, copies and placements in virtual time") {
  for_each_run([](CaseFile& one, const core::EngineOptions& engine) {
    sim::SimOptions options;
    options.engine = engine;
    const auto result = sim::simulate(one.program(), one.machine(), options);
    REQUIRE(result.has_value());
    const Observation seen{result->engine->overviews(), result->run.copies, result->run.tasks};
    one.check(seen);
    one.check_concurrency(seen, engine.window != 1);
  });
}

TEST_CASE("cases: the same with real threads, and the bytes of sequential execution") {
  for_each_run([](CaseFile& one, const core::EngineOptions& engine) {
    ThreadedOptions options;
    options.engine = engine;
    const ThreadedResult result = run_threaded(one.program(), one.machine(), options);
    one.check({result.overviews, result.copies, result.tasks});
  });
}

TEST_CASE("cases: values are those expected after each task") {
  const exec::KernelRegistry kernels;
  for (const auto& file : workload_files("cases")) {
    CAPTURE(file.filename().string());
    CaseFile one(file);
    // Where alternatives compute different things the case says which is taken.
    const auto result = exec::execute_sequentially(
        one.program(), kernels, [&](core::TaskId task) { return one.alternative_of(task); });
    for (const exec::FailedExpectation& failed : result.failed) {
      FAIL_CHECK(one.program().task_name(failed.task)
                 << ": " << one.program().region_text(failed.region));
    }
  }
}

TEST_CASE("cases: nothing depends on the source or on the order of the program's tasks in time") {
  for (const auto& file : workload_files("cases")) {
    CAPTURE(file.filename().string());
    CaseFile one(file);
    for (const char* source : {"nearest", "owner"}) {
      for (const char* order : {"fifo", "priority", "bottom_level"}) {
        ThreadedOptions options;
        options.engine = options_of(one.mappers().front(), kSettings[1]);
        options.engine.source = source;
        options.engine.order = order;
        const ThreadedResult result = run_threaded(one.program(), one.machine(), options);
        one.check_states({result.overviews, result.copies, result.tasks});
      }
    }
  }
}

TEST_CASE("cases: every row of the table has one") {
  std::set<std::string> wanted;
  const std::map<std::string, std::pair<int, int>> rows = {
      {"S", {1, 8}}, {"C", {1, 24}}, {"M", {1, 5}}, {"T", {1, 4}}, {"D", {8, 12}}};
  for (const auto& [letter, range] : rows) {
    for (int i = range.first; i <= range.second; ++i) wanted.insert(letter + std::to_string(i));
  }
  for (const auto& file : workload_files("cases")) {
    for (const std::string& row : CaseFile(file).rows()) {
      wanted.erase(row);
    }
  }
  CHECK(wanted == std::set<std::string>());
}

}  // namespace
}  // namespace parley::test
