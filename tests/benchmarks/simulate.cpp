// Simulated tasks per second, engine included, of tiled Cholesky under earliest_finish, on_map and
// a window of 8 a device, with contention, latencies and memory accounted for: on four H200, where
// memory is short, on clusters of up to 1,024 GPUs, and against the number of tasks and of idle
// devices. Building programs and machines is not timed; lower bounds are. Counters: tasks/s, engine
// steps/s, and bytes/task, the most that was allocated at any time of a run of its own, program
// included, over the number of tasks.
//
// Ten million tasks take memory and a minute: they run only if the filter names "huge".
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "sim/simulator.h"
#include "workloads/generator.h"
#include "workloads/machine_file.h"

namespace {

// Of this program, which has one thread. Counting takes a few per cent of the time: it is for runs
// that are not timed.
bool is_counting = false;
std::size_t live_bytes = 0;
std::size_t peak_bytes = 0;

void* take(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  if (is_counting) {
    live_bytes += malloc_usable_size(memory);
    peak_bytes = std::max(peak_bytes, live_bytes);
  }
  return memory;
}

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) { return take(std::malloc(size)); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  return take(std::aligned_alloc(align, (size + align - 1) / align * align));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  if (is_counting) live_bytes -= malloc_usable_size(memory);
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { operator delete(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  operator delete(memory);
}

namespace parley {
namespace {

/// Made when its case runs, as large ones take a while.
using MachineMaker = std::function<core::Machine()>;

MachineMaker machine_named(const std::string& name, const std::vector<std::string>& limits = {}) {
  return [=] { return *workloads::load_machine(name, limits); };
}

/// Nodes of eight H200, each GPU with a network card of its own.
MachineMaker cluster(std::size_t nodes) {
  const std::string text =
      R"({"format": "parley-machine", "version": 1, "name": "cluster", "template": "dgx-h200",
          "gpus": 8, "nodes": )" +
      std::to_string(nodes) + "}";
  return [=] { return *core::Machine::create(*workloads::parse_machine(text, "cluster")); };
}

struct Case {
  std::string workload;
  MachineMaker machine;
  std::string parameters;  // of the mapper
  bool is_recorded = false;
};

sim::SimOptions options_of(const Case& chosen) {
  sim::SimOptions options;
  options.engine.mapper = "earliest_finish" + chosen.parameters;
  options.engine.prefetch = "on_map";
  options.engine.window = 8;
  options.record_tasks = chosen.is_recorded;
  return options;
}

/// Most bytes allocated while the program is built and simulated.
std::size_t bytes_of(const Case& chosen, const core::Machine& machine) {
  is_counting = true;
  live_bytes = peak_bytes = 0;
  {
    const auto program = workloads::GeneratorRegistry().make(chosen.workload);
    (void)sim::simulate(*program, machine, options_of(chosen));
  }
  is_counting = false;
  return peak_bytes;
}

void simulate(benchmark::State& state, const Case& chosen, std::size_t& bytes) {
  const core::Machine machine = chosen.machine();
  if (bytes == 0) bytes = bytes_of(chosen, machine);
  const auto program = workloads::GeneratorRegistry().make(chosen.workload);
  const sim::SimOptions options = options_of(chosen);
  double steps = 0.0;
  for ([[maybe_unused]] auto _ : state) {
    const auto result = sim::simulate(*program, machine, options);
    if (!result) {
      state.SkipWithError(result.faults().front().what.c_str());
      return;
    }
    steps += static_cast<double>(result->engine->statistics().steps);
  }
  const auto tasks = static_cast<double>(program->task_count());
  state.counters["tasks"] = tasks;
  state.counters["tasks/s"] = benchmark::Counter(tasks * static_cast<double>(state.iterations()),
                                                 benchmark::Counter::kIsRate);
  state.counters["steps/s"] = benchmark::Counter(steps, benchmark::Counter::kIsRate);
  state.counters["bytes/task"] = static_cast<double>(bytes) / tasks;
}

void add(const std::string& name, const Case& chosen, int repetitions = 1) {
  benchmark::RegisterBenchmark(("simulate/" + name).c_str(),
                               [chosen, bytes = std::make_shared<std::size_t>(0)](
                                   benchmark::State& state) { simulate(state, chosen, *bytes); })
      ->Unit(benchmark::kMillisecond)
      ->Repetitions(repetitions)
      ->ReportAggregatesOnly(repetitions > 1);
}

std::string cholesky(int tiles, int tile) {
  return "cholesky:tiles=" + std::to_string(tiles) + ",tile=" + std::to_string(tile);
}

void add_cases(bool has_huge) {
  const MachineMaker four = machine_named("h200x4");
  add("four_gpus/1e5", {cholesky(83, 2048), four, ""}, 5);
  add("four_gpus/1e6", {cholesky(180, 1024), four, ""}, 5);
  add("recorded/1e5", {cholesky(83, 2048), four, "", true});
  // Memory for a fifth of the matrix on each GPU.
  add("evicting/1e5", {cholesky(83, 2048), machine_named("h200x4", {"gpu=22GiB"}), ""});
  add("evicting/1e6", {cholesky(180, 2048), four, ""});
  for (const int tiles : {17, 38, 83, 180}) {  // 969, 9,880, 98,770 and 988,260 tasks
    add("tasks/tiles:" + std::to_string(tiles), {cholesky(tiles, 1024), four, ""});
  }
  add("gpus:8/nodes:1", {cholesky(83, 2048), cluster(1), ""});
  add("gpus:64/nodes:8", {cholesky(83, 2048), cluster(8), ""}, 5);
  // Dealt out to the GPUs before, so that the network of one host is not what all wait for.
  add("gpus:64/nodes:8/dealt", {cholesky(83, 2048) + ",home=block_cyclic,gpus=64", cluster(8), ""},
      5);
  add("gpus:64/nodes:8/1e6", {cholesky(180, 2048), cluster(8), ""});
  add("gpus:64/nodes:8/scan", {cholesky(83, 2048), cluster(8), ":scan=1"});
  add("gpus:1024/nodes:128", {cholesky(83, 2048), cluster(128), ""});
  // A chain keeps one GPU busy whatever there is.
  for (const std::size_t nodes :
       {std::size_t{1}, std::size_t{4}, std::size_t{16}, std::size_t{64}, std::size_t{128}}) {
    add("idle/gpus:" + std::to_string(8 * nodes), {"serial:steps=20000", cluster(nodes), ""});
  }
  if (has_huge) add("huge/1e7", {cholesky(390, 512), four, ""});
}

}  // namespace
}  // namespace parley

int main(int argc, char** argv) {
  bool has_huge = false;
  for (int i = 1; i < argc; ++i) has_huge |= std::strstr(argv[i], "huge") != nullptr;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  parley::add_cases(has_huge);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
