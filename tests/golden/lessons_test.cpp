// The lessons' programs do what the lessons say that they do, down to the text that is printed.
#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "cli/report/overview_text.h"
#include "exec/verify/sequential.h"
#include "sim/simulator.h"
#include "tests/golden/case_file.h"
#include "tests/support/threaded_driver.h"

namespace parley::test {
namespace {

std::filesystem::path lesson(const std::string& name) {
  return std::filesystem::path(PARLEY_SOURCE_DIR) / "workloads/lessons" / (name + ".json");
}

/// What the lesson prints: where each task runs and what it shows, task by task; the array's
/// identity, which differs from run to run in the lesson, as "ID: X".
std::string printed(const std::string& name, const std::string& machine_name) {
  const core::Program program = load_or_fail(lesson(name));
  const core::Machine machine = machine_or_fail(machine_name);
  const auto result = sim::simulate(program, machine, {});
  REQUIRE(result.has_value());
  std::string text;
  for (const core::TaskRecord& task : result->run.tasks) {
    text += cli::running_text(program, machine, task);
    if (text.back() != '\n') text += '\n';
    for (const core::Overview& overview : result->engine->overviews()) {
      if (overview.after == task.task) text += cli::shown_text(program, machine, overview);
    }
  }
  for (std::size_t at = 0; (at = text.find("ID: ", at)) != std::string::npos; at += 4) {
    const std::size_t digits = text.find_first_not_of("0123456789", at + 4) - (at + 4);
    if (digits > 0) text.replace(at + 4, digits, "X");
  }
  return text;
}

TEST_CASE("lessons: every program runs in virtual time and with real bytes, with its values") {
  const exec::KernelRegistry kernels;
  const core::Machine machine = machine_or_fail("h200x4");
  const auto files = workload_files("lessons");
  CHECK(files.size() == 16);
  for (const auto& file : files) {
    CAPTURE(file.filename().string());
    const core::Program program = load_or_fail(file);
    CHECK(sim::simulate(program, machine, {}).has_value());
    // The million numbers of one of them would take the checking driver ten seconds.
    if (program.array(core::ArrayId(0)).bytes < core::Bytes(1 << 20)) {
      CHECK(run_threaded(program, machine).tasks.size() == program.task_count());
    }
    CHECK(exec::execute_sequentially(program, kernels).failed.empty());
  }
}

TEST_CASE("tutorial 14: clone_here copies when the task starts, once") {
  const core::Program program = load_or_fail(lesson("tutorial_04/14_manual_data_movement"));
  const core::Machine machine = machine_or_fail("h200x4");
  CHECK(program.task(core::TaskId(0)).is_lazy);
  const ThreadedResult result = run_threaded(program, machine);
  CHECK(result.statistics.prefetches == 0);
  REQUIRE(result.copies.size() == 1);
  CHECK(result.copies[0].bytes == core::Bytes(40));
  CHECK(printed("tutorial_04/14_manual_data_movement", "h200x1") ==
        "Task(global_1)  running on  GPUEnvironment(GPU:0)\n");
}

TEST_CASE("tutorial 15: both copies are shared, and the GPU owns the array") {
  CHECK(printed("tutorial_04/15_prefetched_data_movement", "h200x1") ==
        "Task(global_1)  running on  GPUEnvironment(GPU:0)\n"
        "---Overview of PArray\n"
        "ID: X, Name: A, Parent_ID: None, Slice: None, Bytes: 40, Owner: GPU 0\n"
        "At GPU 0: state: SHARED\n"
        "At CPU: state: SHARED\n"
        "---End of Overview\n");
}

TEST_CASE("tutorial 16: an update invalidates the host, the next one finds all in place") {
  const auto block = [](const std::string& gpu, const std::string& cpu) {
    return "---Overview of PArray\n"
           "ID: X, Name: A, Parent_ID: None, Slice: None, Bytes: 40, Owner: GPU 0\n"
           "At GPU 0: state: " +
           gpu + "\nAt CPU: state: " + cpu + "\n---End of Overview\n";
  };
  const auto runs = [](const std::string& task) {
    return "Task(" + task + ")  running on  GPUEnvironment(GPU:0)\n";
  };
  CHECK(printed("tutorial_04/16_write_invalidation", "h200x1") ==
        runs("T_0") + block("SHARED", "SHARED") + runs("T_1") + block("MODIFIED", "INVALID") +
            runs("T_2") + block("MODIFIED", "INVALID"));
}

TEST_CASE("lesson 6: print gives the dictionary of devices") {
  CHECK(printed("lesson_06/05_read_only", "h200x4") ==
        "Task(ts_0)  running on  GPUEnvironment(GPU:0)\n"
        "{0: valid, 1: None, 2: None, 3: None, -1: valid}\n");
  CHECK(printed("lesson_06/01_create", "h200x2") ==
        "Task(look)  running on  CPUEnvironment(CPU:0)\n"
        "{0: None, 1: None, -1: valid}\n"
        "{0: None, 1: None, -1: valid}\n");
}

TEST_CASE("lesson 6: the reader of a slice sees the new value with and without a write-back task") {
  const core::Machine machine = machine_or_fail("h200x4");
  std::size_t copies[2];
  int i = 0;
  for (const char* name : {"lesson_06/writeback_without", "lesson_06/writeback_with"}) {
    const core::Program program = load_or_fail(lesson(name));
    const ThreadedResult result = run_threaded(program, machine);
    copies[i++] = result.copies.size();
    double first = 0;
    std::memcpy(&first, result.arrays[core::ArrayId(0)].data(), sizeof first);
    CHECK(first == 1.0);
  }
  CHECK(copies[0] == 1);
  CHECK(copies[1] == 2);
}

TEST_CASE("lesson 6: only the row that is named moves") {
  const core::Program program = load_or_fail(lesson("lesson_06/08_fine_grained"));
  const ThreadedResult result = run_threaded(program, machine_or_fail("h200x4"));
  REQUIRE(result.copies.size() == 1);
  CHECK(result.copies[0].bytes == core::Bytes(16));
}

}  // namespace
}  // namespace parley::test
