// How long a workload file of 100 MB takes to load: JSON text -> checked program. The text is a
// tiled Cholesky factorisation of one big array, written by format_workload as it is, or with what
// hand-written files have besides: placements, costs, names in `after`.
//
//   ./bench_load [--benchmark_filter=...]
//
// Target: 100 MB in under 5 s on two shared cores. Counters: bytes of text, tasks, MB and tasks a
// second, and the process's peak resident memory so far (run one benchmark alone to tell it apart).
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdint>
#include <string>

#include "workloads/workload.h"

namespace {

using parley::core::Program;

/// A lower-triangular tiled factorisation's text, with at least `bytes` bytes.
std::string cholesky_text(std::size_t bytes, bool is_explicit) {
  constexpr std::int64_t kTiles = 256, kEdge = 64;
  const auto tile = [](std::int64_t i, std::int64_t j) {
    return "\"A[" + std::to_string(i * kEdge) + ":" + std::to_string((i + 1) * kEdge) + ", " +
           std::to_string(j * kEdge) + ":" + std::to_string((j + 1) * kEdge) + "]\"";
  };
  const std::string extent = std::to_string(kTiles * kEdge);
  std::string text = R"({"format": "parley-workload", "version": 1, "name": "cholesky", )";
  text += is_explicit ? R"("dependencies": "both", )" : "";
  text += R"("arrays": [{"name": "A", "shape": [)" + extent + ", " + extent +
          R"(], "dtype": "float64", "init": {"fill": 1}}], "tasks": [)";
  std::string last;
  const auto add = [&](const std::string& name, const std::string& reads, const std::string& writes,
                       const std::string& kernel) {
    text += last.empty() ? "\n" : ",\n";
    text += R"({"name": ")" + name + R"(", "placement": ["gpu", "cpu"], )";
    if (is_explicit && !last.empty()) text += R"("after": [")" + last + R"("], )";
    if (!reads.empty()) text += R"("in": [)" + reads + "], ";
    text += R"("inout": [)" + writes + R"(], "kernel": {"name": ")" + kernel +
            R"("}, "cost": {"gpu": {"ns": 20000}, "cpu": {"ns": 900000}}, "priority": 3})";
    last = name;
  };
  for (std::int64_t step = 0; text.size() < bytes; ++step) {
    const std::int64_t k = step % kTiles;
    const std::string round = std::to_string(step);
    add("potrf[" + round + "]", "", tile(k, k), "potrf");
    for (std::int64_t i = k + 1; i < kTiles && text.size() < bytes; ++i) {
      const std::string row = round + "," + std::to_string(i);
      add("trsm[" + row + "]", tile(k, k), tile(i, k), "trsm");
      for (std::int64_t j = k + 1; j < i && text.size() < bytes; ++j) {
        add("gemm[" + row + "," + std::to_string(j) + "]", tile(i, k) + ", " + tile(j, k),
            tile(i, j), "gemm");
      }
      add("syrk[" + row + "]", tile(i, k), tile(i, i), "syrk");
    }
  }
  return text + "]}\n";
}

/// Greatest resident memory of the process so far, MB (the text itself included).
double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024.0 / 1e6;
}

void load(benchmark::State& state, bool is_explicit) {
  const std::string text = cholesky_text(static_cast<std::size_t>(state.range(0)), is_explicit);
  std::size_t tasks = 0;
  for (auto iteration : state) {
    const auto program = parley::workloads::parse_workload(text, "benchmark.json");
    if (!program) {
      state.SkipWithError(program.faults().front().what.c_str());
      return;
    }
    tasks = program->task_count();
    benchmark::DoNotOptimize(iteration);
  }
  const auto bytes = static_cast<double>(text.size());
  const auto runs = static_cast<double>(state.iterations());
  state.counters["text_MB"] = bytes / 1e6;
  state.counters["tasks"] = static_cast<double>(tasks);
  state.counters["MB/s"] = benchmark::Counter(bytes * runs / 1e6, benchmark::Counter::kIsRate);
  state.counters["tasks/s"] =
      benchmark::Counter(static_cast<double>(tasks) * runs, benchmark::Counter::kIsRate);
  state.counters["peak_MB"] = peak_megabytes();
}

void load_inferred(benchmark::State& state) { load(state, false); }
void load_both(benchmark::State& state) { load(state, true); }

void format(benchmark::State& state) {
  const std::string text = cholesky_text(static_cast<std::size_t>(state.range(0)), false);
  const auto program = parley::workloads::parse_workload(text, "benchmark.json");
  std::size_t bytes = 0;
  for (auto iteration : state) {
    bytes += parley::workloads::format_workload(*program).size();
    benchmark::DoNotOptimize(iteration);
  }
  state.counters["MB/s"] =
      benchmark::Counter(static_cast<double>(bytes) / 1e6, benchmark::Counter::kIsRate);
}

BENCHMARK(load_inferred)
    ->Arg(1'000'000)
    ->Arg(10'000'000)
    ->Arg(100'000'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(load_both)->Arg(10'000'000)->Arg(100'000'000)->Unit(benchmark::kMillisecond);
BENCHMARK(format)->Arg(10'000'000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
