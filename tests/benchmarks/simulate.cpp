// Simulated tasks per second, engine included: tiled Cholesky on the machine with four H200 under
// the default policies, contention on. Building the program is not timed. Counters: tasks/s, engine
// steps/s, and bytes/task, the most that was allocated at any time of the run, program included,
// over the number of tasks.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <string>

#include "sim/simulator.h"
#include "workloads/generator.h"
#include "workloads/machine_file.h"

namespace {

std::size_t live_bytes = 0;  // of this program, which has one thread
std::size_t peak_bytes = 0;

}  // namespace

void* operator new(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  live_bytes += malloc_usable_size(memory);
  peak_bytes = std::max(peak_bytes, live_bytes);
  return memory;
}
void operator delete(void* memory) noexcept {
  live_bytes -= malloc_usable_size(memory);
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace parley {
namespace {

enum class Recording : int { kNothing, kCommands };

void simulate_cholesky(benchmark::State& state) {
  const std::size_t before = live_bytes;
  const std::string spec = "cholesky:tiles=" + std::to_string(state.range(0)) +
                           ",tile=" + std::to_string(state.range(1));
  const auto program = workloads::GeneratorRegistry().make(spec);
  const auto machine = workloads::load_machine("h200x4");
  if (!program || !machine) {
    state.SkipWithError("no program or machine");
    return;
  }
  sim::SimOptions options;
  options.record_tasks = state.range(2) == static_cast<int>(Recording::kCommands);
  const auto tasks = static_cast<double>(program->task_count());
  double steps = 0.0;
  std::size_t peak = 0;
  for ([[maybe_unused]] auto _ : state) {
    peak_bytes = live_bytes;
    const auto result = sim::simulate(*program, *machine, options);
    if (!result) {
      state.SkipWithError(result.faults().front().what.c_str());
      return;
    }
    steps += static_cast<double>(result->engine->statistics().steps);
    peak = std::max(peak, peak_bytes - before);
  }
  state.counters["tasks"] = tasks;
  state.counters["tasks/s"] = benchmark::Counter(tasks * static_cast<double>(state.iterations()),
                                                 benchmark::Counter::kIsRate);
  state.counters["steps/s"] = benchmark::Counter(steps, benchmark::Counter::kIsRate);
  state.counters["bytes/task"] = static_cast<double>(peak) / tasks;
}

// 969, 9,880, 98,770 and 988,260 tasks. The last one's 2048-tiles fill the four memories, and about
// one replica a task is evicted; with 1024-tiles there is room for all.
BENCHMARK(simulate_cholesky)
    ->ArgNames({"tiles", "tile", "recorded"})
    ->ArgsProduct({{17, 38, 83, 180}, {2048}, {0, 1}})
    ->Args({180, 1024, 0})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley

BENCHMARK_MAIN();
