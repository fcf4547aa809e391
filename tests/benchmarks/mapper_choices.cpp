// Choices of a mapper a second: tasks of three operands (a tile product) on four GPUs, contents and
// queues as they are in the middle of a run. The target for earliest_finish is a million a second.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/engine/engine.h"
#include "core/policy/registry.h"
#include "workloads/machine_file.h"

namespace {

using namespace parley::core;

constexpr std::size_t kEdge = 32;  // C[i][j] += A[i] B[j]

Program tile_products() {
  Program program("tile products");
  const auto add_array = [&](const std::string& name) {
    ArraySpec spec;
    spec.name = name;
    spec.shape = {2048, 2048};
    spec.initial.kind = Initial::Kind::kArange;
    return program.whole(*program.add_array(std::move(spec))).region;
  };
  std::vector<RegionId> a, b;
  for (std::size_t i = 0; i < kEdge; ++i) {
    a.push_back(add_array("A" + std::to_string(i)));
    b.push_back(add_array("B" + std::to_string(i)));
  }
  for (std::size_t i = 0; i < kEdge * kEdge; ++i) {
    TaskSpec task;
    const RegionId c = add_array("C" + std::to_string(i));
    task.accesses = {{a[i / kEdge], AccessMode::kIn, 0, {}},
                     {b[i % kEdge], AccessMode::kIn, 0, {}},
                     {c, AccessMode::kInout, 0, {}}};
    task.placement.emplace_back();
    task.placement.back().members = {"gpu"};
    task.cost.emplace_back();
    task.cost.back().stated = Duration(300000);
    PARLEY_CHECK(program.spawn(std::move(task)).has_value(), "a task was refused");
  }
  PARLEY_CHECK(program.close().has_value(), "the program was refused");
  return program;
}

void choices(benchmark::State& run, const std::string& name) {
  const Program program = tile_products();
  const Machine machine = *parley::workloads::load_machine("h200x4");
  const std::unique_ptr<Engine> engine = *Engine::create(program, machine, EngineOptions());
  const std::vector<Event> events = {TasksSubmitted{TaskId(program.task_count())},
                                     SubmissionClosed{}};
  engine->step(Time(0), events);
  const View view(engine->state());
  const std::unique_ptr<Mapper> mapper = *PolicyRegistry().mapper(name, 1);
  std::size_t task = 0;
  for (auto _ : run) {
    benchmark::DoNotOptimize(mapper->choose(view, TaskId(task)).candidate);
    task = (task + 1) % program.task_count();
  }
  run.SetItemsProcessed(run.iterations());
}

}  // namespace

BENCHMARK_CAPTURE(choices, earliest_finish, std::string("earliest_finish"));
BENCHMARK_CAPTURE(choices, earliest_finish_beta, std::string("earliest_finish:beta=1"));
BENCHMARK_CAPTURE(choices, parla, std::string("parla"));
BENCHMARK_CAPTURE(choices, round_robin, std::string("round_robin"));
BENCHMARK_MAIN();
